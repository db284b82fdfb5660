// What a call of a tool costs: over HTTP beside the TypeScript SDK and beside
// the same engine without MCP; over stdio beside the TypeScript SDK.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Client, Mcp } from '../lib/client.mjs';
import { fixed, median, run, spread, startPinned } from './measure.mjs';
import { ROUNDS, SECONDS, compareAll, described, postRound, scratch, withTenant, writeConfig } from './setup.mjs';

const BUILD = path.resolve('..', '..', 'build');
const program = (name) => path.join(BUILD, 'e2e', name);
const build = (...targets) =>
  execFileSync('cmake', ['--build', BUILD, '--target', ...targets], { stdio: ['ignore', 'ignore', 'inherit'] });
// So many that the server is what is measured, and not how two processes wake each other.
const IN_FLIGHT = 128;
// The SDK's current release as its pages set it up.
const DOCUMENTED = 'v2-express';

const versionOf = (name) => JSON.parse(readFileSync(`node_modules/@modelcontextprotocol/${name}/package.json`, 'utf8')).version;
const sdks = () => `Node ${process.version}, @modelcontextprotocol/sdk ${versionOf('sdk')} (v1), @modelcontextprotocol/server ${versionOf('server')} (v2)`;

// --- the call, in both eras of the protocol ---

const ENVELOPE = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};
const callWith = (id, _meta) => JSON.stringify({
  jsonrpc: '2.0', id, method: 'tools/call',
  params: { name: 'weather', arguments: { city: 'Oslo', days: 3 }, _meta },
});

const eras = [{
  version: '2025-11-25',
  meta: { progressToken: 4711 },
  headers: {},
  opening: [
    { jsonrpc: '2.0', id: 'open', method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'bench', version: '1' } } },
    { jsonrpc: '2.0', method: 'notifications/initialized' },
  ],
  http: ['v1-http', 'v1-express', 'v2-http', 'v2-express', 'v2-sessions-http'],
  stdio: ['v1', 'v2'],
}, {
  version: '2026-07-28',
  meta: { progressToken: 4711, ...ENVELOPE },
  headers: { 'Mcp-Method': 'tools/call', 'Mcp-Name': 'weather' },
  opening: [],
  http: ['v2-http', 'v2-express'],
  stdio: ['v2'],
}];

// --- HTTP ---

