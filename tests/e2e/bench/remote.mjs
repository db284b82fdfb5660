// The figures of the remote server complete: beside haproxy, several workers,
// TLS.
import { execFileSync } from 'node:child_process';
import { createSign, generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { fixed, median, spread, startPlain } from './measure.mjs';
import { ROUNDS, SECONDS, compare, listRound, scratch, signedIn, startValet, withTenant, writeConfig } from './setup.mjs';
import { Mcp } from '../lib/client.mjs';

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

const withWorkers = async (tenant, workers, name) => {
  const valet = await startValet(writeConfig(tenant, {
    workers, store: { path: path.join(scratch, `${name}.db`) }, keys: { path: path.join(scratch, `${name}.keys`) },
  }), { cores: '0,1' });
  return { valet, side: await signedIn(valet) };
};

async function workers(tenant) {
  const one = await withWorkers(tenant, 1, 'one'), two = await withWorkers(tenant, 2, 'two');
  try {
    const rounds = await compare(() => listRound(one.valet.pid, one.side), () => listRound(two.valet.pid, two.side));
    const ratios = rounds.map((r) => r.b.us / r.a.us);
    return `Authenticated \`tools/list\`, 64 kept connections, one MCP session used on all of them; the server may use both cores, and the load generator needs one of them; ${ROUNDS} interleaved rounds of ${SECONDS} s after one to warm up:

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

export default {
  haproxy: () => withTenant(besideHaproxy),
  workers: () => withTenant(workers),
};
