// Everything at once for a while: sign-ins, tool calls, refreshes, revocations,
// disconnects at random points, malformed requests; the stand-in with and
// without faults; the server killed in between, over the same store. While it
// is calm every step has to succeed; while it is not, a step may fail, but
// never with a 500. At the end nothing may be left over.
//   node soak/soak.mjs SECONDS     VALET_BIN: the programs; SOAK_SEED: repeats
//                                  the choices (not the timing)
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import net from 'node:net';
import { Browser, hangUp, request } from '../lib/browser.mjs';
import { Client, Mcp, REDIRECT } from '../lib/client.mjs';
import { approved, exchange, rawRequest, signInAt } from '../lib/attack.mjs';
import { bodies, broken, smuggling } from '../lib/malformed.mjs';
import { Bench } from '../lib/valet.mjs';

const SECONDS = Number(process.argv[2] ?? 120);
const SEED = Number(process.env.SOAK_SEED ?? Math.floor(Math.random() * 2 ** 31));
const WORKERS = 8;
const PHASE_MS = 5000; // calm and faulty ones take turns
const RESTARTS = Math.max(2, Math.min(10, Math.floor(SECONDS / 30)));
const LANES = 2; // workers of the server
const KEPT_CONNECTIONS = 8 * LANES; // that they may keep to the stand-in

const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
const say = (text) => process.stdout.write(`${text}\n`);

// mulberry32: the same choices for the same seed.
let state = SEED;
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}
const below = (n) => Math.floor(random() * n);
const pick = (list) => list[below(list.length)];

const counts = {};
const failures = [];
const count = (name) => { counts[name] = (counts[name] ?? 0) + 1; };
const fail = (what) => {
  failures.push(what);
  say(`FAILED: ${what}`);
};

Object.assign(process.env, { ASAN_OPTIONS: 'detect_leaks=1', UBSAN_OPTIONS: 'print_stacktrace=1' });
const bench = await Bench.start({
  config: {
    registration: { dynamic: true, max: 100000, per_address_per_hour: 10000 },
    clients: [{ id: 'soak', name: 'Soak', redirect_uris: [REDIRECT] }],
    tokens: { access_lifetime: '2s' },
    workers: LANES,
  },
});
const people = [bench.users.admin, bench.users.reader];
const emul = (what, body, method = 'POST') => request(`${bench.tenant.info.authority}/_emul/${what}`, {
  method, body: body && JSON.stringify(body), headers: body ? { 'content-type': 'application/json' } : {},
});

// What makes a failed step excusable: a fault, a restart, a revoked person.
let trouble = 0; // counts beginnings and ends of it
let isCalm = true;
let up = Promise.resolve();
let stopping = false;
const deadline = Date.now() + SECONDS * 1000;

// --- what workers do ---

const sessions = []; // {client, tokens, mcp}: whoever takes one owns it
const take = () => sessions.splice(below(sessions.length), 1)[0];
const keep = (session) => { if (sessions.length < 40) sessions.push(session); };

// The answer must be one of these; others are failures while it is calm.
function expect(answer, ...statuses) {
  if (answer.status === 500) fail(`500: ${answer.text.slice(0, 300)}`);
  if (!statuses.includes(answer.status)) throw new Error(`${answer.status} ${answer.text.slice(0, 300)}`);
  return answer;
}

async function signIn() {
  const client = new Client(bench.url);
  if (random() < 0.5) client.id = 'soak';
  const tokens = await client.login(pick(people), new Browser());
  const mcp = await new Mcp(client.resource, tokens.access_token).open(pick(['2025-03-26', '2025-06-18', '2025-11-25']));
  keep({ client, tokens, mcp });
}

async function withSession(work) {
  const session = take();
  if (!session) return signIn();
  return work(session);
}

// 401: the access token is too old (they live two seconds here); then, as
// clients do, a refresh. 404: the MCP session was of a killed server.
async function callTool(session) {
  for (let i = 0; i < 3; i++) {
    const answer = expect(await session.mcp.post({
      jsonrpc: '2.0', id: i, method: 'tools/call',
      params: { name: 'getUserDetails', arguments: {}, ...(random() < 0.5 ? { _meta: { progressToken: i } } : {}) },
    }), 200, 401, 404);
    if (answer.status === 401) await refresh(session, false);
    else if (answer.status === 404) await session.mcp.open();
    else return keep(session);
  }
  throw new Error('a tool call that never succeeds');
}

async function refresh(session, again = true) {
  const answer = await session.client.refresh(session.tokens.refresh_token);
  session.tokens = JSON.parse(expect(answer, 200).text);
  session.mcp.token = session.tokens.access_token;
  if (again) keep(session);
}

