// ./dev bench [NAME …]: measures, prints, and writes docs/performance.md.
// The server runs on core 0; load and stand-in on core 1. Both sides of a
// ratio are measured in the same run, in interleaved rounds.
import { mkdtempSync, readFileSync, writeFileSync, chmodSync, rmSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { Browser } from '../lib/browser.mjs';
import { Client, Mcp } from '../lib/client.mjs';
import { cpuSeconds, fixed, median, privateMemory, run, spread, startPinned } from './measure.mjs';

const BIN = process.env.VALET_BIN;
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 4);
const results = {};

const describe = JSON.parse(execFileSync(path.join(BIN, 'mcp-valet-tenant'), ['--describe'], { encoding: 'utf8' }));
const scratch = mkdtempSync(path.join(os.tmpdir(), 'valet-bench-'));

const pause = (ms) => new Promise((r) => setTimeout(r, ms));

async function withTenant(use) {
  const tenant = await startPinned(1, path.join(BIN, 'mcp-valet-tenant'), ['--listen', '127.0.0.1:0']);
  try {
    return await use(tenant);
  } finally {
    await tenant.stop();
  }
}

function writeConfig(tenant, port = 0) {
  const secret = path.join(scratch, 'secret');
  writeFileSync(secret, describe.apps.web.secret, { mode: 0o600 });
  chmodSync(secret, 0o600);
  const file = path.join(scratch, 'valet.yaml');
  writeFileSync(file, `listen: "127.0.0.1:${port}"
entra:
  tenant_id: ${tenant.info.tenant.split('/').pop()}
  client_id: ${describe.apps.web.id}
  client_secret_file: ${secret}
  authority_host: ${tenant.info.authority}
  graph_url: ${tenant.info.graph}
servers:
  graph:
    builtin: graph
registration:
  dynamic: true
  max: 100000
  per_address_per_hour: 10000
limits:
  requests_per_minute: 1000000
  pending_sign_ins_per_address: 1000000
  sessions_per_user: 1000000
store:
  path: ${path.join(scratch, 'store.db')}
keys:
  path: ${path.join(scratch, 'keys')}
audit:
  path: ${path.join(scratch, 'audit.jsonl')}
`);
  return file;
}

const startValet = (config) => startPinned(0, path.join(BIN, 'mcp-valet'), ['serve', '--config', config]);

// --- authenticated tools/list over kept connections ---

const LIST = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' });

async function round(server, url, token, session) {
  const before = cpuSeconds(server.pid);
  const out = await run(1, 'wrk', ['-t1', '-c64', `-d${SECONDS}s`, '-s', 'bench/post.lua', `${url}/mcp`],
    { TOKEN: token, SESSION: session, BODY: LIST });
  const cpu = cpuSeconds(server.pid) - before;
  const done = Number(/(\d+) requests in/.exec(out)[1]);
  if (/Non-2xx/.test(out)) throw new Error(`answers were not 200:\n${out}`);
  return { us: (cpu / done) * 1e6, rps: Number(/Requests\/sec: *([\d.]+)/.exec(out)[1]) };
}

