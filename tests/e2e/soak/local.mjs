// What a person runs at their own machine, everything at once for a while:
// local servers, gates and connectors, each of which lives for some seconds, is
// asked this and that, several things at a time, and then ends in one of many
// ways; tokens that live for seconds; servers that are killed, and faults of the
// authority. While it is calm every call has to succeed; while it is not, it may
// fail. Always: one answer for each request, whole lines of JSON on standard
// output, no secret in anything that is written, no process that hangs, and at
// the end none that is left, nor memory that grew.
//   node soak/local.mjs SECONDS    VALET_BIN: the programs; SOAK_SEED: repeats
//                                  the choices (not the timing)
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { Browser, hangUp, request } from '../lib/browser.mjs';
import { EVERYTHING } from '../lib/conformance.mjs';
import { Desk } from '../lib/desk.mjs';
import { Bench, isSanitized, Program, residentOf, VALET } from '../lib/valet.mjs';

const SECONDS = Number(process.argv[2] ?? 120);
const SEED = Number(process.env.SOAK_SEED ?? Math.floor(Math.random() * 2 ** 31));
const WORKERS = 5; // processes at a time, beside those that live on
const PHASE_MS = 6000; // calm and faulty ones take turns
const KILL_MS = 20000; // of one of the remote servers
const HANG_MS = 60000; // whatever happens, a request is answered by then
const END_MS = 15000; // and a process that shall end has ended
const GROWTH = 8192; // kB that a process may gain once it is warm
const MARK = `soak-${process.pid}-${SEED}`; // in the environment of all that is ours
// Tokens of ours and of Entra's; the stand-in's refresh tokens; client secrets.
const SECRET = /mvat_|mvrt_|mvcs_|eyJ[\w-]{16,}\.[\w-]{16,}\.|\b1\.R[\w-]{16}/;
const REPORT = /(ERROR|WARNING): \w+Sanitizer|runtime error:|SUMMARY: \w+Sanitizer/;

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
const count = (name, n = 1) => { counts[name] = (counts[name] ?? 0) + n; };
const fail = (what) => {
  failures.push(what);
  say(`FAILED: ${what}`);
};

// Freed memory is kept for long by default, which would look like a leak.
Object.assign(process.env, {
  ASAN_OPTIONS: 'detect_leaks=1:quarantine_size_mb=1:thread_local_quarantine_size_kb=64', UBSAN_OPTIONS: 'print_stacktrace=1', SOAK_MARK: MARK,
});
const bench = await Bench.start({ config: { tokens: { access_lifetime: '5s' } } });
const emul = (what, body, method = 'POST') => request(`${bench.tenant.info.authority}/_emul/${what}`, {
  method, body: body && JSON.stringify(body), headers: body ? { 'content-type': 'application/json' } : {},
});
await emul('settings', { access_token_seconds: 8 });
await emul('consent', { app: 'public', consent: 'granted' });
let open = await Program.start(EVERYTHING, ['--http', '127.0.0.1:0']); // a remote server without sign-in
const openUrl = new URL(open.info.url);

// What makes a call that failed excusable: a fault, a restart.
let trouble = 0; // counts beginnings and ends of it
let storms = 0; // under way
const isCalm = () => storms === 0;
async function storm(what, afterwards) {
  trouble++;
  storms++;
  await what();
  trouble++;
  await sleep(afterwards); // what was hurt is tried again after a while
  trouble++;
  storms--;
}
let stopping = false;
const deadline = Date.now() + SECONDS * 1000;
const isOver = () => stopping || Date.now() >= deadline;
const until = (ms) => sleep(Math.min(ms, Math.max(0, deadline - Date.now())));

