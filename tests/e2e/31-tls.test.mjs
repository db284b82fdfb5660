// TLS in the process, and proxies before it: what clients get over it, what
// the configuration takes, whose address counts.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { after, before, describe, test } from 'node:test';
import { ask, exchange, fields, freePort, rawRequest, ROOMY } from './lib/attack.mjs';
import { request } from './lib/browser.mjs';
import { s256 } from './lib/client.mjs';
import { Bench, runToEnd, VALET } from './lib/valet.mjs';

let folder, ca;
const at = (name) => path.join(folder, name);
const openssl = (...args) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe', encoding: 'utf8' });
const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

// A certificate of the test's own authority, with the names a server may have.
function issue(name, { days = 2 } = {}) {
  openssl('req', ...EC, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`,
    '-addext', 'subjectAltName=DNS:localhost,DNS:mcp.example.com,IP:127.0.0.1');
  openssl('x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-days', String(days),
    '-copy_extensions', 'copy', '-out', `${name}.pem`);
  chmodSync(at(`${name}.key`), 0o600);
  return { certificate_file: at(`${name}.pem`), key_file: at(`${name}.key`) };
}

before(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'valet-tls-'));
  openssl('req', '-x509', ...EC, '-subj', '/CN=test authority', '-days', '2', '-keyout', 'ca.key', '-out', 'ca.pem');
  ca = readFileSync(at('ca.pem'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

// A handshake: the socket, or the error.
function shake(port, options = {}) {
  return new Promise((resolve) => {
    const socket = tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca, ...options });
    socket.setTimeout(10000, () => socket.destroy(new Error('time-out')));
    socket.once('secureConnect', () => resolve({ socket }));
    socket.once('error', (error) => resolve({ error }));
  });
}

async function shaken(port, options, see) {
  const { socket, error } = await shake(port, options);
  assert.ok(socket, String(error));
  const seen = see(socket);
  socket.destroy();
  return seen;
}

const nameAt = (port) => shaken(port, {}, (socket) => socket.getPeerCertificate().subject.CN);

// One answer on a socket that stays open.
const answerOn = (socket, text) => new Promise((resolve, reject) => {
  let got = '';
  const take = (chunk) => {
    got += chunk;
    const end = got.indexOf('\r\n\r\n');
    const size = Number(/content-length: (\d+)/i.exec(got)?.[1] ?? 0);
    if (end < 0 || got.length < end + 4 + size) return;
    socket.off('data', take);
    resolve(got);
  };
  socket.on('data', take).once('close', () => reject(new Error(`closed after ${got}`)));
  socket.write(text);
});

describe('over TLS', () => {
  let bench;
  before(async () => {
    // An https redirect URI is registered with its port.
    const port = await freePort();
    const set = readFileSync(path.resolve(import.meta.dirname, '../../src/apps/tenant/assets/default.yaml'), 'utf8');
    writeFileSync(at('set.yaml'), set.replace('http://localhost:3001/auth', `https://localhost:${port}/auth`));
    bench = await Bench.start({ config: { ...ROOMY, listen: `127.0.0.1:${port}`, tls: issue('first') }, tenantArgs: ['--data', at('set.yaml')] });
  });
  after(() => bench.stop());

  // @spec S-96 S-73
  for (const transport of ['streamable', 'sse']) test(`the SDK client signs in and calls a tool over ${transport}, trusting a private authority`, () => {
    assert.match(bench.url, /^https:\/\/localhost:\d+$/);
    const user = bench.users.admin;
    const script = path.join(import.meta.dirname, 'lib/sdk-over-tls.mjs');
    const out = execFileSync(process.execPath, [script, bench.url, user.username, user.password, transport],
      { encoding: 'utf8', timeout: 60000, env: { ...process.env, NODE_EXTRA_CA_CERTS: at('ca.pem') } });
    assert.equal(JSON.parse(out).structuredContent.displayName, user.display_name);
  });

  // @spec SB-04 W-21
  test('every URL that is handed out is https, and cookies are Secure and __Host-', async () => {
    const { text } = await request(`${bench.url}/.well-known/oauth-authorization-server`, { ca });
    for (const [url] of text.matchAll(/https?:[^"]+/g)) assert.ok(url.startsWith(bench.url), url);
    const made = await request(`${bench.url}/register`, {
      method: 'POST', ca, headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ client_name: 'x', redirect_uris: ['https://app.example/cb'] }),
    });
    const page = await request(`${bench.url}/authorize?response_type=code&client_id=${JSON.parse(made.text).client_id}` +
      `&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&code_challenge=${s256('x')}&code_challenge_method=S256`, { ca });
    assert.equal(page.status, 200, page.text);
    for (const cookie of page.headers['set-cookie']) assert.match(cookie, /^__Host-.*; Secure$/);
    assert.equal(page.headers['strict-transport-security'], undefined, 'not for localhost');
  });

  // @spec S-96
  test('TLS 1.2 and 1.3 are spoken, with http/1.1 alone, and nothing in the clear', async () => {
    for (const version of ['TLSv1.2', 'TLSv1.3'])
      assert.equal(await shaken(bench.port, { minVersion: version, maxVersion: version }, (s) => s.getProtocol()), version);
    const old = await shake(bench.port, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' });
    assert.match(String(old.error), /protocol version/i);
    assert.equal(await shaken(bench.port, { ALPNProtocols: ['h2', 'http/1.1'] }, (s) => s.alpnProtocol), 'http/1.1');
    const other = await shake(bench.port, { ALPNProtocols: ['h2'] });
    assert.match(String(other.error), /no application protocol/i);
    const clear = await exchange(bench.port, rawRequest(bench.port));
    assert.ok(clear.closed);
    assert.doesNotMatch(clear.text, /HTTP/);
  });

  test('a session is resumed by its ticket', async () => {
    const session = await new Promise((resolve, reject) => {
      const socket = tls.connect({ port: bench.port, host: '127.0.0.1', servername: 'localhost', ca });
      socket.once('session', (ticket) => { resolve(ticket); socket.destroy(); }).once('error', reject);
      socket.write(rawRequest(bench.port, { path: '/' }));
    });
    assert.equal(await shaken(bench.port, { session }, (s) => s.isSessionReused()), true);
  });
});

