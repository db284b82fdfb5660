// The library's benchmark: a token of Entra's size, its key known.
import { execFileSync, spawn } from 'node:child_process';
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { fixed, median, spread } from './measure.mjs';

const BUILD = path.resolve('..', '..', 'build');
const ROUNDS = 9;
const encode = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

// The claims of a v2 access token for a person, as Entra writes them.
function claims(tid, aud) {
  const now = Math.floor(Date.now() / 1000);
  return {
    aud, iss: `https://login.microsoftonline.com/${tid}/v2.0`, iat: now - 300, nbf: now - 300, exp: now + 4500,
    acct: 0, acr: '1', aio: 'AVQAq/8TAAAAv1q'.repeat(6), amr: ['pwd', 'mfa'], azp: randomUUID(), azpacr: '1',
    family_name: 'Rahman', given_name: 'Ami', ipaddr: '203.0.113.7', name: 'আমি Rahman', oid: randomUUID(),
    preferred_username: 'ami.rahman@contoso.example', rh: '1.AXkAtGVz'.repeat(7), roles: ['Reader', 'Writer'],
    scp: 'Orders.Read Orders.Write', sid: randomUUID(), sub: 'p9cJkQ3vA3oZ9c1m0b5dLr9FQbVbVbVbVbVbVbVbVbV', tid,
    uti: 'k3Jx0aZrYUeWl1d2AAAAAA', ver: '2.0', wids: [randomUUID()], xms_ftd: 'x'.repeat(60), xms_idrel: '1 12',
  };
}

function run(args, token) {
  return new Promise((resolve, reject) => {
    const child = spawn('taskset', ['-c', '0', path.join(BUILD, 'e2e', 'bench-validate'), ...args],
      { stdio: ['pipe', 'pipe', 'inherit'] });
    let out = '';
    child.stdout.on('data', (d) => { out += d; });
    child.on('exit', (code) => code === 0 ? resolve(JSON.parse(out)) : reject(new Error(`bench-validate: ${code}`)));
    child.stdin.end(token);
  });
}

async function validate() {
  execFileSync('cmake', ['--build', BUILD, '--target', 'bench-validate'], { stdio: ['ignore', 'ignore', 'inherit'] });
  const folder = mkdtempSync(path.join(os.tmpdir(), 'valet-bench-'));
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const [tid, aud] = [randomUUID(), randomUUID()];
  const pem = path.join(folder, 'key.pem');
  writeFileSync(pem, publicKey.export({ type: 'spki', format: 'pem' }));
  const text = `${encode({ typ: 'JWT', alg: 'RS256', kid: 'MGLqj98VNLoXaFfpJCBpgB4JaKs' })}.${encode(claims(tid, aud))}`;
  const token = `${text}.${sign('sha256', Buffer.from(text), privateKey).toString('base64url')}`;
  const keys = { keys: [{ ...publicKey.export({ format: 'jwk' }), use: 'sig', kid: 'MGLqj98VNLoXaFfpJCBpgB4JaKs' }] };
  const server = http.createServer((_, answer) => answer.end(JSON.stringify(keys)));
  await new Promise((r) => server.listen(0, '127.0.0.1', r));
  try {
    const uri = `http://127.0.0.1:${server.address().port}/keys`;
    const { bytes, rounds } = await run([String(ROUNDS), '150', tid, aud, uri, pem], token);
    const ratios = rounds.map(([ours, bare]) => bare / ours);
    return `Validation of an RS256 token of ${bytes} bytes with a known key, claims included, runs at
**${fixed(median(ratios))}** of the rate of OpenSSL's bare RSA-2048 verification (${spread(ratios)} over
${ROUNDS} rounds; goal: at least 0.5): ${fixed(median(rounds.map((r) => r[0])))} µs against ${fixed(median(rounds.map((r) => r[1])))} µs of one core.`;
  } finally {
    server.close();
    rmSync(folder, { recursive: true });
  }
}

export default { validate };
