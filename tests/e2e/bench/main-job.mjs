// The figures of the main job: tools/list beside the TypeScript SDK, memory,
// start, sign-ins.
import { readFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { Browser } from '../lib/browser.mjs';
import { Client, Mcp } from '../lib/client.mjs';
import { cpuSeconds, fixed, median, privateMemory, spread, startPinned } from './measure.mjs';
import { BIN, ROUNDS, SECONDS, compare, described, listRound, pause, signedIn, startValet, withTenant, writeConfig } from './setup.mjs';

// --- authenticated tools/list over kept connections ---

async function toolsList(tenant) {
  const valet = await startValet(writeConfig(tenant));
  const token = 'bench-token';
  const peer = await startPinned(0, process.execPath, ['bench/ts-server.mjs', token]);
  try {
    const ours = await signedIn(valet);
    const { session } = await new Mcp(`${peer.info.url}/mcp`, token).open();
    const theirs = { url: `${peer.info.url}/mcp`, token, session };
    const rounds = await compare(() => listRound(valet.pid, ours), () => listRound(peer.pid, theirs));
    const ratios = rounds.map((r) => r.b.us / r.a.us);
    return `Authenticated \`tools/list\`, kept connections, 64 of them, ${ROUNDS} interleaved rounds of ${SECONDS} s after one to warm up, server CPU per request (Node ${process.version}, @modelcontextprotocol/sdk ${sdkVersion()}, stateful, JSON answers, \`requireBearerAuth\` with an in-memory verifier):

| | CPU µs a request, median (range) | requests/s, median |
|---|---|---|
| mcp-valet, one worker, audit on | ${fixed(median(rounds.map((r) => r.a.us)))} (${spread(rounds.map((r) => r.a.us))}) | ${fixed(median(rounds.map((r) => r.a.rps)))} |
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

// As shipped: as many workers as cores. Libraries that another process maps do
// not count as private: so nothing else of ours runs while the memory after a
// start is read.
const startAsShipped = (tenant) => startValet(writeConfig(tenant, { workers: 0 }), { cores: '0,1' });

async function memory() {
  const atStart = [], used = [];
  for (let i = 0; i < ROUNDS; i++) {
    const gone = await withTenant(async (tenant) => tenant);
    const valet = await startAsShipped(gone);
    await pause(1000);
    atStart.push(privateMemory(valet.pid));
    await valet.stop();
  }
  await withTenant(async (tenant) => {
    const valet = await startAsShipped(tenant);
    const { access_token } = await new Client(valet.info.url).login(described.users.admin);
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
  return `Private memory of \`serve --config\` at rest (kB, \`/proc/PID/smaps_rollup\`; "written" is Private_Dirty, "all" adds Private_Clean: pages of files, code of shared libraries mostly, that no other process maps; nothing else of ours runs):

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
  await new Client(first.info.url).login(described.users.admin);
  const port = Number(new URL(first.info.url).port);
  await first.stop();
  const config = writeConfig(tenant, { port });
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
  return `\`serve --config\` with existing state, from starting the process (through taskset) to the first 401: median ${fixed(median(times))} ms (${spread(times)}, ${times.length} starts); goal ≤ 100 ms.`;
}

// --- complete sign-ins ---

async function oneSignIn(url, id) {
  const client = new Client(url);
  client.id = id;
  const { access_token } = await client.login(described.users.admin, new Browser());
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
    return `Complete sign-ins (authorize, consent, sign-in at the stand-in, callback, token, initialize, first tool call with Graph), SQLite as shipped, ${ROUNDS} rounds of 300 by 16 clients at once; load generator and stand-in share core 1: median ${fixed(median(rates))}/s (${spread(rates)}), server CPU ${fixed(median(cpus))} ms each (so one core could do ${fixed(1000 / median(cpus))}/s); goal ≥ 100/s.`;
  } finally {
    await valet.stop();
  }
}

export default {
  'tools-list': () => withTenant(toolsList),
  memory,
  start: () => withTenant(start),
  'sign-ins': () => withTenant(signIns),
};