async function toolsList(tenant) {
  const valet = await startValet(writeConfig(tenant));
  const token = 'bench-token';
  const peer = await startPinned(0, process.execPath, ['bench/ts-server.mjs', token]);
  try {
    const { access_token } = await new Client(valet.info.url).login(describe.users.admin);
    const ours = await new Mcp(`${valet.info.url}/mcp`, access_token).open();
    const theirs = await new Mcp(`${peer.info.url}/mcp`, token).open();
    const rounds = [];
    for (let i = 0; i <= ROUNDS; i++) {
      const a = await round(valet, valet.info.url, access_token, ours.session);
      const b = await round(peer, peer.info.url, token, theirs.session);
      if (process.env.BENCH_VERBOSE) console.error(i, a, b);
      if (i > 0) rounds.push({ a, b, ratio: b.us / a.us }); // the first warms up
    }
    const ratios = rounds.map((r) => r.ratio);
    results['tools-list'] = `Authenticated \`tools/list\`, kept connections, 64 of them, ${ROUNDS} interleaved rounds of ${SECONDS} s after one to warm up, server CPU per request (Node ${process.version}, @modelcontextprotocol/sdk ${sdkVersion()}, stateful, JSON answers, \`requireBearerAuth\` with an in-memory verifier):

| | CPU µs a request, median (range) | requests/s, median |
|---|---|---|
| mcp-valet, audit on | ${fixed(median(rounds.map((r) => r.a.us)))} (${spread(rounds.map((r) => r.a.us))}) | ${fixed(median(rounds.map((r) => r.a.rps)))} |
| TypeScript SDK on Express | ${fixed(median(rounds.map((r) => r.b.us)))} (${spread(rounds.map((r) => r.b.us))}) | ${fixed(median(rounds.map((r) => r.b.rps)))} |
| **ratio** | **${fixed(median(ratios))}** (${spread(ratios)}); goal ≥ 40 | |

One run of several: all of them, where the time goes and what was tried stand
in [ADR 6](adr/0006-what-a-call-costs.md).`;
  } finally {
    await valet.stop();
    await peer.stop();
  }
}

const sdkVersion = () => JSON.parse(readFileSync('node_modules/@modelcontextprotocol/sdk/package.json', 'utf8')).version;

// --- memory at rest, and start with existing state ---

// Libraries that another process maps do not count as private: so nothing else
// of ours runs while the memory after a start is read.
async function memory() {
  const atStart = [], used = [];
  for (let i = 0; i < ROUNDS; i++) {
    const config = await withTenant(async (tenant) => writeConfig(tenant));
    const valet = await startValet(config);
    await pause(1000);
    atStart.push(privateMemory(valet.pid));
    await valet.stop();
  }
  await withTenant(async (tenant) => {
    const valet = await startValet(writeConfig(tenant));
    const { access_token } = await new Client(valet.info.url).login(describe.users.admin);
    const mcp = await new Mcp(`${valet.info.url}/mcp`, access_token).open();
    await mcp.tool('getUserDetails');
    await pause(1000);
    used.push(privateMemory(valet.pid));
    await tenant.stop();
    used.push(privateMemory(valet.pid));
    await valet.stop();
  });
  const row = (list, kind) => list.map((m) => m[kind]);
  const cell = (xs) => `${median(xs)} (${Math.min(...xs)} to ${Math.max(...xs)})`;
  results.memory = `Private memory of \`serve --config\` at rest (kB, \`/proc/PID/smaps_rollup\`; "written" is Private_Dirty, "all" adds Private_Clean: pages of files, code of shared libraries mostly, that no other process maps; nothing else of ours runs):

| | written | all | goal |
|---|---|---|---|
| after start, ${ROUNDS} starts | ${cell(row(atStart, 'dirty'))} | ${cell(row(atStart, 'all'))} | ≤ 6,144 |
| after a sign-in and a tool call: libcurl and what it brings are loaded | ${used[1].dirty} | ${used[1].all} | |`;
}

function firstAnswer(port) {
  return new Promise((resolve) => {
    const attempt = () => {
      const req = http.request({ host: '127.0.0.1', port, path: '/mcp', method: 'POST', agent: false }, (res) => {
        res.resume();
        resolve(res.statusCode);
      });
      req.on('error', () => setTimeout(attempt, 1));
      req.end('{}');
    };
    attempt();
  });
}

