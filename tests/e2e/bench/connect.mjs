// `mcp-valet connect` beside npm mcp-remote: both bring a stdio client to the
// same server over Streamable HTTP, which asks for no token.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Mcp } from '../lib/client.mjs';
import { fixed, median, run, spread, startPinned } from './measure.mjs';
import { BIN, ROUNDS, SECONDS, compareAll, scratch } from './setup.mjs';

const BUILD = path.resolve('..', '..', 'build');
const program = (name) => path.join(BUILD, 'e2e', name);
const MANY = 16; // calls under way

const CALL = '{"jsonrpc":"2.0","id":ID,"method":"tools/call","params":{"name":"weather","arguments":{"city":"Oslo","days":3}}}';

const messages = () => {
  const file = path.join(scratch, 'connect-messages');
  writeFileSync(file, [
    JSON.stringify({ jsonrpc: '2.0', id: 'open', method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'bench', version: '1' } } }),
    JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }),
    JSON.stringify({ jsonrpc: '2.0', id: 'list', method: 'tools/list' }),
    CALL,
  ].join('\n') + '\n');
  return file;
};

// One process of a bridge, warmed up for a second, with so many calls under way.
async function bridgeRound(file, inFlight, command, env) {
  const out = await run(1, program('bench-stdio-load'), [file, String(inFlight), '1000', String(SECONDS * 1000), 'taskset', '-c', '0', ...command], env);
  const { calls, seconds, cpu, memory, dirty } = JSON.parse(out);
  return { us: (cpu / calls) * 1e6, rps: calls / seconds, ms: (seconds / calls) * 1e3 * inFlight, memory, dirty };
}

// The same call without a bridge, one at a time over one kept connection.
async function directRound(url, session) {
  const out = await run(0, 'wrk', ['-t1', '-c1', `-d${SECONDS}s`, '-s', 'bench/post.lua', url],
    { TOKEN: 'none', SESSION: session, VERSION: '2025-11-25', BODY: CALL.replace('ID', '1'), HEADERS: '' });
  if (/Non-2xx/.test(out)) throw new Error(`answers were not 200:\n${out}`);
  return { ms: 1e3 / Number(/Requests\/sec: *([\d.]+)/.exec(out)[1]) };
}

const cells = (xs) => `${fixed(median(xs))} (${spread(xs)})`;

async function connect() {
  execFileSync('cmake', ['--build', BUILD, '--target', 'bench-own-server', 'bench-stdio-load'], { stdio: ['ignore', 'ignore', 'inherit'] });
  const server = await startPinned(1, program('bench-own-server'), ['local', '127.0.0.1:0']);
  const version = JSON.parse(readFileSync('node_modules/mcp-remote/package.json', 'utf8')).version;
  const home = mkdtempSync(path.join(scratch, 'home-'));
  const sides = {
    ours: [path.join(BIN, 'mcp-valet'), 'connect', '--no-cache', '--quiet', server.info.url],
    theirs: [process.execPath, 'node_modules/mcp-remote/dist/proxy.js', server.info.url, '--transport', 'http-only', '--allow-http'],
  };
  const file = messages();
  const { session } = await new Mcp(server.info.url, 'none').open('2025-11-25');
  try {
    const rounds = await compareAll({
      direct: () => directRound(server.info.url, session),
      ...Object.fromEntries(Object.entries(sides).flatMap(([name, command]) => [
        [`${name}One`, () => bridgeRound(file, 1, command, { MCP_REMOTE_CONFIG_DIR: home })],
        [`${name}Many`, () => bridgeRound(file, MANY, command, { MCP_REMOTE_CONFIG_DIR: home })],
      ])),
    });
    const of = (key, what) => rounds.map((round) => round[key][what]);
    const added = (name) => rounds.map((round) => round[`${name}One`].ms - round.direct.ms);
    const row = (title, name) => `| ${title} | ${cells(of(`${name}Many`, 'rps'))} | ${cells(of(`${name}Many`, 'us'))} | ${cells(of(`${name}One`, 'ms'))} | ${cells(added(name))} | ${cells(of(`${name}Many`, 'memory'))} | ${cells(of(`${name}Many`, 'dirty'))} |`;
    return `A stdio client calls a tool of one HTTP server (libvalet, no sign-in, on core 1 with the load) through a bridge on core 0;
${ROUNDS} interleaved rounds of ${SECONDS} s, each with a new process that was warmed up for one. ${MANY} calls under way for calls/s, CPU and
memory (kB, private, at the end: all, and what was written), one for latency; "added" is less the same call made directly over a kept
connection (median ${fixed(median(of('direct', 'ms')))} ms). Protocol 2025-11-25; mcp-remote ${version} on Node ${process.version}.

| | calls/s, median (range) | CPU µs a call | latency ms | added ms | memory | written |
|---|---|---|---|---|---|---|
${row('mcp-valet connect', 'ours')}
${row('npm mcp-remote', 'theirs')}
| **ours by theirs**; goals ≥ 10, –, –, ≤ 0.2, ≤ 6,144 kB | **${cells(rounds.map((r) => r.oursMany.rps / r.theirsMany.rps))}** | ${cells(rounds.map((r) => r.oursMany.us / r.theirsMany.us))} | | **${cells(rounds.map((r) => (r.oursOne.ms - r.direct.ms) / (r.theirsOne.ms - r.direct.ms)))}** | | |`;
  } finally {
    await server.stop();
  }
}

export default { connect };
