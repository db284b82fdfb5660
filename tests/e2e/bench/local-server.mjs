// `mcp-valet stdio`: how soon it answers, what memory it holds, and what a call
// of its tool costs beside Microsoft Graph's own time.
import { execFileSync, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { Person } from '../lib/person.mjs';
import { fixed, median, privateMemory, run, spread } from './measure.mjs';
import { BIN, ROUNDS, SECONDS, compareAll, described, scratch, withTenant } from './setup.mjs';

const BUILD = path.resolve('..', '..', 'build');
const LOAD = path.join(BUILD, 'e2e', 'bench-stdio-load');
const STARTS = 15;

const INITIALIZE = '{"jsonrpc":"2.0","id":"open","method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}';
const INITIALIZED = '{"jsonrpc":"2.0","method":"notifications/initialized"}';
const call = (id) => `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"GetUserDetailsFromGraph","arguments":{}}}`;

// A process that lines go to, and come from.
function start(command, env) {
  const child = spawn('taskset', ['-c', '0', ...command], { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  return {
    pid: child.pid,
    ask: (text) => new Promise((resolve) => { lines.once('line', resolve); child.stdin.write(text + '\n'); }),
    tell: (text) => child.stdin.write(text + '\n'),
    stop: () => new Promise((resolve) => { child.once('exit', resolve); child.stdin.end(); }),
  };
}

async function firstAnswer(command, env) {
  const begin = process.hrtime.bigint();
  const server = start(command, env);
  await server.ask(INITIALIZE);
  const ms = Number(process.hrtime.bigint() - begin) / 1e6;
  await server.stop();
  return ms;
}

async function memoryOf(command, env) {
  const server = start(command, env);
  await server.ask(INITIALIZE);
  server.tell(INITIALIZED);
  await server.ask('{"jsonrpc":"2.0","id":1,"method":"tools/list"}');
  const rest = privateMemory(server.pid);
  for (let id = 2; id < 200; id++) {
    const answer = await server.ask(call(id));
    if (!answer.includes('"structuredContent"')) throw new Error(answer);
  }
  const used = privateMemory(server.pid);
  await server.stop();
  return { rest, used };
}

async function callRound(command, env) {
  const file = path.join(scratch, 'local-messages');
  writeFileSync(file, [INITIALIZE, INITIALIZED, call('ID')].join('\n') + '\n');
  const out = await run(1, LOAD, [file, '1', '1000', String(SECONDS * 1000), 'taskset', '-c', '0', ...command], env);
  const { calls, seconds, cpu } = JSON.parse(out);
  return { ms: (seconds / calls) * 1e3, us: (cpu / calls) * 1e6 };
}

// Graph's own time: the same request over one kept connection.
async function graphRound(url, token) {
  const out = await run(0, 'wrk', ['-t1', '-c1', `-d${SECONDS}s`, '-H', `Authorization: Bearer ${token}`, url]);
  if (/Non-2xx/.test(out)) throw new Error(`answers were not 200:\n${out}`);
  return { ms: 1e3 / Number(/Requests\/sec: *([\d.]+)/.exec(out)[1]) };
}

const cells = (xs) => `${fixed(median(xs))} (${spread(xs)})`;

async function local(tenant) {
  execFileSync('cmake', ['--build', BUILD, '--target', 'bench-stdio-load'], { stdio: ['ignore', 'ignore', 'inherit'] });
  const person = new Person({ tenants: [{ id: tenant.info.tenant.split('/').pop() }], apps: described.apps, base: tenant.info.authority });
  try {
    await person.signedIn(described.users.admin);
    const token = (await person.does('token', '--scope', 'User.Read', '--output', 'plain')).trim();
    const command = [path.join(BIN, 'mcp-valet'), 'stdio', '--consent', 'never', '--graph-url', tenant.info.graph];
    const url = `${tenant.info.graph}/v1.0/me?$select=displayName,mail,userPrincipalName`;
    const starts = [];
    for (let i = 0; i <= STARTS; i++) starts.push(await firstAnswer(command, person.env));
    starts.shift();
    const { rest, used } = await memoryOf(command, person.env);
    const rounds = await compareAll({
      graph: () => graphRound(url, token),
      call: () => callRound(command, person.env),
      kept: () => callRound([...command, '--cache-ttl', '60'], person.env),
    });
    const of = (key, what) => rounds.map((round) => round[key][what]);
    return `From starting \`mcp-valet stdio\` (through taskset) to its first answer, that of \`initialize\`: median ${fixed(median(starts))} ms (${spread(starts)}, ${STARTS} starts); goal ≤ 40 ms.

Private memory (kB, \`/proc/PID/smaps_rollup\`; "written" is Private_Dirty):

| | written | all | goal |
|---|---|---|---|
| after initialize and tools/list | ${rest.dirty} | ${rest.all} | ≤ 4,096 |
| after 200 calls of GetUserDetailsFromGraph | ${used.dirty} | ${used.all} | |

A call with the token in memory, one at a time, beside the same GET to the stand-in's Graph over a kept connection; ${ROUNDS} interleaved rounds of ${SECONDS} s, each with a new process that was warmed up for one:

| | ms, median (range) | CPU µs a call |
|---|---|---|
| Graph itself | ${cells(of('graph', 'ms'))} | |
| GetUserDetailsFromGraph | ${cells(of('call', 'ms'))} | ${cells(of('call', 'us'))} |
| **the call adds**; goal ≤ 0.2 | **${cells(rounds.map((r) => r.call.ms - r.graph.ms))}** | |
| GetUserDetailsFromGraph, the profile remembered (\`--cache-ttl 60\`) | ${cells(of('kept', 'ms'))} | ${cells(of('kept', 'us'))} |`;
  } finally {
    person.leave();
  }
}

export default { 'local-server': () => withTenant(local) };