async function start(tenant) {
  const first = await startValet(writeConfig(tenant)); // makes the state
  await new Client(first.info.url).login(describe.users.admin);
  const port = Number(new URL(first.info.url).port);
  await first.stop();
  const config = writeConfig(tenant, port);
  const times = [];
  for (let i = 0; i < 15; i++) {
    const begun = process.hrtime.bigint();
    const valet = startPinned(0, path.join(BIN, 'mcp-valet'), ['serve', '--config', config], { wait: false });
    const status = await firstAnswer(port);
    times.push(Number(process.hrtime.bigint() - begun) / 1e6);
    if (status !== 401) throw new Error(`first answer was ${status}`);
    await valet.ready;
    await valet.stop();
  }
  results.start = `\`serve --config\` with existing state, from starting the process (through taskset) to the first 401: median ${fixed(median(times))} ms (${spread(times)}, ${times.length} starts); goal ≤ 100 ms.`;
}

// --- complete sign-ins ---

async function oneSignIn(url, id) {
  const client = new Client(url);
  client.id = id;
  const { access_token } = await client.login(describe.users.admin, new Browser());
  const mcp = await new Mcp(`${url}/mcp`, access_token).open();
  const answer = await mcp.tool('getUserDetails');
  if (answer.result?.isError !== false && answer.result?.isError !== undefined)
    throw new Error(JSON.stringify(answer));
}

async function signIns(tenant) {
  const valet = await startValet(writeConfig(tenant));
  try {
    const { id } = await new Client(valet.info.url).register();
    const rates = [], cpus = [];
    for (let i = 0; i <= ROUNDS; i++) {
      const total = 300;
      let left = total;
      const before = cpuSeconds(valet.pid);
      const begun = process.hrtime.bigint();
      await Promise.all(Array.from({ length: 16 }, async () => {
        while (left-- > 0) await oneSignIn(valet.info.url, id);
      }));
      const seconds = Number(process.hrtime.bigint() - begun) / 1e9;
      if (i === 0) continue;
      rates.push(total / seconds);
      cpus.push(((cpuSeconds(valet.pid) - before) / total) * 1e3);
    }
    results['sign-ins'] = `Complete sign-ins (authorize, consent, sign-in at the stand-in, callback, token, initialize, first tool call with Graph), SQLite as shipped, ${ROUNDS} rounds of 300 by 16 clients at once; load generator and stand-in share core 1: median ${fixed(median(rates))}/s (${spread(rates)}), server CPU ${fixed(median(cpus))} ms each (so one core could do ${fixed(1000 / median(cpus))}/s); goal ≥ 100/s.`;
  } finally {
    await valet.stop();
  }
}

// --- main ---

const all = {
  'tools-list': () => withTenant(toolsList),
  memory,
  start: () => withTenant(start),
  'sign-ins': () => withTenant(signIns),
};
const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(all);

// The orchestrator is the load generator: it belongs on core 1.
execFileSync('taskset', ['-pc', '1', String(process.pid)], { stdio: 'ignore' });
try {
  for (const name of names) {
    if (!all[name]) throw new Error(`no benchmark ${name}; there are ${Object.keys(all).join(', ')}`);
    process.stderr.write(`bench: ${name}\n`);
    await all[name]();
    console.log(`\n## ${name}\n\n${results[name]}`);
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

// docs/performance.md keeps the last figure of each name.
const file = path.join('..', '..', 'docs', 'performance.md');
let old = '';
try { old = readFileSync(file, 'utf8'); } catch { /* the first time */ }
const section = (name) => new RegExp(`## ${name}\n\n([\\s\\S]*?)(?=\n## |$)`).exec(old)?.[1].trimEnd();
const cpu = /model name\s*: (.*)/.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? 'unknown CPU';
writeFileSync(file, `# Performance

Made by \`./dev bench\` (one figure: \`./dev bench NAME\`). The server runs on
core 0; load generator and stand-in on core 1. Both sides of a ratio are
measured in the same run, in interleaved rounds, by CPU time of the server per
request, since machines drift. Last run: ${new Date().toISOString().slice(0, 10)}, ${os.cpus().length} cores, ${cpu}, Linux ${os.release().split('-')[0]}.

${Object.keys(all).map((name) => [name, results[name] ?? section(name)]).filter(([, text]) => text)
    .map(([name, text]) => `## ${name}\n\n${text}\n`).join('\n')}`);
