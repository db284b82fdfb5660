// The token library against msal-node, with one cache: in a program, and as a
// program.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Browser } from '../lib/browser.mjs';
import { CacheShell } from '../lib/cache-shell.mjs';
import { ClientShell } from '../lib/client-shell.mjs';
import { StandIn } from '../lib/standin.mjs';
import { Bus, startKeyring } from '../lib/bus.mjs';
import { fixed, median, spread } from './measure.mjs';
import { BIN, scratch } from './setup.mjs';

const ROUNDS = 7, RUNS = 10, SCOPE = 'User.Read';
const version = (name) => JSON.parse(readFileSync(path.join('node_modules', name, 'package.json'))).version;

// Somebody has signed in: their cache encrypted, as ours, and as a document.
async function withCache(use) {
  const standIn = await StandIn.start(['--https-listen', 'localhost:0']);
  const { ca } = standIn.program.info;
  const folder = mkdtempSync(path.join(scratch, 'acquire-'));
  const shell = ClientShell.start(), caches = CacheShell.start();
  const at = { client: standIn.apps.public.id, tenant: standIn.tenants[0].id, host: standIn.base, ca,
    file: path.join(folder, 'cache'), document: path.join(folder, 'document.json'), shell, standIn };
  try {
    await standIn.emul('settings', { device_interval: 1 });
    await signIn(at, { cache: 'file', cache_file: at.file });
    await caches.must('load', { path: at.file });
    writeFileSync(at.document, (await caches.must('write')).document, { mode: 0o600 });
    return await use(at);
  } finally {
    await shell.stop();
    await caches.stop();
    await standIn.stop();
  }
}

async function signIn({ shell, client, tenant, host, ca, standIn }, cache) {
  const user = standIn.users.admin;
  const signing = await shell.client({ kind: 'public', client_id: client, tenant, authority_host: host, ca_file: ca, ...cache });
  await signing.must({ flow: 'sign_in', scopes: [SCOPE], methods: 4 }, { tell: async ({ url, user_code }) => {
    const page = await (await new Browser().open(url)).follow();
    const form = await page.submit({ otc: user_code });
    await (await form.submit({ username: user.username, password: user.password })).submit({ choice: 'continue' });
  } });
  await signing.free();
}

