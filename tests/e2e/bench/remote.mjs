// The figures of the remote server complete: beside haproxy, several workers,
// TLS.
import { execFileSync } from 'node:child_process';
import { createSign, generateKeyPairSync } from 'node:crypto';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { trust } from '../lib/browser.mjs';
import { writeCrowd } from '../lib/crowd.mjs';
import { SseMcp } from '../lib/events.mjs';
import { fixed, median, spread, startPinned, startPlain } from './measure.mjs';
import { BIN, ROUNDS, SECONDS, compare, listRound, pause, scratch, signedIn, startValet, withTenant, writeConfig } from './setup.mjs';
import { Client, Mcp } from '../lib/client.mjs';

const freePort = () => new Promise((resolve) => {
  const server = net.createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});

// --- haproxy: verifies a JWT for each request and answers a fixed text ---

function signedJwt(privateKey) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const seconds = Math.floor(Date.now() / 1000);
  const text = `${part({ alg: 'RS256', typ: 'JWT' })}.${part({
    iss: 'https://login.example/tenant/v2.0', aud: 'api', sub: 'user', scp: 'mcp.tools.read', iat: seconds, exp: seconds + 86400,
  })}`;
  return `${text}.${createSign('RSA-SHA256').update(text).sign(privateKey, 'base64url')}`;
}

async function startHaproxy(answer) {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = path.join(scratch, 'jwt.pem'), body = path.join(scratch, 'answer.json'), file = path.join(scratch, 'haproxy.cfg');
  const port = await freePort();
  writeFileSync(key, publicKey.export({ type: 'spki', format: 'pem' }));
  writeFileSync(body, answer);
  writeFileSync(file, `global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout client 60s
  timeout http-keep-alive 60s
frontend mcp
  bind 127.0.0.1:${port}
  http-request set-var(txn.bearer) http_auth_bearer
  http-request deny deny_status 401 unless { var(txn.bearer),jwt_verify("RS256","${key}") -m int 1 }
  http-request return status 200 content-type application/json file ${body}
`);
  const url = `http://127.0.0.1:${port}/mcp`;
  const haproxy = startPlain(0, 'haproxy', ['-db', '-q', '-f', file]);
  const ask = (token) => fetch(url, { method: 'POST', body: '{}', headers: { authorization: `Bearer ${token}` } });
  const token = signedJwt(privateKey);
  for (let tries = 0; ; tries++) {
    try {
      const good = await ask(token), bad = await ask(`${token.slice(0, -8)}AAAAAAAA`);
      if (good.status !== 200 || bad.status !== 401) throw new Error(`haproxy answers ${good.status} and ${bad.status}`);
      break;
    } catch (e) {
      if (tries === 50) throw e;
      await new Promise((r) => setTimeout(r, 50));
    }
  }
  return { haproxy, side: { url, token } };
}

async function besideHaproxy(tenant) {
  const valet = await startValet(writeConfig(tenant));
  const ours = await signedIn(valet);
  const answer = await Object.assign(new Mcp(ours.url, ours.token), { session: ours.session }).call('tools/list');
  const { haproxy, side } = await startHaproxy(JSON.stringify(answer));
  try {
    const rounds = await compare(() => listRound(valet.pid, ours), () => listRound(haproxy.pid, side));
    const ratios = rounds.map((r) => r.b.us / r.a.us);
    const version = /version ([\d.]+)/.exec(execFileSync('haproxy', ['-v'], { encoding: 'utf8' }))[1];
    return `Authenticated \`tools/list\` beside haproxy ${version} (one thread) that answers the same text by itself after \`jwt_verify\` RS256. Unlike work: haproxy verifies a signature for each request and knows no MCP; we look a session token up, check session and permissions, and speak MCP. 64 kept connections, ${ROUNDS} interleaved rounds of ${SECONDS} s after one to warm up:

| | CPU µs a request, median (range) |
|---|---|
| mcp-valet, one worker, audit on | ${fixed(median(rounds.map((r) => r.a.us)))} (${spread(rounds.map((r) => r.a.us))}) |
| haproxy | ${fixed(median(rounds.map((r) => r.b.us)))} (${spread(rounds.map((r) => r.b.us))}) |
| **ratio** | **${fixed(median(ratios))}** (${spread(ratios)}); goal ≥ 1.5 |`;
  } finally {
    await haproxy.stop();
    await valet.stop();
  }
}