// Who calls `url`, and the length of the answer, which is looked at once.
async function caller(url, token, era) {
  const mcp = new Mcp(url, token);
  if (era.opening.length) await mcp.open(era.version);
  const body = callWith(4711, era.meta);
  const answer = await mcp.post(body, { 'mcp-protocol-version': era.version, ...era.headers });
  if (answer.status !== 200 || !/"text":"It is 21 degrees/.test(answer.text))
    throw new Error(`${url}: ${answer.status} ${answer.text}`);
  const side = { url, token, session: mcp.session, version: era.version, headers: era.headers, body };
  return { side, size: Buffer.byteLength(answer.text) };
}

async function startPeer(kind, era) {
  const token = 'bench-token-which-is-as-long-as-one-of-ours-would-be';
  const peer = await startPinned(0, process.execPath, ['bench/ts-call-server.mjs', kind, token]);
  const { side } = await caller(`${peer.info.url}/mcp`, token, era);
  return { stop: peer.stop, round: () => postRound(peer.pid, side) };
}

const cells = (xs) => `${fixed(median(xs))} (${spread(xs)})`;
const ratios = (rounds, of) => rounds.map((round) => of(round) / round.ours.us);

function httpTable(rounds, kinds) {
  const row = (name, key) => `| ${name} | ${cells(rounds.map((r) => r[key].us))} | ${fixed(median(rounds.map((r) => r[key].rps)))} | ${key === 'ours' ? '' : cells(ratios(rounds, (r) => r[key].us))} |`;
  const typical = (kind) => median(ratios(rounds, (r) => r[kind].us));
  const fastest = [...kinds].sort((a, b) => typical(a) - typical(b))[0];
  return `| | CPU µs a request, median (range) | requests/s, median | times ours |
|---|---|---|---|
${row('a server of libvalet, one worker, audit **off**', 'ours')}
${row('the same engine answers a text of that size: no MCP, no token; goal ≥ 0.6', 'plain')}
${kinds.map((kind) => row(`TypeScript SDK, ${kind}`, kind)).join('\n')}
| **as the SDK's pages set it up, ${DOCUMENTED}**; goal ≥ 60 | | | **${cells(ratios(rounds, (r) => r[DOCUMENTED].us))}** |
| **the fastest of them, ${fastest}** | | | **${cells(ratios(rounds, (r) => r[fastest].us))}** |`;
}

async function callsOfEra(own, era) {
  const { side, size } = await caller(`${own.info.url}/mcp`, own.token, era);
  const plain = await startPinned(0, program('bench-own-server'), ['fixed', String(size)]);
  const peers = {};
  try {
    for (const kind of era.http) peers[kind] = await startPeer(kind, era);
    const rounds = await compareAll({
      ours: () => postRound(own.pid, side),
      plain: () => postRound(plain.pid, { ...side, url: `${plain.info.url}/fixed` }),
      ...Object.fromEntries(Object.entries(peers).map(([kind, { round }]) => [kind, round])),
    });
    return `Protocol ${era.version}; an answer has ${size} bytes:\n\n${httpTable(rounds, era.http)}`;
  } finally {
    for (const one of [plain, ...Object.values(peers)]) await one.stop();
  }
}

async function mcp(tenant) {
  build('bench-own-server');
  const config = writeConfig(tenant, { workers: 1, servers: undefined, audit: undefined });
  const own = await startPinned(0, program('bench-own-server'), ['signed-in', config]);
  try {
    own.token = (await new Client(own.info.url).login(described.users.admin)).access_token;
    const tables = [];
    for (const era of eras) tables.push(await callsOfEra(own, era));
    return `\`tools/call\` of a tool that answers a short text at once, with arguments that are checked against its schema and an access
token that has been seen before; 64 kept connections, ${ROUNDS} interleaved rounds of ${SECONDS} s after one to warm up, CPU of the
server per request. **No audit trail is written** (other figures of this page are with one). ${sdks()};
the bearer token compared with the known one, on node:http alone or on Express with \`requireBearerAuth\`. v1 and "sessions"
have a transport for each session; else v2 makes a server for each request, as it recommends. Answers are JSON, but for
those of v2 without sessions to clients of 2025-11-25, which it only gives as event streams.

${tables.join('\n\n')}`;
  } finally {
    await own.stop();
  }
}

// --- stdio ---

function writeMessages(era) {
  const file = path.join(scratch, `stdio-${era.version}`);
  const call = callWith('ID', era.meta).replace('"ID"', 'ID');
  writeFileSync(file, [...era.opening.map((m) => JSON.stringify(m)), call].join('\n') + '\n');
  return file;
}

// One process of the server, warmed up for a second.
async function stdioRound(messages, command) {
  const out = await run(1, program('bench-stdio-load'),
    [messages, String(IN_FLIGHT), '1000', String(SECONDS * 1000), 'taskset', '-c', '0', ...command]);
  const { calls, seconds, cpu } = JSON.parse(out);
  return { us: (cpu / calls) * 1e6, rps: calls / seconds };
}

const stdioPeer = (kind) => [process.execPath, 'bench/ts-stdio-server.mjs', kind];

async function stdioOfEra(era) {
  const messages = writeMessages(era);
  const rounds = await compareAll({
    ours: () => stdioRound(messages, [program('bench-own-server'), 'stdio']),
    ...Object.fromEntries(era.stdio.map((kind) => [kind, () => stdioRound(messages, stdioPeer(kind))])),
  });
  const faster = (kind) => rounds.map((r) => r.ours.rps / r[kind].rps);
  const fastest = [...era.stdio].sort((a, b) => median(faster(a)) - median(faster(b)))[0];
  const row = (name, key) => `| ${name} | ${cells(rounds.map((r) => r[key].us))} | ${fixed(median(rounds.map((r) => r[key].rps)))} | ${key === 'ours' ? '' : cells(faster(key))} |`;
  return `Protocol ${era.version}:

| | CPU µs a call, median (range) | calls/s, median | ours has times as many |
|---|---|---|---|
${row('a server of libvalet', 'ours')}
${era.stdio.map((kind) => row(`TypeScript SDK, ${kind}`, kind)).join('\n')}
| **the fastest of them, ${fastest}**; goal ≥ 10 | | | **${cells(faster(fastest))}** |`;
}

async function stdio() {
  build('bench-own-server', 'bench-stdio-load');
  const tables = [];
  for (const era of eras) tables.push(await stdioOfEra(era));
  return `The same tool over standard input and output, ${IN_FLIGHT} calls under way; ${ROUNDS} interleaved rounds of ${SECONDS} s, each with a new
process that was warmed up for one. ${sdks()}.

${tables.join('\n\n')}`;
}

export default { mcp: () => withTenant(mcp), stdio };