test('SIGHUP takes a new certificate, keeps the old one if the new is bad, and drops nobody', async () => {
  const first = issue('old'), second = issue('new'), files = issue('used');
  copyFileSync(first.certificate_file, files.certificate_file);
  copyFileSync(first.key_file, files.key_file);
  const bench = await Bench.start({ config: { tls: files } });
  const hangUp = async (says) => {
    const from = bench.server.stderr.length;
    bench.server.child.kill('SIGHUP');
    for (let i = 0; !says.test(bench.server.stderr.slice(from)); i++) {
      assert.ok(i < 100, bench.server.stderr);
      await new Promise((r) => { setTimeout(r, 20); });
    }
  };
  try {
    assert.equal(await nameAt(bench.port), 'old');
    const { socket } = await shake(bench.port);
    await answerOn(socket, rawRequest(bench.port, { path: '/' }));
    copyFileSync(second.certificate_file, files.certificate_file);
    await hangUp(/certificate stays as it was: .*the key is not that of the certificate/);
    assert.equal(await nameAt(bench.port), 'old');
    copyFileSync(second.key_file, files.key_file);
    await hangUp(/read certificate and key again/);
    assert.equal(await nameAt(bench.port), 'new');
    assert.match(await answerOn(socket, rawRequest(bench.port, { path: '/' })), /^HTTP\/1\.1 200/);
    assert.equal(socket.getPeerCertificate().subject.CN, 'old');
    socket.destroy();
    // As certbot has it: links, which a renewal lets point elsewhere.
    for (const name of ['certificate_file', 'key_file']) {
      rmSync(files[name]);
      symlinkSync(first[name], files[name]);
    }
    await hangUp(/read certificate and key again/);
    assert.equal(await nameAt(bench.port), 'old');
  } finally {
    await bench.stop();
  }
});

// @spec S-96
test('browsers are told to come over https alone, on every answer of a public name', async () => {
  const bench = await Bench.start({
    config: { tls: issue('public'), public_url: 'https://mcp.example.com', allowed_origins: ['https://app.example.com'] },
  });
  const port = portOf(bench);
  const over = async (options) => {
    const { socket, error } = await shake(port, { servername: 'mcp.example.com' });
    assert.ok(socket, String(error));
    const answer = await answerOn(socket, rawRequest(port, { host: 'mcp.example.com', ...options }));
    socket.destroy();
    return { raw: answer };
  };
  try {
    for (const options of [{ path: '/' }, { path: '/nowhere' }, { host: 'evil.example' },
      // All that an answer can carry: CORS, correlation id, this.
      { headers: ['Origin: https://app.example.com', 'Authorization: Bearer nonsense', 'X-Correlation-Id: abc-123'] }])
      assert.deepEqual(fields(await over(options), 'strict-transport-security'), ['max-age=31536000'], JSON.stringify(options));
  } finally {
    await bench.stop();
  }
});