// A program on core 0 that measures itself for so many milliseconds a line.
function measurer(command, args, env = {}) {
  const child = spawn('taskset', ['-c', '0', command, ...args],
    { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async measure(ms) {
      child.stdin.write(`${ms}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error(`${command} has ended`);
      return JSON.parse(value).us;
    },
    stop: () => child.stdin.end(),
  };
}

const msalArgs = ({ client, tenant, host, document }) =>
  [client, `${host}/${tenant}`, new URL(host).host, document, SCOPE];

function acquire() {
  execFileSync('cmake', ['--build', path.join(BIN, '..'), '--target', 'bench-acquire'], { stdio: ['ignore', 'ignore', 'inherit'] });
  return withCache(async (at) => {
    const ours = measurer(path.join(BIN, '..', 'e2e', 'bench-acquire'),
      [at.client, at.tenant, at.host, at.ca, at.file, SCOPE]);
    const theirs = measurer(process.execPath, [path.join('bench', 'msal-acquire.mjs'), ...msalArgs(at)],
      { NODE_EXTRA_CA_CERTS: at.ca });
    const rounds = [];
    try {
      for (const one of [ours, theirs]) await one.measure(1000); // warm
      for (let i = 0; i < ROUNDS; i++) rounds.push([await ours.measure(300), await theirs.measure(1000)]);
    } finally {
      ours.stop();
      theirs.stop();
    }
    const ratios = rounds.map(([a, b]) => b / a);
    return `A token that is in the cache, asked for again and again in one program, CPU of the process for one call
(msal-node ${version('@azure/msal-node')}, Node ${process.version}: \`acquireTokenSilent\`, its cache in memory; both caches hold
the same entries; ${ROUNDS} interleaved rounds after one to warm up):

| | µs a call, median (range) |
|---|---|
| \`valet_acquire\` | ${fixed(median(rounds.map((r) => r[0])))} (${spread(rounds.map((r) => r[0]))}) |
| msal-node | ${fixed(median(rounds.map((r) => r[1])))} (${spread(rounds.map((r) => r[1]))}) |
| **ratio** | **${fixed(median(ratios))}** (${spread(ratios)}); goal ≥ 50 |`;
  });
}

// Seconds of CPU and of the clock that a command takes, each RUNS times.
function timed(command, args, env = {}) {
  const script = `TIMEFORMAT='%U %S %R'; time (for i in {1..${RUNS}}; do taskset -c 0 "$@" >/dev/null || exit 1; done)`;
  const said = execFileSync('bash', ['-c', `{ ${script}; } 2>&1`, 'bash', command, ...args],
    { env: { ...process.env, ...env }, encoding: 'utf8' });
  const [user, system, real] = said.trim().split('\n').pop().split(' ').map(Number);
  if (!(real > 0)) throw new Error(said);
  return { cpu: (user + system) * 1000 / RUNS, wall: real * 1000 / RUNS };
}

function token() {
  return withCache(async (at) => {
    const whom = ['--tenant', at.tenant, '--client-id', at.client, '--authority-host', at.host, '--ca-file', at.ca];
    // Another bundle of roots, which some machines have, would be read beside the stand-in's.
    const env = { HOME: scratch, XDG_CONFIG_HOME: '', CURL_CA_BUNDLE: '', SSL_CERT_FILE: '' };
    const valet = (place, more = {}) =>
      timed(path.join(BIN, 'mcp-valet'), ['token', '--scope', SCOPE, ...whom, ...place], { ...env, ...more });
    const msal = () => timed(process.execPath, [path.join('bench', 'msal-token.mjs'), ...msalArgs(at)],
      { NODE_EXTRA_CA_CERTS: at.ca });
    const rounds = [];
    for (let i = -1; i < ROUNDS; i++) {
      const round = [valet(['--cache-file', at.file]), msal()];
      if (i >= 0) rounds.push(round);
    }
    const kept = await bySecretService(at, (more) => valet([], more));
    const row = (name, of) => `| ${name} | ${fixed(median(of.map((r) => r.cpu)))} (${spread(of.map((r) => r.cpu))}) | ${fixed(median(of.map((r) => r.wall)))} (${spread(of.map((r) => r.wall))}) |`;
    const ratios = (what) => rounds.map(([a, b]) => b[what] / a[what]);
    const ratio = (what) => `**${fixed(median(ratios(what)))}** (${spread(ratios(what))})`;
    return `One token from a warm cache, as a program: \`mcp-valet token\` with its encrypted file, and a script of 20 lines with
msal-node ${version('@azure/msal-node')} (Node ${process.version}) and a plain file; ${ROUNDS} interleaved rounds of ${RUNS} runs after one to
warm up; milliseconds of one run:

| | CPU, median (range) | clock, median (range) |
|---|---|---|
${row('`mcp-valet token`, encrypted file', rounds.map((r) => r[0]))}
${row('msal-node, plain file', rounds.map((r) => r[1]))}
| **ratio**; goal ≥ 10 | ${ratio('cpu')} | ${ratio('wall')} |
${row('`mcp-valet token`, Secret Service (GNOME Keyring)', kept)}`;
  });
}

async function bySecretService(at, run) {
  const bus = await Bus.start(scratch);
  try {
    await startKeyring(bus, scratch);
    const env = { ...bus.env, HOME: scratch, XDG_DATA_HOME: scratch, XDG_STATE_HOME: scratch };
    const shell = ClientShell.start(env);
    await signIn({ ...at, shell }, { cache: 'secret_service' });
    await shell.stop();
    return Array.from({ length: ROUNDS }, () => run(env));
  } finally {
    await bus.stop();
  }
}

export default { acquire, token };