// --- workers ---

const stateOf = (name) => ({ store: { path: path.join(scratch, `${name}.db`) }, keys: { path: path.join(scratch, `${name}.keys`) } });

// Opens a session on a connection of its own; resolves with its id.
const openOn = (agent, url, token) => new Promise((resolve, reject) => {
  const req = http.request(url, {
    method: 'POST', agent,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
  }, (answer) => {
    answer.resume();
    answer.on('end', () => resolve(answer.headers['mcp-session-id']));
  });
  req.on('error', reject);
  req.end(JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'b', version: '1' } } }));
});
const homeOf = (session) => parseInt(session.slice(-2), 16);

// Sessions on many connections at once, so on all workers.
async function openMany(count, { url, token }) {
  const agents = Array.from({ length: count }, () => new http.Agent({ keepAlive: true, maxSockets: 1 }));
  const sessions = await Promise.all(agents.map((agent) => openOn(agent, url, token)));
  for (const agent of agents) agent.destroy();
  return sessions;
}

// A session on each worker, for as much load on each.
async function startWith(tenant, workers) {
  const valet = await startValet(writeConfig(tenant, { workers, ...stateOf(`workers-${workers}`) }), { cores: '0,1' });
  const side = await signedIn(valet);
  const sessions = await openMany(20, side);
  const sides = [0, 1].map((i) => ({ ...side, session: sessions.find((id) => homeOf(id) === i % workers) }));
  if (sides.some((s) => !s.session)) throw new Error('no session on one of the workers');
  return { valet, sides };
}

async function workers(tenant) {
  const one = await startWith(tenant, 1), two = await startWith(tenant, 2);
  try {
    const rounds = await compare(() => listRound(one.valet.pid, one.sides), () => listRound(two.valet.pid, two.sides));
    const ratios = rounds.map((r) => r.b.us / r.a.us);
    return `Authenticated \`tools/list\`, 64 kept connections, half of them for each of two MCP sessions (with two workers: one session on each); the server may use both cores, and two load generators share them with it; ${ROUNDS} interleaved rounds of ${SECONDS} s after one to warm up:

| | CPU µs a request, median (range) | requests/s, median |
|---|---|---|
| one worker | ${fixed(median(rounds.map((r) => r.a.us)))} (${spread(rounds.map((r) => r.a.us))}) | ${fixed(median(rounds.map((r) => r.a.rps)))} |
| two workers | ${fixed(median(rounds.map((r) => r.b.us)))} (${spread(rounds.map((r) => r.b.us))}) | ${fixed(median(rounds.map((r) => r.b.rps)))} |
| **ratio** | **${fixed(median(ratios))}** (${spread(ratios)}); goal ≤ 1.1 | |`;
  } finally {
    await one.valet.stop();
    await two.valet.stop();
  }
}

// How evenly connections are spread when they come at once: the session that
// is opened on each names its worker.
async function balance(tenant) {
  const valet = await startValet(writeConfig(tenant, { workers: 4, ...stateOf('balance') }), { cores: '0,1' });
  try {
    const side = await signedIn(valet);
    const spreads = [];
    for (let i = 0; i < ROUNDS; i++) {
      const counts = Array(4).fill(0);
      for (const session of await openMany(200, side)) counts[homeOf(session)]++;
      spreads.push(Math.max(...counts) / Math.min(...counts));
      await pause(200);
    }
    return `200 connections at once on 4 workers, ${ROUNDS} times: the fullest worker has ${fixed(median(spreads))} times the connections of the emptiest (${spread(spreads)}).`;
  } finally {
    await valet.stop();
  }
}

// --- TLS ---

// A certificate for localhost that its own key has signed.
function makeCertificate() {
  const certificate = path.join(scratch, 'server.pem'), key = path.join(scratch, 'server.key');
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
    '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', certificate], { stdio: 'ignore' });
  chmodSync(key, 0o600);
  trust(readFileSync(certificate));
  return { tls: { certificate_file: certificate, key_file: key } };
}