// An old refresh token kills the family: the new access token is dead too.
async function reuse(session) {
  const old = session.tokens.refresh_token;
  expect(await session.client.refresh(old), 200);
  expect(await session.client.refresh(old), 400);
}

async function revoke(session) {
  const token = pick([session.tokens.refresh_token, session.tokens.access_token]);
  expect(await request(`${bench.url}/revoke`, {
    method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ token, client_id: session.client.id }).toString(),
  }), 200);
  if (token === session.tokens.refresh_token)
    expect(await session.client.refresh(token), 400);
}

// Sends `bytes` or a part of them, and is gone at once, soon, or in the
// middle of the answer.
function hangUpOn(bytes) {
  return new Promise((resolve) => {
    const socket = net.connect({ port: bench.port, host: '127.0.0.1' });
    const end = () => { socket.destroy(); resolve(); };
    const part = random() < 0.5 ? bytes : bytes.subarray(0, below(bytes.length));
    socket.on('error', end);
    socket.on('close', end);
    socket.on('connect', () => socket.write(part, () => {
      const how = below(4);
      if (how === 0) end();
      else if (how === 1) socket.resetAndDestroy();
      else if (how === 2) socket.once('data', end);
      setTimeout(end, below(300));
    }));
  });
}

const head = (session, more = []) => ['Content-Type: application/json', 'Accept: application/json, text/event-stream',
  `Authorization: Bearer ${session.tokens.access_token}`, ...(session.mcp.session ? [`Mcp-Session-Id: ${session.mcp.session}`] : []), ...more];

async function leaveDuringCall(session) {
  const message = pick([
    { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'getUserDetails', arguments: {}, _meta: { progressToken: 1 } } },
    { jsonrpc: '2.0', id: 1, method: 'tools/list' },
  ]);
  const text = random() < 0.2 ? rawRequest(bench.port, { headers: head(session) }) // the stream of GET
    : rawRequest(bench.port, { method: 'POST', headers: head(session), body: JSON.stringify(message) });
  await hangUpOn(Buffer.from(text));
  keep(session);
}

// The browser is gone while we redeem Entra's code, or the client while it
// redeems ours.
async function leaveDuringSignIn() {
  const browser = new Browser();
  const held = await approved(bench, { browser, client: Object.assign(new Client(bench.url), { id: 'soak' }) });
  const callback = new URL(await signInAt(bench, held.upstream, browser, pick(people)));
  const cookie = [...browser.cookies.get('localhost') ?? []].map(([k, v]) => `${k}=${v}`).join('; ');
  await hangUpOn(Buffer.from(rawRequest(bench.port, {
    path: callback.pathname + callback.search, headers: [`Cookie: ${cookie}`],
  })));
}

async function leaveDuringToken(session) {
  const body = new URLSearchParams({ grant_type: 'refresh_token', client_id: session.client.id,
    refresh_token: session.tokens.refresh_token }).toString();
  await hangUpOn(Buffer.from(rawRequest(bench.port, {
    method: 'POST', path: '/token', headers: ['Content-Type: application/x-www-form-urlencoded'], body,
  })));
}

async function leaveDuringConsent() {
  const client = Object.assign(new Client(bench.url), { id: 'soak' });
  const url = new URL(client.authorizeUrl());
  await hangUpOn(Buffer.from(rawRequest(bench.port, { path: url.pathname + url.search })));
}

// Bytes of a good request, a few of them changed, cut out or doubled.
function mutate(text) {
  let bytes = [...Buffer.from(text, 'latin1')];
  for (let i = 1 + below(4); i > 0; i--) {
    const at = below(bytes.length);
    const how = below(3);
    if (how === 0) bytes[at] = below(256);
    else if (how === 1) bytes.splice(at, 1 + below(8));
    else bytes = [...bytes.slice(0, at), ...bytes.slice(Math.max(0, at - below(40)))];
  }
  return Buffer.from(bytes);
}

async function sendNonsense() {
  const [name, text] = pick(Object.entries({ ...smuggling, ...broken }));
  const mutated = random() < 0.5;
  const good = pick([`POST /token HTTP/1.1\r\nHost: localhost:${bench.port}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 15\r\n\r\ngrant_type=xyzw`,
    rawRequest(bench.port, { method: 'POST', headers: ['Content-Type: application/json', 'Transfer-Encoding: chunked'] }) + '5\r\n{"a":\r\n2\r\n1}\r\n0\r\n\r\n']);
  const bytes = mutated ? mutate(good) : Buffer.from(text.replaceAll('PORT', String(bench.port)), 'latin1');
  const { answers } = await exchange(bench.port, bytes, { limit: 1500, quiet: 300, end: random() < 0.5 });
  for (const { status, raw } of answers)
    if (status === 500 || (!mutated && status < 400)) fail(`${mutated ? bytes.toString('latin1') : name}: ${raw.slice(0, 300)}`);
}

