// The stand-in's https listener and the authority it makes for itself.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, statSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { X509Certificate } from 'node:crypto';
import { describe, test } from 'node:test';
import { Browser, request, trust } from './lib/browser.mjs';
import { answerOf, StandIn } from './lib/standin.mjs';
import { Bench, Program, runToEnd, TENANT } from './lib/valet.mjs';

const FREE = '127.0.0.1:0';

async function start(t, args, options) {
  const program = await Program.start(TENANT, args, options);
  t.after(() => program.stop());
  if (program.info.ca) trust(readFileSync(program.info.ca));
  return program;
}
const discover = async (base) =>
  JSON.parse((await request(`${base}/common/v2.0/.well-known/openid-configuration`)).text);

const certificateAt = (port, ca) => new Promise((resolve, reject) => {
  const socket = tls.connect({ port, ca, host: '127.0.0.1', servername: 'localhost' }, () => {
    resolve(socket.getPeerX509Certificate());
    socket.end();
  });
  socket.once('error', reject);
});

describe('the ready line', () => {
  test('names the https addresses and the authority’s certificate', async (t) => {
    const { info } = await start(t, ['--https-listen', FREE]);
    assert.deepEqual(Object.keys(info), ['event', 'authority', 'tenant', 'graph', 'ca']);
    assert.match(info.authority, /^https:\/\/127\.0\.0\.1:\d+$/);
    assert.equal(info.graph, info.authority);
    assert.ok(info.tenant.startsWith(`${info.authority}/`));
  });

  test('names both when there are two', async (t) => {
    const { info } = await start(t, ['--listen', FREE, '--https-listen=localhost:0']);
    assert.match(info.authority, /^https:\/\/localhost:\d+$/);
    assert.match(info.http, /^http:\/\/127\.0\.0\.1:\d+$/);
  });

  test('says nothing of a certificate without https', async (t) => {
    const { info } = await start(t, ['--listen', FREE]);
    assert.deepEqual(Object.keys(info), ['event', 'authority', 'tenant', 'graph']);
  });
});

describe('the https listener', () => {
  test('is trusted by its authority under all names of this machine', async (t) => {
    const { info } = await start(t, ['--https-listen', 'localhost:0']);
    const { port } = new URL(info.authority);
    for (const name of ['localhost', '127.0.0.1'])
      assert.equal((await discover(`https://${name}:${port}`)).issuer, `https://${name}:${port}/{tenantid}/v2.0`);
    const ca = new X509Certificate(readFileSync(info.ca));
    const leaf = await certificateAt(port, readFileSync(info.ca));
    assert.ok(ca.ca && !leaf.ca && leaf.verify(ca.publicKey));
    for (const cert of [ca, leaf]) assert.equal(cert.publicKey.asymmetricKeyDetails.namedCurve, 'prime256v1');
    assert.ok(leaf.checkHost('localhost') && leaf.checkIP('127.0.0.1') && leaf.checkIP('::1'));
    assert.ok(!leaf.checkHost('evil.example') && !leaf.checkIP('127.0.0.2'));
  });

  test('is trusted by nobody else', async (t) => {
    const { info } = await start(t, ['--https-listen', FREE]);
    const other = await start(t, ['--https-listen', FREE]);
    await discover(other.info.authority);
    await assert.rejects(discover(info.authority), /self-signed|unable to|certificate/);
  });

  test('speaks of itself as https, and of the other as http', async (t) => {
    const { info } = await start(t, ['--listen', FREE, '--https-listen', FREE]);
    for (const base of [info.authority, info.http]) {
      const doc = await discover(base);
      for (const key of ['issuer', 'token_endpoint', 'authorization_endpoint', 'jwks_uri', 'userinfo_endpoint'])
        assert.ok(doc[key].startsWith(`${base}/`), `${key} ${doc[key]}`);
      assert.equal(doc.msgraph_host, new URL(base).host);
    }
  });

  test('binds no browser to https, which would be for all of localhost', async (t) => {
    const { info } = await start(t, ['--https-listen', FREE]);
    for (const where of ['/', '/common/v2.0/.well-known/openid-configuration', '/v1.0/me', '/common/oauth2/v2.0/token', '/nowhere'])
      assert.equal((await request(info.authority + where)).headers['strict-transport-security'], undefined, where);
  });

  test('shares people, sessions and codes with the other', async (t) => {
    const standIn = await StandIn.start(['--listen', FREE, '--https-listen', FREE]);
    t.after(() => standIn.stop());
    const { http: plain, authority } = standIn.program.info;
    const at = (base) => `${base}/${standIn.tenants[0].id}`;
    const page = await standIn.typeIn(new Browser(), standIn.users.admin, {}, at(authority));
    const tokens = await standIn.redeem(answerOf(page).get('code'), {}, at(plain));
    const { id_token } = JSON.parse(tokens.text);
    const { iss } = JSON.parse(Buffer.from(id_token.split('.')[1], 'base64url'));
    assert.equal(iss, `${at(plain)}/v2.0`, 'the issuer is whom the token was asked of');
  });
});