// This machine's RSA-2048 verification, µs: the goal is given in units of it.
function rsaVerify() {
  const out = execFileSync('taskset', ['-c', '0', 'openssl', 'speed', '-seconds', '2', 'rsa2048'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return 1e6 / Number(/^rsa 2048 bits.* ([\d.]+)$/m.exec(out)[1]);
}

async function tls() {
  const verify = rsaVerify();
  const port = await freePort();
  const { tenant } = await startCrowded(`https://localhost:${port}`);
  const plain = await startValet(writeConfig(tenant, { workers: 1, ...stateOf('plain') }));
  const secure = await startValet(writeConfig(tenant, { workers: 1, port, ...makeCertificate(), ...stateOf('secure') }));
  try {
    const a = await signedIn(plain), b = await signedIn(secure);
    const rounds = await compare(() => listRound(plain.pid, a), () => listRound(secure.pid, b));
    const added = rounds.map((r) => r.b.us - r.a.us);
    return `Authenticated \`tools/list\` in clear and over TLS 1.3, 64 kept connections, one worker, ${ROUNDS} interleaved rounds of ${SECONDS} s after one to warm up. RSA-2048 verification takes ${fixed(verify)} µs here, so the goal is 6 µs × ${fixed(verify)} / 15.5 = ${fixed(6 * verify / 15.5)} µs:

| | CPU µs a request, median (range) |
|---|---|
| in clear | ${fixed(median(rounds.map((r) => r.a.us)))} (${spread(rounds.map((r) => r.a.us))}) |
| TLS | ${fixed(median(rounds.map((r) => r.b.us)))} (${spread(rounds.map((r) => r.b.us))}) |
| **TLS adds** | **${fixed(median(added))}** (${spread(added)}); goal ≤ ${fixed(6 * verify / 15.5)} |`;
  } finally {
    await plain.stop();
    await secure.stop();
    await tenant.stop();
  }
}

// --- idle streams ---

const STREAMS = 5000, GROUP = 100, PEOPLE = 12;
const residentKb = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);

// The stand-in with many people, for a server at this origin.
async function startCrowded(origin) {
  const file = path.join(scratch, 'people.yaml');
  const people = writeCrowd(file, PEOPLE, origin);
  const tenant = await startPinned(1, path.join(BIN, 'mcp-valet-tenant'), ['--listen', '127.0.0.1:0', '--data', file]);
  return { tenant, people };
}

// kB resident for each of 5,000 idle HTTP+SSE streams.
async function streamCost(secure) {
  const port = await freePort();
  const { tenant, people } = await startCrowded(`${secure ? 'https' : 'http'}://localhost:${port}`);
  const name = secure ? 'tls-streams' : 'streams';
  const valet = await startValet(writeConfig(tenant, { workers: 0, port, ...(secure && makeCertificate()), ...stateOf(name) }), { cores: '0,1' });
  const streams = [];
  const openGroup = async (i) => {
    const { access_token: token } = await new Client(valet.info.url).login(people[i % PEOPLE]);
    streams.push(...await Promise.all(Array.from({ length: GROUP }, () => new SseMcp(valet.info.url, token).open())));
  };
  try {
    await openGroup(0); // what is paid once
    await pause(500);
    const before = residentKb(valet.pid);
    for (let i = 1; i <= STREAMS / GROUP; i++) await openGroup(i);
    await pause(2000);
    return (residentKb(valet.pid) - before) / STREAMS;
  } finally {
    await Promise.all(streams.map((s) => s.stream.cut()));
    await valet.stop();
    await tenant.stop();
  }
}

async function streams() {
  const plain = [], secure = [];
  for (let i = 0; i < 3; i++) {
    plain.push(await streamCost(false));
    secure.push(await streamCost(true));
  }
  return `Resident memory for each idle authenticated HTTP+SSE stream, ${STREAMS} of them open (VmRSS after, less VmRSS with ${GROUP}; sessions, sign-ins and tokens included; 3 rounds):

| | kB a stream, median (range) | goal |
|---|---|---|
| in clear | ${fixed(median(plain))} (${spread(plain)}) | ≤ 4 |
| TLS 1.3 | ${fixed(median(secure))} (${spread(secure)}) | ≤ 20 |`;
}

export default {
  haproxy: () => withTenant(besideHaproxy),
  workers: () => withTenant(workers),
  balance: () => withTenant(balance),
  tls,
  streams,
};