async function sendNoMessage(session) {
  // An array is a message for 2025-03-26.
  const [name, body] = pick(Object.entries(bodies).filter(([n, b]) => b.length < 10000 && !n.startsWith('an array')));
  const answer = await request(session.client.resource, { method: 'POST', body,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${session.mcp.token}`, 'mcp-session-id': session.mcp.session } });
  if (answer.status === 200 && !JSON.parse(answer.text).error) fail(`${name}: ${answer.text.slice(0, 300)}`);
  expect(answer, 200, 400, 401, 404);
  keep(session);
}

async function closeSession(session) {
  expect(await request(session.client.resource, { method: 'DELETE',
    headers: { authorization: `Bearer ${session.mcp.token}`, 'mcp-session-id': session.mcp.session } }), 200, 202, 204, 401, 404);
}

const actions = Object.entries({ // how often, relative to the others
  'sign in': [3, signIn],
  'call a tool': [10, () => withSession(callTool)],
  refresh: [3, () => withSession(refresh)],
  'use a refresh token twice': [1, () => withSession(reuse)],
  revoke: [1, () => withSession(revoke)],
  'end an MCP session': [1, () => withSession(closeSession)],
  'leave during a call': [4, () => withSession(leaveDuringCall)],
  'leave during a sign-in': [2, leaveDuringSignIn],
  'leave during /token': [1, () => withSession(leaveDuringToken)],
  'leave during consent': [1, leaveDuringConsent],
  'send nonsense': [3, sendNonsense],
  'send what is no message': [2, () => withSession(sendNoMessage)],
}).flatMap(([name, [weight, run]]) => Array(weight).fill({ name, run }));

async function work() {
  while (!stopping && Date.now() < deadline) {
    await up;
    const before = trouble;
    const { name, run } = pick(actions);
    try {
      await run();
      count(name);
    } catch (error) {
      if (before === trouble && isCalm) fail(`${name}: ${error.stack}`);
      else count(`${name} (hindered)`);
    }
  }
}

// --- what happens around them ---

async function addFaults() {
  for (const where of ['discovery', 'keys', 'authorize', 'token', 'graph'])
    if (random() < 0.7)
      await emul('faults', { where, count: 1 + below(6), ...pick([
        { status: 503 }, { status: 429, retry_after: 1 }, { status: 500, delay_ms: below(400) }, { delay_ms: below(800) },
        { aadsts: pick([90033, 70000, 50173, 7000215]) }, { status: 429, retry_after: 'date:1' }]) });
}

async function setCalm(calm) {
  trouble++;
  isCalm = calm;
  if (calm) {
    await emul('faults', undefined, 'DELETE');
    // What a fault has hurt may be hurt still: those sessions go.
    sessions.length = 0;
    await sleep(1500);
    sessions.length = 0;
    trouble++;
  }
}

async function weather() {
  for (let calm = true; !stopping && Date.now() < deadline; calm = !calm) {
    if (calm) {
      await setCalm(true);
    } else {
      await setCalm(false);
      await addFaults();
      if (random() < 0.5) await emul('revoke', { user: pick(people).username });
    }
    count(calm ? 'calm phases' : 'faulty phases');
    await sleep(PHASE_MS);
  }
}

// One session that nobody disturbs: what it holds has to outlive each kill.
let anchor;
async function checkAnchor() {
  const answer = await anchor.client.refresh(anchor.tokens.refresh_token);
  if (answer.status !== 200) throw new Error(`a session did not outlive a kill: ${answer.status} ${answer.text}`);
  anchor.tokens = JSON.parse(answer.text);
  const mcp = await new Mcp(anchor.client.resource, anchor.tokens.access_token).open();
  return mcp;
}

const report = /(ERROR|WARNING): \w+Sanitizer|runtime error:|SUMMARY: \w+Sanitizer|LeakSanitizer/;
function checkStderr(program, who) {
  if (report.test(program.stderr)) fail(`${who}:\n${program.stderr.slice(-8000)}`);
}

async function restart() {
  let ready;
  trouble++;
  up = new Promise((resolve) => { ready = resolve; });
  const old = bench.server;
  if (old.child.exitCode !== null) fail(`the server ended by itself with ${old.child.exitCode}`);
  await old.stop('SIGKILL');
  checkStderr(old, 'server');
  hangUp();
  // Not while the server runs: it looks for new keys once in five minutes, and
  // the stand-in, unlike Entra, signs with a key as soon as it has it.
  if (random() < 0.5) await emul('keys/rotate');
  await bench.serve();
  count('kills and restarts');
  try {
    await checkAnchor();
  } catch (error) {
    fail(error.stack);
  }
  trouble++;
  ready();
}

async function killer() {
  for (let i = 1; i <= RESTARTS; i++) {
    await sleep(Math.max(0, deadline - SECONDS * 1000 * (1 - i / (RESTARTS + 1)) - Date.now()));
    if (stopping) return;
    await restart();
  }
}

// --- what is left at the end ---

// The server's open files by kind. Connections to the stand-in are kept for a
// while, at most so many.
function openFiles() {
  const folder = `/proc/${bench.server.pid}/fd`;
  const stand = Number(new URL(bench.tenant.info.authority).port).toString(16).toUpperCase().padStart(4, '0');
  const toStand = new Set();
  for (const table of ['tcp', 'tcp6'])
    for (const line of readFileSync(`/proc/net/${table}`, 'utf8').split('\n').slice(1)) {
      const row = line.trim().split(/\s+/);
      if (row[2]?.endsWith(`:${stand}`)) toStand.add(row[9]);
    }
  const files = { kept: 0, others: 0 };
  for (const name of readdirSync(folder)) {
    let target;
    try { target = readlinkSync(`${folder}/${name}`); } catch { continue; }
    files[toStand.has(/^socket:\[(\d+)\]$/.exec(target)?.[1]) ? 'kept' : 'others']++;
  }
  return files;
}

say(`soak: ${SECONDS} s, seed ${SEED}, server ${bench.url}`);
anchor = await bench.signedIn(bench.users.bengali);
await anchor.mcp.tool('getUserDetails');
// What a worker opens once, it has opened: each has signed somebody in.
for (let i = 0; i < 4; i++)
  await Promise.all(Array.from({ length: 16 }, async () => (await bench.signedIn(bench.users.reader)).mcp.tool('getUserDetails')));
hangUp();
await sleep(300);
const isReadable = (() => { try { openFiles(); return true; } catch { return false; } })();
const baseline = isReadable ? openFiles() : undefined;

// Server or stand-in gone without being told: nothing else is worth trying.
bench.tenant.exited.then(() => { if (!stopping) { fail('the stand-in ended'); stopping = true; } });
await Promise.all([...Array(WORKERS).fill().map(work), weather(), killer()]);
stopping = true;

await emul('faults', undefined, 'DELETE');
try {
  const result = await (await checkAnchor()).tool('getUserDetails');
  if (result.result?.isError !== false) fail(`the last call: ${JSON.stringify(result)}`);
} catch (error) {
  fail(error.stack);
}
hangUp();
if (baseline) {
  let now = openFiles();
  for (const end = Date.now() + 30000; (now.others > baseline.others || now.kept > KEPT_CONNECTIONS) && Date.now() < end;) {
    await sleep(200);
    now = openFiles();
  }
  say(`open files: ${baseline.others} at the start, ${now.others} at the end, ${now.kept} connections to the stand-in`);
  if (now.others > baseline.others) fail(`${now.others - baseline.others} files more than at the start are open`);
  if (now.kept > KEPT_CONNECTIONS) fail(`${now.kept} connections to the stand-in`);
} else {
  say('open files: not readable (that takes root)');
}
for (const [program, who] of [[bench.server, 'server'], [bench.tenant, 'stand-in']]) {
  const { code, signal } = await program.stop();
  if (code !== 0) fail(`${who}: ended with ${code ?? signal}\n${program.stderr.slice(-8000)}`);
  checkStderr(program, who);
}
// What the audit trail refused, and why. A line that a kill cut short, and the
// one behind it, count as cut.
for (const line of readFileSync(bench.auditFile, 'utf8').split('\n').filter(Boolean)) {
  let event;
  try { event = JSON.parse(line); } catch { count('audit: cut'); continue; }
  if (event.outcome === 'refused') count(`audit: ${event.event} ${event.reason}`);
}
await bench.stop();

for (const name of Object.keys(counts).sort()) say(`${String(counts[name]).padStart(8)}  ${name}`);
say(failures.length ? `soak: ${failures.length} failures (SOAK_SEED=${SEED})` : 'soak: good');
process.exitCode = failures.length ? 1 : 0;