describe('the authority’s folder', () => {
  async function below(t) {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'tenant-tls-'));
    t.after(() => rmSync(folder, { recursive: true }));
    return { folder, options: { env: { TMPDIR: folder } } };
  }

  test('is private, and goes with the program', async (t) => {
    const { folder, options } = await below(t);
    const program = await Program.start(TENANT, ['--https-listen', FREE], options);
    const own = path.dirname(program.info.ca);
    assert.equal(path.dirname(own), folder);
    assert.equal(statSync(own).mode & 0o777, 0o700);
    for (const name of readdirSync(own)) assert.equal(statSync(path.join(own, name)).mode & 0o077, 0, name);
    assert.ok(!readFileSync(program.info.ca, 'utf8').includes('PRIVATE'));
    assert.deepEqual(await program.stop(), { code: 0, signal: null }, program.stderr);
    assert.ok(!existsSync(own));
  });

  test('goes as well when the program cannot listen', async (t) => {
    const { folder, options } = await below(t);
    const first = await start(t, ['--listen', FREE]);
    const taken = new URL(first.info.authority).host;
    const end = await runToEnd(TENANT, ['--https-listen', taken], options);
    assert.equal(end.code, 1);
    assert.match(end.stderr, /already in use/);
    assert.deepEqual(readdirSync(folder), []);
  });

  test('is not made on an address for others', async (t) => {
    const { folder, options } = await below(t);
    const end = await runToEnd(TENANT, ['--https-listen', '0.0.0.0:0'], options);
    assert.equal(end.code, 2);
    assert.match(end.stderr, /loopback/);
    assert.deepEqual(readdirSync(folder), []);
  });
});

describe('mcp-valet', () => {
  async function benchOver(t, env, config = () => ({})) {
    const bench = await Bench.start({ tenantArgs: ['--https-listen', 'localhost:0'], serve: false });
    t.after(() => bench.stop());
    const { ca } = bench.tenant.info;
    trust(readFileSync(ca));
    bench.env = env(ca);
    bench.config = config(ca);
    await bench.serve();
    return bench;
  }

  // CURL_CA_BUNDLE comes before SSL_CERT_FILE, which the machine may have set.
  for (const [how, env, config] of [
    ['the configuration', () => ({}), (ca) => ({ outbound: { ca_file: ca } })],
    ['the environment', (ca) => ({ CURL_CA_BUNDLE: ca }), undefined],
  ]) test(`signs people in over https when it trusts the authority by ${how}`, async (t) => {
    const bench = await benchOver(t, env, config);
    const { mcp } = await bench.signedIn(bench.users.bengali);
    const { result } = await mcp.tool('getUserDetails');
    assert.equal(result.structuredContent.displayName, bench.users.bengali.display_name);
  });

  test('signs nobody in when it does not', async (t) => {
    const bench = await benchOver(t, () => ({ CURL_CA_BUNDLE: '' }));
    await assert.rejects(bench.signedIn());
    assert.ok(await bench.audit((line) => line.outcome === 'refused' || line.outcome === 'failed'));
  });
});