// Where the ready line names the public URL the port is the one in /proc.
function portOf(bench) {
  const inodes = execFileSync('ls', ['-l', `/proc/${bench.server.pid}/fd`], { encoding: 'utf8' });
  const lines = readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1).map((l) => l.trim().split(/\s+/))
    .filter((c) => c[3] === '0A' && inodes.includes(`socket:[${c[9]}]`));
  assert.equal(lines.length, 1);
  return parseInt(lines[0][1].split(':')[1], 16);
}

describe('the configuration', () => {
  const run = (command, settings, env = {}) => {
    writeFileSync(at('secret'), 'made-up-secret\n', { mode: 0o600 });
    writeFileSync(at('valet.yaml'), JSON.stringify({
      entra: { tenant_id: 'contoso.example', client_id: '91d4c6a7-58e2-4f3b-8a0c-b7e5f2143d96', client_secret_file: at('secret') },
      ...settings,
    }, null, 1));
    return runToEnd(VALET, [command, '--config', at('valet.yaml')], { env });
  };
  const refused = async (says, settings, env) => {
    for (const command of ['check', 'serve']) {
      const end = await run(command, settings, env);
      assert.equal(end.code, 2, end.stderr);
      assert.match(end.stderr, says);
      assert.equal(end.stdout, '');
    }
  };
  let good;
  before(() => { good = issue('good'); });

  // @spec S-96 W-21
  test('refuses an address for others without TLS or a proxy, and says what to write', async () => {
    for (const host of ['0.0.0.0', '[::]', '192.0.2.1'])
      await refused(/listen must be a loopback.*clear text; write localhost:3001, or tls with .* or trusted_proxies/, { listen: `${host}:3001` });
    await refused(/public_url is missing.*write public_url: https/, { listen: '0.0.0.0:0', tls: good });
    await refused(/public_url begins with http.*write https/, { public_url: 'http://localhost:3001', tls: good });
    await refused(/trusted_proxies must not name everybody/, { trusted_proxies: ['0.0.0.0/0'] });
  });

  test('refuses certificates and keys that are no good', async () => {
    await refused(/write key_file: PATH too/, { tls: { certificate_file: good.certificate_file } });
    await refused(/other\.key: the key is not that of the certificate/, { tls: { ...good, key_file: issue('other').key_file } });
    chmodSync(good.key_file, 0o644);
    await refused(/good\.key.*(group|others|chmod|rights)/i, { tls: good });
    chmodSync(good.key_file, 0o600);
    openssl('ec', '-in', 'good.key', '-aes256', '-passout', 'pass:sesame', '-out', 'locked.key');
    chmodSync(at('locked.key'), 0o600);
    await refused(/locked\.key: the key has a passphrase/, { tls: { ...good, key_file: at('locked.key') } });
    await refused(/secret: there is no certificate in it/, { tls: { ...good, certificate_file: at('secret') } });
    await refused(/nowhere\.pem: No such file/, { tls: { ...good, certificate_file: at('nowhere.pem') } });
    await refused(/secret: there is no certificate in it/, { outbound: { ca_file: at('secret') } });
    writeFileSync(at('half.pem'), Buffer.concat([ca, ca.subarray(0, 200)]));
    await refused(/outbound\.ca_file: .*half\.pem: a certificate in it is broken/, { outbound: { ca_file: at('half.pem') } });
    await refused(/outbound\.ca_file: CURL_CA_BUNDLE: .*half\.pem: a certificate in it is broken/,
      { outbound: { ca_file: at('ca.pem') } }, { CURL_CA_BUNDLE: at('half.pem') });
  });

  test('warns of a certificate that clients will refuse', async () => {
    const warnings = async (settings) => {
      const { code, stderr } = await run('check', settings);
      assert.equal(code, 0, stderr);
      return stderr;
    };
    const old = issue('stale', { days: -1 });
    for (const url of ['https://mcp.example.com', 'https://localhost:8443', 'https://127.0.0.1:8443'])
      assert.equal(await warnings({ public_url: url, tls: good }), '');
    assert.equal(await warnings({ listen: 'localhost:0', tls: good }), '');
    for (const [url, host] of [['https://other.example', 'other\\.example'], ['https://[::1]:8443', '::1']])
      assert.match(await warnings({ public_url: url, tls: good }), new RegExp(`warning: the certificate in .*good\\.pem is not for ${host}, the host of public_url`));
    assert.match(await warnings({ tls: old }), /warning: the certificate in .*stale\.pem has expired/);
    const bench = await Bench.start({ config: { listen: '127.0.0.1:0', public_url: 'https://other.example', tls: old } });
    try {
      await bench.server.says(/warn.*stale\.pem is not for other\.example/);
      await bench.server.says(/warn.*stale\.pem has expired/);
      await bench.audit((l) => l.event === 'config.warn');
      assert.equal((await bench.audit()).filter((l) => l.event === 'config.warn').length, 2);
    } finally {
      await bench.stop();
    }
  });

  test('takes TLS for others, and a proxy without it', async () => {
    for (const settings of [
      { listen: '0.0.0.0:8443', public_url: 'https://mcp.example.com', tls: good, outbound: { ca_file: at('ca.pem') } },
      { listen: '[::]:8080', public_url: 'https://mcp.example.com', trusted_proxies: ['10.0.0.0/8', '2001:db8::1'] }]) {
      const { code, stderr } = await run('check', settings);
      assert.equal(code, 0, stderr);
    }
  });
});