// Somebody patient: the address works once, but where the page behind it does
// not come, or the next one, they go back to that and try again, until the
// program that waits for them is gone.
class PatientDesk extends Desk {
  async signIn(start) {
    count('pages opened for a sign-in');
    let page = start, hurt;
    for (let i = 0; i < 60; i++) {
      try {
        if (page === start) ({ next: page = start } = await new Browser().open(start));
        return await this.fillIn(page);
      } catch (error) {
        if (error.code === 'ECONNREFUSED' && error.port === Number(new URL(start).port)) return undefined;
        hurt = error;
        await sleep(500);
      }
    }
    return fail(`a sign-in that did not come to its end: ${hurt?.stack.slice(0, 2000)}`);
  }

  async fillIn(url) {
    const { username, password } = this.user;
    let page = await (await new Browser().open(url)).follow();
    for (let i = 0; i < 4 && page.text.includes('<form'); i++) {
      const fields = page.text.includes('name="decision"') ? { decision: 'approve' }
        : page.text.includes('name="password"') ? { username, password } : {};
      page = await (await page.submit(fields)).follow();
    }
    if (page.status !== 200) throw new Error(`${page.status} ${page.text.replace(/<style>[^]*<.style>/, '')}`);
  }
}
const desk = new PatientDesk({ user: bench.users.admin });
const whom = ['--tenant', bench.tenant.info.tenant.split('/').pop(), '--client-id', bench.set.apps.public.id,
  '--authority-host', bench.tenant.info.authority];

// --- one process and its client ---

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'soak', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};

class Local {
  static all = new Set();

  constructor(kind, isModern = random() < 0.5) {
    const { args, calls } = kinds[kind]();
    Object.assign(this, { kind, calls, isModern, name: `${kind} (${isModern ? 'modern' : 'legacy'})` });
    this.child = spawn(VALET, args, { env: { ...process.env, ...desk.env }, stdio: ['pipe', 'pipe', 'pipe'] });
    this.waiting = new Map(); // id → what to do with its answer
    this.taken = new Set(); // ids of calls that were cancelled
    this.nextId = 1;
    this.part = '';
    this.stderr = '';
    this.child.stdin.on('error', () => {});
    this.child.stdout.on('error', () => {});
    this.child.stderr.setEncoding('utf8').on('data', (text) => { this.stderr += text; });
    this.child.stdout.setEncoding('utf8').on('data', (text) => this.read(text));
    this.gone = new Promise((resolve) => { this.child.once('close', (code, signal) => resolve({ code, signal })); });
    this.gone.then(() => { this.isGone = true; for (const { give } of this.waiting.values()) give(undefined); });
    Local.all.add(this);
    count(`${kind} started`);
  }

  wrong(what) { fail(`${this.name}: ${what}\n${this.stderr.slice(-4000)}`); }

  read(text) {
    if (SECRET.test(text)) this.wrong(`a secret on standard output: ${text.slice(0, 500)}`);
    const lines = (this.part + text).split('\n');
    this.part = lines.pop();
    for (const line of lines) {
      let message;
      try { message = JSON.parse(line); } catch { this.wrong(`no line of JSON: ${line.slice(0, 300)}`); continue; }
      if (message.method !== undefined) {
        if (message.id !== undefined) this.wrong(`asks a client that cannot: ${line.slice(0, 300)}`);
        else count('notifications heard');
      } else if (this.waiting.has(message.id)) {
        const { give } = this.waiting.get(message.id);
        this.waiting.delete(message.id);
        give(message);
      } else if (!this.taken.delete(message.id)) {
        this.wrong(`an answer that nobody waits for: ${line.slice(0, 300)}`);
      }
    }
  }

  send(message) { this.child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`); }

  // Resolves with the answer, or with nothing when the process is gone first.
  ask(method, params = {}) {
    const id = this.nextId++;
    const _meta = { ...params._meta, ...(this.isModern && META) };
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.wrong(`no answer to ${method} ${JSON.stringify(params)} in ${HANG_MS} ms`), HANG_MS);
      this.waiting.set(id, { id, give: (answer) => { clearTimeout(timer); resolve(answer); } });
      if (this.isGone) this.waiting.get(id).give(undefined);
      else this.send({ id, method, params: { ...params, _meta } });
    });
  }

  // Asked for, and taken back: there is an answer, or there is none.
  takeBack() {
    const id = this.nextId++;
    this.taken.add(id);
    const { method, params } = pick(this.calls);
    this.send({ id, method, params: { ...params, _meta: this.isModern ? META : {} } });
    setTimeout(() => {
      if (!this.isGone) this.send({ method: 'notifications/cancelled', params: { requestId: id, ...(this.isModern && { _meta: META }) } });
    }, below(100));
    count('calls taken back');
  }

  // One call, judged. Whoever ends the process meanwhile says so first.
  async call({ method, params, wants } = pick(this.calls)) {
    const before = trouble, calm = isCalm();
    const answer = await this.ask(method, params);
    if (!answer) {
      if (!this.isEnding) this.wrong(`ended by itself, before an answer to ${method}`);
      return;
    }
    const text = JSON.stringify(answer);
    const good = wants === 'error' ? answer.error || answer.result?.isError : answer.result && !answer.result.isError;
    if (good) count('calls answered');
    else if (this.isEnding || !calm || before !== trouble) count('calls hindered');
    else this.wrong(`${method} ${JSON.stringify(params)}: ${text.slice(0, 600)}`);
  }

  async open() {
    if (this.isModern) return this;
    for (;;) {
      const before = trouble, calm = isCalm();
      const answer = await this.ask('initialize', { protocolVersion: pick(['2025-11-25', '2025-06-18']), capabilities: {}, clientInfo: { name: 'soak', version: '1' } });
      if (answer?.result) break;
      if (!answer) {
        if (!this.isEnding) this.wrong('ended by itself, before it was opened');
        return this;
      }
      if (calm && before === trouble) {
        this.wrong(`initialize: ${JSON.stringify(answer).slice(0, 600)}`);
        return this;
      }
      await sleep(500); // the client tries again
    }
    this.send({ method: 'notifications/initialized' });
    return this;
  }

  // What it has to have done and not done by its end.
  async ended(how) {
    const timer = setTimeout(() => { this.hangs = true; this.child.kill('SIGKILL'); }, END_MS);
    const end = await this.gone;
    clearTimeout(timer);
    Local.all.delete(this);
    count(`ended: ${how}`);
    if (this.hangs) this.wrong(`hangs after ${how}`);
    if (REPORT.test(this.stderr)) this.wrong(`sanitizer (${how})`);
    if (SECRET.test(this.stderr)) this.wrong('a secret on standard error');
    if (this.part && how !== 'kill' && how !== 'gone') this.wrong(`half a line after ${how}: ${this.part.slice(0, 300)}`);
    return end;
  }

  // The client has all its answers, and goes.
  async close() {
    this.isEnding = true;
    this.child.stdin.end();
    const { code, signal } = await this.ended('input ended');
    if (code !== 0) this.wrong(`ended with ${code ?? signal}`);
  }
}

// --- what there is, and what it is asked ---

const tool = (name, args = {}, more = {}) => ({ method: 'tools/call', params: { name, arguments: args, ...more } });
const list = (what) => ({ method: `${what}/list`, params: {} });
const progress = () => tool('test_tool_with_progress', {}, { _meta: { progressToken: `p${below(1e6)}` } });
const everything = [tool('greet', { name: 'soak' }), tool('greet', { name: 'Zoë' }), tool('test_simple_text'), progress(),
  tool('slow_compute', { seconds: 0 }), tool('slow_compute', { seconds: 1 }), tool('test_image_content'),
  { ...tool('greet', { name: 7 }), wants: 'error' }, { ...tool('no_such_tool'), wants: 'error' },
  { method: 'resources/read', params: { uri: 'test://static-text' } }, list('tools'), list('prompts'), list('resources'),
  { method: 'no/such', params: {}, wants: 'error' }];
const person = (name) => [tool(name), tool(name), tool(name), list('tools'), { ...tool('no_such_tool'), wants: 'error' }];
const local = (...more) => ['stdio', '--consent', 'never', '--timeout', '30', ...whom, '--cache-file', desk.cache, ...more];
const connect = (url, ...more) => ['connect', String(url), ...more];

const kinds = {
  'connector with sign-in': () => ({
    args: connect(`${bench.url}/mcp`, ...(random() < 0.1 ? ['--no-cache'] : ['--cache-file', desk.cache])),
    calls: person('getUserDetails'),
  }),
  connector: () => ({ args: connect(new URL(pick(['/mcp', '/mcp', '/sse']), openUrl), '--no-cache'), calls: everything }),
  'local server': () => ({ args: local('--cache-ttl', pick(['0', '60'])), calls: person('GetUserDetailsFromGraph') }),
  gate: () => ({ args: local(...(random() < 0.5 ? ['--scope', 'User.Read'] : []), '--', EVERYTHING), calls: everything }),
};

const childrenOf = (pid) => { try { return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number); } catch { return []; } };
const ways = { // how often, and how a client or its server ends
  'input ended': [4, (one) => one.child.stdin.end()],
  term: [2, (one) => one.child.kill('SIGTERM')],
  kill: [3, (one) => one.child.kill('SIGKILL')],
  gone: [2, (one) => { one.child.stdin.destroy(); one.child.stdout.destroy(); }],
  deaf: [1, (one) => { one.child.stdout.destroy(); one.send({ id: 'more', method: 'ping' }); setTimeout(() => one.child.stdin.end(), 300); }],
  'server killed': [2, (one) => {
    for (const pid of one.kind === 'gate' ? childrenOf(one.child.pid) : []) try { process.kill(pid, 'SIGKILL'); } catch { /* gone */ }
    setTimeout(() => one.child.stdin.end(), 100);
  }],
};
const wayList = Object.entries(ways).flatMap(([name, [weight]]) => Array(weight).fill(name));

async function live() {
  const one = new Local(pick(Object.keys(kinds)));
  const opening = one.open();
  const calls = new Set();
  const isGentle = random() < 0.4; // goes when it has all its answers
  const end = Math.min(Date.now() + below(5000), deadline);
  const at = Date.now() + below(700); // some end before they are open
  if (isGentle || random() < 0.8) await opening;
  else await Promise.race([opening, sleep(at - Date.now())]);
  while (Date.now() < end && !one.isGone) {
    if (random() < 0.1) one.takeBack();
    const call = one.call().finally(() => calls.delete(call));
    calls.add(call);
    if (calls.size >= 4) await Promise.race(calls);
    await sleep(below(150));
  }
  if (isGentle) {
    await Promise.all(calls);
    if (!one.isGone) return one.close();
  }
  const how = pick(wayList);
  one.isEnding = true;
  ways[how][1](one);
  await one.ended(how);
  return undefined;
}

async function work() {
  while (!isOver()) await live();
}

// Those that live on: what one of them holds has to stay what it was.
const anchors = [];
async function stay(one) {
  while (!isOver()) {
    await one.call();
    await sleep(100 + below(200));
  }
}

// --- what happens around them ---

async function addFaults() {
  for (const where of ['discovery', 'keys', 'authorize', 'token', 'graph'])
    if (random() < 0.5)
      await emul('faults', { where, count: 1 + below(4), ...pick([{ status: 503 }, { status: 429, retry_after: 1 },
        { status: 500, delay_ms: below(400) }, { delay_ms: below(800) }, { aadsts: pick([90033, 70000, 50173]) }]) });
}

async function weather() {
  for (;;) {
    await until(PHASE_MS + below(PHASE_MS));
    if (isOver()) return;
    await storm(async () => {
      await addFaults();
      if (random() < 0.3) await emul('revoke', { user: bench.users.admin.username });
      await sleep(PHASE_MS / 2);
      await emul('faults', undefined, 'DELETE');
    }, 3000);
    count('faulty phases');
  }
}

function checkServer(program, who) {
  if (REPORT.test(program.stderr)) fail(`${who}:\n${program.stderr.slice(-8000)}`);
  if (SECRET.test(program.stderr + program.stdout)) fail(`a secret in what ${who} wrote`);
}

async function endAndStart(how) {
  if (random() < 0.5) {
    const old = bench.server;
    await old.stop(how);
    hangUp();
    checkServer(old, 'the remote server');
    await sleep(below(1000));
    await bench.serve();
  } else {
    await open.stop(how);
    checkServer(open, 'the open server');
    await sleep(below(1000));
    open = await Program.start(EVERYTHING, ['--http', `127.0.0.1:${openUrl.port}`]);
  }
}

async function killer() {
  for (;;) {
    await until(KILL_MS / 2 + below(KILL_MS));
    if (isOver()) return;
    await storm(() => endAndStart(pick(['SIGKILL', 'SIGTERM'])), 2000);
    count('remote servers ended and started');
  }
}

// --- the run ---

const sizes = () => anchors.map((one) => [one.kind, residentOf(one.child.pid), readdirSync(`/proc/${one.child.pid}/fd`).length]);
const oursLeft = () => readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && Number(pid) !== process.pid).filter((pid) => {
  try { return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(MARK) && !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')); } catch { return false; }
});

say(`soak (local): ${SECONDS} s, seed ${SEED}`);
for (const kind of Object.keys(kinds)) {
  const one = await new Local(kind, kind === 'connector').open();
  anchors.push(one);
  await one.call(one.calls[0]);
}
let warm;
const warming = sleep(Math.max(10, SECONDS / 3) * 1000).then(() => { warm = sizes(); });
await Promise.all([...Array(WORKERS).fill().map(work), ...anchors.map(stay), weather(), killer(), warming]);
stopping = true;

for (const one of anchors) await one.call(one.calls[0]);
const end = sizes();
for (const [i, [kind, size, files]] of end.entries()) {
  say(`${kind}: ${warm[i][1]} kB and ${warm[i][2]} files when warm, ${size} kB and ${files} files at the end`);
  if (size - warm[i][1] > GROWTH) fail(`${kind}: ${size - warm[i][1]} kB more`);
  if (files > warm[i][2] + 4) fail(`${kind}: ${files - warm[i][2]} files more`);
}
if (!isSanitized(anchors[0].child.pid)) say('(without a sanitizer)');
for (const one of anchors) {
  if (one.waiting.size) one.wrong(`${one.waiting.size} requests without an answer`);
  await one.close();
}
if (Local.all.size) fail(`${Local.all.size} processes have not ended`);
for (const [program, who] of [[bench.server, 'the remote server'], [open, 'the open server'], [bench.tenant, 'the stand-in']]) {
  const { code, signal } = await program.stop();
  if (code !== 0) fail(`${who}: ended with ${code ?? signal}\n${program.stderr.slice(-8000)}`);
  checkServer(program, who);
}
for (const until = Date.now() + 10000; oursLeft().length && Date.now() < until;) await sleep(100);
for (const pid of oursLeft()) fail(`left over: ${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ')}`);
count('refresh tokens redeemed', (await bench.audit()).filter(({ event, outcome }) => event === 'token.refresh' && outcome !== 'refused').length);
desk.stop();
await bench.stop();

for (const name of Object.keys(counts).sort()) say(`${String(counts[name]).padStart(8)}  ${name}`);
say(failures.length ? `soak (local): ${failures.length} failures (SOAK_SEED=${SEED})` : 'soak (local): good');
process.exitCode = failures.length ? 1 : 0;