describe('behind a proxy', () => {
  const register = (port, headers) => ask(port, {
    method: 'POST', path: '/register', headers: ['Content-Type: application/json', ...headers],
    body: JSON.stringify({ client_name: 'x', redirect_uris: ['https://app.example/cb'] }),
  });
  const config = { registration: { dynamic: true, per_address_per_hour: 1 } };

  // @spec S-64
  test('the client is whom the proxy names: in limits and in the audit trail', async () => {
    const bench = await Bench.start({ config: { ...config, trusted_proxies: ['127.0.0.1'] } });
    try {
      const from = (address) => register(bench.port, [`X-Forwarded-For: 198.51.100.66, ${address}`]);
      assert.equal((await from('203.0.113.1')).status, 201);
      assert.equal((await from('203.0.113.1')).status, 429);
      assert.equal((await from('203.0.113.2')).status, 201);
      assert.equal((await register(bench.port, ['Forwarded: for="[2001:db8::7]:99";proto=https'])).status, 201);
      assert.equal((await register(bench.port, ['X-Forwarded-For: ", 203.0.113.3'])).status, 201);
      const peers = (await bench.audit((l) => l.event === 'client.register' && l.peer === '203.0.113.3'),
        await bench.audit()).filter((l) => l.event === 'client.register').map((l) => l.peer);
      assert.deepEqual(new Set(peers), new Set(['203.0.113.1', '203.0.113.2', '203.0.113.3', '2001:db8::7']));
      const two = await register(bench.port, ['X-Forwarded-For: 203.0.113.1', 'Forwarded: for=203.0.113.9']);
      assert.equal(two.status, 400);
      await bench.audit((l) => l.event === 'request.reject' && l.reason === 'forwarded_twice' && l.peer === '127.0.0.1');
    } finally {
      await bench.stop();
    }
  });

  // @spec S-64
  test('nobody else is believed', async () => {
    const bench = await Bench.start({ config: { ...config, trusted_proxies: ['10.0.0.0/8'] } });
    try {
      assert.equal((await register(bench.port, ['X-Forwarded-For: 203.0.113.1'])).status, 201);
      assert.equal((await register(bench.port, ['X-Forwarded-For: 203.0.113.2'])).status, 429);
      await bench.audit((l) => l.event === 'client.register' && l.peer === '127.0.0.1');
    } finally {
      await bench.stop();
    }
  });

  // @spec S-96
  test('in the clear nobody but the proxy and this machine gets in', async (t) => {
    const own = Object.values(os.networkInterfaces()).flat().find((i) => i.family === 'IPv4' && !i.internal);
    if (!own) return t.skip('this machine is on no network');
    const port = await freePort();
    const bench = await Bench.start({
      config: { ...config, listen: `0.0.0.0:${port}`, public_url: 'https://mcp.example.com', trusted_proxies: ['198.51.100.0/24'] },
    });
    const connect = (localAddress, host) => new Promise((resolve) => {
      let got = '';
      const socket = net.connect({ port, host, localAddress });
      socket.on('data', (d) => { got += d; }).on('error', () => {}).on('close', () => resolve(got));
      socket.write(rawRequest(port, { path: '/', host: 'mcp.example.com', headers: ['Connection: close'] }));
    });
    try {
      assert.match(await connect('127.0.0.1', '127.0.0.1'), /^HTTP\/1\.1 200 /);
      assert.match(await connect('127.0.0.1', own.address), /^HTTP\/1\.1 200 /);
      assert.match(await connect(own.address, own.address), /^HTTP\/1\.1 200 /);
      // To the server this one is of the network: no loopback, nor the address it asks.
      assert.doesNotMatch(await connect(own.address, '127.0.0.1'), /200/);
      await bench.audit((l) => l.event === 'request.reject' && l.reason === 'not_a_proxy' && l.peer === own.address && l.outcome === 'refused');
    } finally {
      await bench.stop();
    }
  });
});

test('--dev stays on this machine', async () => {
  const end = await runToEnd(VALET, ['serve', '--dev', '--listen', '0.0.0.0:0']);
  assert.equal(end.code, 2);
  assert.match(end.stderr, /loopback/);
});
