// The stand-in's other grants, byte by byte: device code, applications in their
// own name, on behalf of, claims challenges (research: entra-wire 1.9, 1.10,
// 2.7 to 2.10, 2.13 to 2.16).
import assert from 'node:assert/strict';
import { createHash, createPublicKey, constants, generateKeyPairSync, randomUUID, sign, verify, X509Certificate }
  from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { freePort } from './lib/attack.mjs';
import { Browser, form, request } from './lib/browser.mjs';
import { answerOf, OIDC, StandIn } from './lib/standin.mjs';
import { Program, runToEnd, TENANT } from './lib/valet.mjs';

const GRAPH_ID = '00000003-0000-0000-c000-000000000000';
const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';
const BEHALF = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const GRAPH = 'https://graph.microsoft.com/.default';
let standIn, users, apps, tid;

before(async () => {
  standIn = await StandIn.start();
  ({ users, apps } = standIn);
  tid = standIn.tenants[0].id;
});
after(() => standIn?.stop());
beforeEach(async () => {
  await standIn.emul('faults', undefined, 'DELETE');
  await standIn.emul('settings', { access_token_seconds: 0, refresh_in_seconds: 0, device_code_seconds: 0,
    device_interval: 0, graph_acrs: '' });
  for (const app of ['web', 'api', 'public']) await standIn.consent('granted', app);
});

const claimsOf = (jwt) => JSON.parse(Buffer.from(jwt.split('.')[1], 'base64url'));
const seconds = () => Math.floor(Date.now() / 1000);

async function post(url, fields, headers = {}) {
  for (const key of Object.keys(fields)) if (fields[key] === undefined) delete fields[key];
  const answer = await request(url, { method: 'POST', body: form(fields),
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers } });
  try { answer.json = JSON.parse(answer.text); } catch { /* a page */ }
  return answer;
}

const ask = (fields, at = standIn.tenant) => post(`${at}/oauth2/v2.0/token`, fields);
const me = (token) => request(`${standIn.base}/v1.0/me`, { headers: { authorization: `Bearer ${token}` } });
const counts = async () => JSON.parse((await standIn.emul('log', undefined, 'GET')).text).counts;

function assertFails(answer, code, error, { status = 400, suberror } = {}) {
  assert.deepEqual([answer.status, answer.json?.error, answer.json?.error_codes, answer.json?.suberror],
    [status, error, [code], suberror], answer.text);
  assert.match(answer.json.error_description, new RegExp(`^AADSTS${code}: .+ Trace ID: .+ Correlation ID: .+ Timestamp: `));
  assert.equal(answer.json.trace_id, answer.headers['x-ms-request-id']);
  assert.ok(answer.json.correlation_id && answer.json.timestamp && answer.json.error_uri.endsWith(`code=${code}`));
  assert.match(answer.headers['content-type'], /^application\/json; charset=utf-8$/);
  assert.match(answer.headers['cache-control'], /no-store/);
}

function assertToken(answer) {
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.json.token_type, 'Bearer');
  assert.match(answer.headers['cache-control'], /no-store/);
  return claimsOf(answer.json.access_token);
}

describe('a device', () => {
  const begin = (fields = {}, at = standIn.tenant) => post(`${at}/oauth2/v2.0/devicecode`,
    { client_id: apps.public.id, scope: `${OIDC} User.Read`, ...fields });
  const poll = (device_code, fields = {}, at = standIn.tenant) =>
    ask({ grant_type: DEVICE, client_id: apps.public.id, device_code, ...fields }, at);

  // The page that follows the code, as a person gets there.
  async function type(code, browser = new Browser()) {
    const page = await (await browser.open(`${standIn.base}/device`)).follow();
    assert.match(page.text, /name="otc"/);
    return page.submit({ otc: code });
  }

  async function approve(code, { user = users.admin, browser } = {}) {
    const page = await type(code, browser);
    const asked = /name="password"/.test(page.text)
      ? await page.submit({ username: user.username, password: user.password }) : page;
    assert.match(asked.text, /Are you signing in to/);
    return asked.submit({ choice: 'continue' });
  }

  test('gets a code for itself and one for the person', async () => {
    const { status, json, headers } = await begin();
    assert.equal(status, 200);
    assert.deepEqual(Object.keys(json).sort(),
      ['device_code', 'expires_in', 'interval', 'message', 'user_code', 'verification_uri']);
    assert.match(json.user_code, /^[A-Z2-9]{9}$/);
    assert.ok(json.device_code.length > 40);
    assert.equal(json.verification_uri, `${standIn.base}/device`);
    assert.deepEqual([json.expires_in, json.interval], [900, 5]);
    assert.ok(json.message.includes(json.user_code) && json.message.includes(json.verification_uri));
    assert.match(headers['cache-control'], /no-store/);
    const document = JSON.parse((await request(`${standIn.tenant}/v2.0/.well-known/openid-configuration`)).text);
    assert.equal(document.device_authorization_endpoint, `${standIn.tenant}/oauth2/v2.0/devicecode`);
    assert.notEqual((await begin()).json.user_code, json.user_code);
  });

  test('is refused in JSON when its request is wrong', async () => {
    assertFails(await begin({ client_id: undefined }), 900144, 'invalid_request');
    assertFails(await begin({ scope: undefined }), 900144, 'invalid_request');
    assertFails(await begin({ client_id: randomUUID() }), 700016, 'unauthorized_client');
    assertFails(await begin({ scope: 'User.Fly' }), 650053, 'invalid_client');
    assertFails(await begin({ client_id: apps.web.id }, `${standIn.base}/common`), 50194, 'invalid_request');
    const got = await request(`${standIn.tenant}/oauth2/v2.0/devicecode`);
    assert.equal(got.status, 400);
    assert.match(got.text, /AADSTS900561/);
    assert.equal(got.headers.allow, 'POST');
  });

  test('waits until the person has typed, signed in and agreed', async () => {
    const { json } = await begin();
    assertFails(await poll(json.device_code), 70016, 'authorization_pending');
    const done = await approve(json.user_code, { user: users.bengali });
    assert.match(done.text, /You are signed in to/);
    assert.ok(done.text.includes(apps.public.name));
    const answer = await poll(json.device_code, { client_info: '1' });
    const claims = assertToken(answer);
    assert.deepEqual([claims.oid, claims.scp.split(' ')[0], claims.appidacr], [users.bengali.id, 'User.Read', '0']);
    assert.equal(claimsOf(answer.json.id_token).preferred_username, users.bengali.username);
    assert.ok(answer.json.refresh_token && answer.json.scope.includes('User.Read'));
    assert.deepEqual(JSON.parse(Buffer.from(answer.json.client_info, 'base64url')),
      { uid: users.bengali.id, utid: tid });
    assertFails(await poll(json.device_code), 54005, 'invalid_grant');
    const again = await ask({ grant_type: 'refresh_token', client_id: apps.public.id,
      refresh_token: answer.json.refresh_token });
    assert.equal(assertToken(again).oid, users.bengali.id);
  });

  test('may use either name of the grant, and of the code', async () => {
    for (const [grant_type, name] of [[DEVICE, 'device_code'], [DEVICE, 'code'], ['device_code', 'device_code'],
      ['device_code', 'code']]) {
      const { json } = await begin();
      await approve(json.user_code);
      const answer = await poll(undefined, { grant_type, [name]: json.device_code });
      assert.equal(assertToken(answer).oid, users.admin.id, `${grant_type} ${name}`);
    }
  });

  test('is told what became of its code', async () => {
    assertFails(await poll('1.Dnothing'), 70018, 'bad_verification_code');
    assertFails(await poll(undefined), 900144, 'invalid_request');
    const { json } = await begin();
    const page = await type(json.user_code.toLowerCase());
    const declined = await page.submit({ choice: 'cancel' });
    assert.match(declined.text, /You did not sign in to/);
    assertFails(await poll(json.device_code), 65004, 'authorization_declined');
    assert.match((await type(json.user_code)).text, /AADSTS70018/);
    await standIn.emul('settings', { device_code_seconds: 1, device_interval: 1 });
    const short = (await begin()).json;
    assert.deepEqual([short.expires_in, short.interval], [1, 1]);
    await new Promise((resolve) => { setTimeout(resolve, 1100); });
    assertFails(await poll(short.device_code), 70020, 'expired_token');
    assert.match((await type(short.user_code)).text, /AADSTS70019/);
  });

  test('has its code for itself alone', async () => {
    const { json } = await begin();
    await approve(json.user_code);
    assertFails(await poll(json.device_code, { client_id: apps.web.id, client_secret: apps.web.secret }),
      70000, 'invalid_grant');
    assertFails(await poll(json.device_code, {}, `${standIn.base}/fabrikam.example`), 700005, 'invalid_grant');
    assertToken(await poll(json.device_code));
  });

  test('serves an application with a secret only with it', async () => {
    const { json } = await begin({ client_id: apps.web.id });
    await approve(json.user_code);
    assertFails(await poll(json.device_code, { client_id: apps.web.id }), 7000218, 'invalid_client', { status: 401 });
    const claims = assertToken(await poll(json.device_code,
      { client_id: apps.web.id, client_secret: apps.web.secret }));
    assert.equal(claims.appidacr, '1');
  });

  test('asks the person who is signed in already only whether it is theirs', async () => {
    const browser = new Browser();
    await standIn.typeIn(browser, users.reader);
    const { json } = await begin();
    const page = await type(json.user_code, browser);
    assert.match(page.text, /Are you signing in to/);
    assert.ok(page.text.includes(users.reader.username));
    const cancelled = await page.submit({ choice: 'cancel' });
    assert.match(cancelled.text, /You did not sign in/);
    assertFails(await poll(json.device_code), 65004, 'authorization_declined');
  });

  test('asks for consent when there is none yet', async () => {
    await standIn.consent('needed', 'public');
    const { json } = await begin();
    const asked = await approve(json.user_code, { user: users.reader });
    assert.match(asked.text, /Permissions requested/);
    assertFails(await poll(json.device_code), 70016, 'authorization_pending');
    assert.match((await asked.submit({ choice: 'accept' })).text, /You are signed in to/);
    assertToken(await poll(json.device_code));
  });

  test('may ask for a second factor, which the person then shows', async () => {
    const browser = new Browser();
    await standIn.typeIn(browser, users.reader);
    const claims = JSON.stringify({ access_token: { acrs: { essential: true, value: 'c3' } } });
    assertFails(await begin({ claims: '{' }), 90023, 'invalid_request');
    const { json } = await begin({ claims });
    const page = await type(json.user_code, browser);
    assert.match(page.text, /AADSTS50076/);
    const confirm = await page.submit({ username: users.reader.username, password: users.reader.password });
    await confirm.submit({ choice: 'continue' });
    assert.deepEqual(assertToken(await poll(json.device_code, { claims })).acrs, ['c3']);
  });

  test('is found by its code on the page of any tenant, and keeps its own', async () => {
    const [fred] = Object.values(standIn.tenants[1].users);
    const { json } = await begin();
    const refused = await (await type(json.user_code)).submit({ username: fred.username, password: fred.password });
    assert.match(refused.text, /AADSTS50020/);
    const open = await begin({}, `${standIn.base}/organizations`);
    await approve(open.json.user_code, { user: fred });
    const claims = assertToken(await poll(open.json.device_code, {}, `${standIn.base}/organizations`));
    assert.equal(claims.tid, standIn.tenants[1].id);
  });

  test('shows the code page again after a slip, and escapes it', async () => {
    const page = await type('"><b>x');
    assert.match(page.text, /AADSTS70018/);
    assert.ok(page.text.includes('value="&quot;&gt;&lt;b&gt;x"'), page.text);
    assert.match((await type('')).text, /Type the code/);
    const ready = await (await new Browser().open(`${standIn.base}/device?otc=ABC`)).follow();
    assert.ok(ready.text.includes('value="ABC"'));
  });

  test('cannot be approved by a form of another site', async () => {
    const { json } = await begin();
    const page = await type(json.user_code);
    const confirm = await page.submit({ username: users.admin.username, password: users.admin.password });
    // Another site's post comes without the cookie, which is SameSite=Lax.
    const foreign = await request(confirm.action, { method: 'POST', headers: {
      'content-type': 'application/x-www-form-urlencoded' },
    body: form({ account: users.admin.username, choice: 'continue' }) });
    assert.match(foreign.text, /name="password"/);
    assertFails(await poll(json.device_code), 70016, 'authorization_pending');
  });
});

// --- applications in their own name ---

const b64 = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

// A signed token; what a test changes is in `header` and `claims`.
function makeJwt(key, header, claims) {
  const text = `${b64({ typ: 'JWT', alg: 'RS256', ...header })}.${b64(claims)}`;
  const padding = header.alg === 'PS256'
    ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 } : {};
  return `${text}.${sign('sha256', Buffer.from(text), { key, ...padding }).toString('base64url')}`;
}

describe('an application in its own name', () => {
  let key, certificate, sha1, sha256;
  const app = (fields = {}, at) => ask({ grant_type: 'client_credentials', client_id: apps.daemon.id,
    client_secret: apps.daemon.secret, scope: GRAPH, ...fields }, at);
  const proven = (client_assertion, fields = {}) => app({ client_secret: undefined,
    client_assertion_type: ASSERTION, client_assertion, ...fields });
  const claims = (extra = {}) => ({ iss: apps.daemon.id, sub: apps.daemon.id, jti: randomUUID(),
    aud: `${standIn.tenant}/oauth2/v2.0/token`, nbf: seconds(), iat: seconds(), exp: seconds() + 600, ...extra });
  const assertion = (header = {}, extra = {}) => makeJwt(key, { alg: 'PS256', 'x5t#S256': sha256.toString('base64url'),
    ...header }, claims(extra));

  before(async () => {
    const answer = await standIn.emul('certificate', { app: 'daemon' });
    assert.equal(answer.status, 201, answer.text);
    const made = JSON.parse(answer.text);
    certificate = made.certificate;
    key = made.key;
    const { raw } = new X509Certificate(certificate);
    sha1 = createHash('sha1').update(raw).digest();
    sha256 = createHash('sha256').update(raw).digest();
  });

  test('gets a token with its roles, and nothing of a person', async () => {
    const answer = await app();
    const token = assertToken(answer);
    assert.deepEqual(Object.keys(answer.json), ['token_type', 'expires_in', 'ext_expires_in', 'access_token']);
    assert.deepEqual([token.aud, token.iss, token.idtyp, token.appid, token.appidacr, token.tid, token.ver],
      [GRAPH_ID, `${standIn.tenant}/`, 'app', apps.daemon.id, '1', tid, '1.0']);
    assert.deepEqual(token.roles, ['User.Read.All']);
    assert.equal(token.oid, token.sub);
    for (const name of ['scp', 'upn', 'name', 'unique_name', 'amr']) assert.equal(token[name], undefined, name);
    assert.equal(assertToken(await app()).oid, token.oid);
    const { keys } = JSON.parse((await request(`${standIn.tenant}/discovery/v2.0/keys`)).text);
    const [head, body, signature] = answer.json.access_token.split('.');
    const jwk = keys.find((k) => k.kid === JSON.parse(Buffer.from(head, 'base64url')).kid);
    assert.ok(verify('sha256', Buffer.from(`${head}.${body}`), createPublicKey({ key: jwk, format: 'jwk' }),
      Buffer.from(signature, 'base64url')));
  });

  test('gets a token of version 2 for an API', async () => {
    const resource = apps.api.scope.replace('/access_as_user', '');
    const token = assertToken(await app({ scope: `${resource}/.default` }));
    assert.deepEqual([token.aud, token.azp, token.azpacr, token.idtyp, token.roles, token.ver],
      [apps.api.id, apps.daemon.id, '1', 'app', ['Jobs.Run'], '2.0']);
    assert.equal(assertToken(await app({ scope: `${apps.api.id}/.default` })).aud, apps.api.id);
    const none = assertToken(await app({ client_id: apps.web.id, client_secret: apps.web.secret }));
    assert.equal(none.roles, undefined);
  });

  test('asks for all of one resource', async () => {
    for (const scope of ['User.Read.All', 'https://graph.microsoft.com/User.Read.All', 'openid',
      `${GRAPH} ${apps.api.id}/.default`, '.default'])
      assertFails(await app({ scope }), 1002012, 'invalid_scope');
    assertFails(await app({ scope: undefined }), 900144, 'invalid_request');
    assertFails(await app({ scope: 'api://nowhere/.default' }), 500011, 'invalid_resource');
    // MSAL for Go sends these too.
    assertToken(await app({ scope: `openid offline_access profile ${GRAPH}` }));
    assertToken(await app({ scope: `${standIn.base}/.default` }));
  });

  test('names its tenant', async () => {
    assertFails(await app({}, `${standIn.base}/common`), 9001023, 'invalid_request');
    assertFails(await app({}, `${standIn.base}/organizations`), 50059, 'invalid_request');
    assertFails(await app({}, `${standIn.base}/fabrikam.example`), 700016, 'unauthorized_client');
    assertToken(await app({}, `${standIn.base}/contoso.example`));
  });

  test('has to prove itself, by one thing', async () => {
    const denied = { status: 401 };
    assertFails(await app({ client_secret: 'wrong' }), 7000215, 'invalid_client', denied);
    assertFails(await app({ client_secret: undefined }), 7000218, 'invalid_client', denied);
    assertFails(await app({ client_id: apps.public.id }), 700025, 'invalid_client', denied);
    assertFails(await app({ client_id: apps.public.id, client_secret: undefined }), 7000218, 'invalid_client', denied);
    assertFails(await proven(assertion(), { client_secret: apps.daemon.secret }), 90023, 'invalid_request');
    assertFails(await proven(assertion(), { client_assertion_type: undefined }), 900144, 'invalid_request');
    assertFails(await proven(assertion(), { client_assertion_type: 'urn:x' }), 90023, 'invalid_request');
    assertFails(await proven(assertion(), { client_id: apps.public.id }), 700025, 'invalid_client', denied);
    const basic = Buffer.from(`${apps.daemon.id}:${apps.daemon.secret}`).toString('base64');
    assertToken(await post(`${standIn.tenant}/oauth2/v2.0/token`,
      { grant_type: 'client_credentials', scope: GRAPH }, { authorization: `Basic ${basic}` }));
  });

  test('proves itself by a certificate, as each of the libraries writes it', async () => {
    for (const [library, header, extra] of [
      ['msal-node', { alg: 'PS256', 'x5t#S256': sha256.toString('base64url') }],
      ['msal-node with SHA-1', { alg: 'RS256', 'x5t#S256': undefined, x5t: sha1.toString('base64url') }],
      ['MSAL for Python', { alg: 'RS256', 'x5t#S256': undefined,
        x5t: sha1.toString('base64').replaceAll('+', '-').replaceAll('/', '_') },
      { nbf: undefined, iat: seconds() + 0.25, exp: seconds() + 600.25 }],
      ['MSAL for Go', { alg: 'PS256', 'x5t#S256': sha256.toString('base64') }],
      ['a chain', { alg: 'PS256', x5c: [new X509Certificate(certificate).raw.toString('base64')] }],
      ['no typ', { typ: undefined }],
      ['the issuer as audience', {}, { aud: `${standIn.tenant}/v2.0` }],
      ['the domain in the audience', {}, { aud: `${standIn.base}/contoso.example/oauth2/v2.0/token` }],
    ]) {
      const answer = await proven(assertion(header, extra));
      assert.equal(answer.status, 200, `${library}: ${answer.text}`);
      assert.equal(claimsOf(answer.json.access_token).appidacr, '2', library);
    }
    const reused = assertion();
    for (let i = 0; i < 2; i++) assertToken(await proven(reused));
  });

  test('is not believed when anything about its assertion is wrong', async () => {
    const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    const own = { alg: 'PS256', 'x5t#S256': sha256.toString('base64url') };
    const denied = { status: 401 };
    const refused = async (token, code, error = 'invalid_client', options = denied) =>
      assertFails(await proven(token), code, error, options);
    await refused(makeJwt(stranger, own, claims()), 700027);
    await refused(makeJwt(stranger, { ...own, 'x5t#S256': b64('x'.repeat(32)) }, claims()), 700027);
    await refused(assertion().replace(/.{8}$/, 'AAAAAAAA'), 700027);
    await refused(makeJwt(key, { ...own, alg: 'RS256' }, claims()).replace(/^[^.]+/,
      b64({ typ: 'JWT', ...own })), 700027);
    await refused(assertion({ 'x5t#S256': undefined }), 50027, 'invalid_request', {});
    await refused('no.token', 50027, 'invalid_request', {});
    await refused(assertion({}, { exp: undefined }), 50027, 'invalid_request', {});
    await refused(assertion({ typ: 'at+jwt' }), 5002727, 'invalid_request', {});
    await refused(`${b64({ typ: 'JWT', alg: 'none' })}.${b64(claims())}.`, 50027, 'invalid_request', {});
    await refused(`${b64({ typ: 'JWT', alg: 'HS256', kid: 'x' })}.${b64(claims())}.AAAA`, 5002727, 'invalid_request', {});
    await refused(assertion({}, { exp: seconds() - 301 }), 700024);
    await refused(assertion({}, { nbf: seconds() + 400 }), 700024);
    await refused(assertion({}, { aud: 'https://evil.example/oauth2/v2.0/token' }), 700023);
    await refused(assertion({}, { aud: `${standIn.base}/fabrikam.example/oauth2/v2.0/token` }), 700023);
    await refused(assertion({}, { sub: apps.web.id }), 700021);
    await refused(assertion({}, { iss: apps.web.id }), 700211);
    const other = await proven(assertion(), { client_id: apps.web.id });
    assertFails(other, 700211, 'invalid_client', denied);
  });

  test('may redeem codes and refresh tokens by its certificate, too', async () => {
    const made = JSON.parse((await standIn.emul('certificate', { app: 'web' })).text);
    const { raw } = new X509Certificate(made.certificate);
    const signed = () => ({ client_secret: undefined, client_assertion_type: ASSERTION,
      client_assertion: makeJwt(made.key, { alg: 'RS256', x5t: createHash('sha1').update(raw).digest('base64url') },
        claims({ iss: apps.web.id, sub: apps.web.id })) });
    const first = await standIn.redeem(await standIn.code(), signed());
    assert.equal(first.status, 200, first.text);
    const { access_token, refresh_token } = JSON.parse(first.text);
    assert.equal(claimsOf(access_token).appidacr, '2');
    assert.equal((await standIn.refresh(refresh_token, signed())).status, 200);
  });

  test('is an application at Graph, not a person', async () => {
    const { json } = await app();
    const answer = await me(json.access_token);
    assert.equal(answer.status, 400);
    assert.equal(JSON.parse(answer.text).error.code, 'BadRequest');
  });

  test('registers certificates that are some', async () => {
    const bad = async (body, status) => assert.equal((await standIn.emul('certificate', body)).status, status);
    await bad({ app: 'nobody' }, 404);
    await bad({ app: 'public' }, 404);
    await bad({ app: 'daemon', certificate: 'x' }, 400);
    await bad({ app: 'daemon', certificate: key }, 400);
    assert.equal((await standIn.emul('certificate', { app: 'daemon', certificate })).status, 201);
  });
});

describe('data of one’s own', () => {
  const issuer = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = issuer.publicKey.export({ type: 'spki', format: 'pem' });
  const ID = '41111111-2222-4333-8444-555555555555';
  const set = (app) => JSON.stringify({
    tenants: [{ id: '11111111-2222-4333-8444-555555555555', domain: 'a.example', name: 'A' }],
    users: { eve: { id: '21111111-2222-4333-8444-555555555555', username: 'eve@a.example', password: 'p', display_name: 'E' } },
    apps: { job: { id: ID, name: 'J', redirects: ['http://localhost'], ...app } },
  });
  const federated = [{ issuer: 'https://ci.example/', subject: 'repo:a/b:main', key: pem }];
  let folder;
  before(() => { folder = mkdtempSync(path.join(os.tmpdir(), 'tenant-')); });
  after(() => rmSync(folder, { recursive: true }));
  const write = (name, text) => {
    writeFileSync(path.join(folder, name), text);
    return path.join(folder, name);
  };

  async function run(t, app) {
    const own = await Program.start(TENANT, ['--listen', '127.0.0.1:0', '--data', write('set.yaml', set(app))]);
    t.after(() => own.stop());
    return (fields) => post(`${own.info.tenant}/oauth2/v2.0/token`, { grant_type: 'client_credentials',
      client_id: ID, scope: GRAPH, ...fields });
  }
  const token = (extra = {}, key = issuer.privateKey) => ({ client_assertion_type: ASSERTION,
    client_assertion: makeJwt(key, { kid: 'k1' }, { iss: 'https://ci.example/', sub: 'repo:a/b:main',
      aud: 'api://AzureADTokenExchange', exp: seconds() + 300, ...extra }) });

  test('lets a token of another issuer speak for an application', async (t) => {
    const own = await run(t, { federated, app_roles: ['Mail.Send'] });
    const claims = assertToken(await own(token()));
    assert.deepEqual([claims.appid, claims.appidacr, claims.roles], [ID, '2', ['Mail.Send']]);
    assertToken(await own(token({ aud: ['x', 'api://AzureADTokenExchange'] })));
    for (const [extra, code] of [
      [{ iss: 'https://ci.example' }, 700211], [{ iss: 'https://CI.example/' }, 7002138],
      [{ sub: 'repo:a/b:other' }, 700213], [{ sub: 'repo:A/b:main' }, 7002137],
      [{ aud: 'api://other' }, 700212], [{ exp: seconds() - 400 }, 700024]]) {
      const answer = await own(token(extra));
      assertFails(answer, code, 'invalid_client', { status: 401 });
    }
    const shown = (await own(token({ sub: 'repo:A/b:main' }))).json.error_description;
    assert.ok(shown.includes("'repo:A/b:main'") && shown.includes("'repo:a/b:main'"), shown);
    const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    assertFails(await own(token({}, stranger)), 700027, 'invalid_client', { status: 401 });
  });

  test('lets an application of a tenant here speak for another', async (t) => {
    const port = await freePort();
    const origin = `http://127.0.0.1:${port}`;
    const home = '11111111-2222-4333-8444-555555555555';
    const other = '51111111-2222-4333-8444-555555555555';
    const text = (subject) => JSON.stringify({ ...JSON.parse(set({})),
      apps: {
        job: { id: ID, name: 'J', redirects: ['http://localhost'], secret: 's' },
        exchange: { id: '61111111-2222-4333-8444-555555555555', name: 'X', redirects: ['http://localhost'],
          uri: 'api://AzureADTokenExchange', scopes: ['x'] },
        target: { id: other, name: 'T', redirects: ['http://localhost'], federated: [{
          issuer: `${origin}/${home}/v2.0`, subject, audience: '61111111-2222-4333-8444-555555555555' }] },
      } });
    const start = (subject) => Program.start(TENANT, ['--listen', `127.0.0.1:${port}`, '--data', write('own.yaml', text(subject))]);
    const speak = (client_assertion) => post(`${origin}/${home}/oauth2/v2.0/token`, { grant_type: 'client_credentials',
      client_id: other, scope: GRAPH, client_assertion_type: ASSERTION, client_assertion });
    const mine = async () => (await post(`${origin}/${home}/oauth2/v2.0/token`, { grant_type: 'client_credentials',
      client_id: ID, client_secret: 's', scope: 'api://AzureADTokenExchange/.default' })).json.access_token;
    const first = await start('x');
    const { sub } = claimsOf(await mine());
    await first.stop();
    const own = await start(sub);
    t.after(() => own.stop());
    const claims = assertToken(await speak(await mine()));
    assert.deepEqual([claims.appid, claims.appidacr], [other, '2']);
    const forged = makeJwt(issuer.privateKey, { kid: 'x' }, { ...claimsOf(await mine()) });
    assertFails(await speak(forged), 700027, 'invalid_client', { status: 401 });
    const person = makeJwt(issuer.privateKey, { kid: 'x' }, { ...claimsOf(await mine()), idtyp: undefined });
    assertFails(await speak(person), 700229, 'invalid_client', { status: 401 });
  });

  test('lets the family share its refresh tokens, and nobody else', async (t) => {
    const ids = ['71111111-2222-4333-8444-555555555555', '81111111-2222-4333-8444-555555555555',
      '91111111-2222-4333-8444-555555555555'];
    const base = JSON.parse(set({}));
    const member = (id, family) => ({ id, name: 'M', redirects: ['http://localhost'], public: true, family });
    base.apps = { a: member(ids[0], true), b: member(ids[1], true), c: member(ids[2], false) };
    const own = await Program.start(TENANT, ['--listen', '127.0.0.1:0', '--data', write('family.yaml', JSON.stringify(base))]);
    t.after(() => own.stop());
    const url = `${own.info.tenant}/oauth2/v2.0`;
    const page = await new Browser().open(`${url}/authorize?${form({ client_id: ids[0], response_type: 'code',
      redirect_uri: 'http://localhost', scope: `${OIDC} User.Read` })}`);
    const back = await page.submit({ username: 'eve@a.example', password: 'p' });
    const answer = await post(`${url}/token`, { grant_type: 'authorization_code', client_id: ids[0],
      redirect_uri: 'http://localhost', code: answerOf(back).get('code') });
    assert.equal(answer.json.foci, '1', answer.text);
    const refresh = (client_id) => post(`${url}/token`,
      { grant_type: 'refresh_token', client_id, refresh_token: answer.json.refresh_token });
    const shared = await refresh(ids[1]);
    assert.equal(assertToken(shared).appid, ids[1]);
    assert.equal(shared.json.foci, '1');
    assertFails(await refresh(ids[2]), 70000, 'invalid_grant');
  });

  test('has certificates in the file and in files beside it', async (t) => {
    const made = JSON.parse((await standIn.emul('certificate', { app: 'daemon' })).text);
    const x5t = createHash('sha1').update(new X509Certificate(made.certificate).raw).digest('base64url');
    for (const written of [made.certificate, write('job.pem', made.certificate)]) {
      const own = await Program.start(TENANT, ['--listen', '127.0.0.1:0', '--data',
        write('set.yaml', set({ certificates: [written] }))]);
      t.after(() => own.stop());
      const url = `${own.info.tenant}/oauth2/v2.0/token`;
      assertToken(await post(url, { grant_type: 'client_credentials', client_id: ID, scope: GRAPH,
        client_assertion_type: ASSERTION, client_assertion: makeJwt(made.key, { x5t },
          { iss: ID, sub: ID, aud: url, exp: seconds() + 300 }) }));
    }
  });

  test('says when a secret has expired', async (t) => {
    const own = await run(t, { secret: 's', secret_expired: true });
    assertFails(await own({ client_secret: 's' }), 7000222, 'invalid_client', { status: 401 });
    assertFails(await own({ client_secret: 'x' }), 7000215, 'invalid_client', { status: 401 });
  });

  test('is refused when a credential is none', async () => {
    for (const [app, what] of [
      [{ certificates: ['-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'] }, /bad\.yaml:\d+:\d+: .*no certificate/],
      [{ certificates: [pem] }, /no certificate/],
      [{ certificates: ['nowhere.pem'] }, /job: nowhere\.pem: /],
      [{ public: true, certificates: ['x'] }, /a public app has no secret and no certificate/],
      [{ federated: [{ issuer: 'x' }] }, /subject is missing/],
      [{ federated: [{ ...federated[0], key: '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n' }] }, /key: it has no RSA key/],
      [{ federated: 'x' }, /write a list/],
    ]) {
      const end = await runToEnd(TENANT, ['--data', write('bad.yaml', set(app))]);
      assert.equal(end.code, 2, String(what));
      assert.match(end.stderr, what);
    }
  });
});

describe('on behalf of', () => {
  const api = () => apps.api.scope;
  // What a client sends to the API, for this person.
  const sent = async (user = users.admin, extra = {}) =>
    (await standIn.tokens({ scope: `${OIDC} ${api()}`, ...extra }, { user })).access_token;
  const behalf = (assertion, fields = {}, at) => ask({ grant_type: BEHALF, client_id: apps.api.id,
    client_secret: apps.api.secret, requested_token_use: 'on_behalf_of', assertion, scope: 'User.Read', ...fields }, at);

  test('an API gets a token of the person for the next API', async () => {
    const assertion = await sent(users.bengali);
    const answer = await behalf(assertion, { scope: `${OIDC} User.Read`, client_info: '1' });
    const claims = assertToken(answer);
    assert.deepEqual([claims.aud, claims.oid, claims.appid, claims.appidacr, claims.idtyp],
      [GRAPH_ID, users.bengali.id, apps.api.id, '1', 'user']);
    assert.match(claims.scp, /User\.Read/);
    assert.equal(claimsOf(answer.json.id_token).aud, apps.api.id);
    assert.ok(answer.json.client_info && answer.json.refresh_token);
    const profile = JSON.parse((await me(answer.json.access_token)).text);
    assert.equal(profile.displayName, users.bengali.display_name);
    const plain = await behalf(assertion);
    assert.equal(plain.json.refresh_token, undefined);
    assert.equal(plain.json.id_token, undefined);
    assertToken(await behalf(assertion, { scope: GRAPH }));
    const refreshed = await ask({ grant_type: 'refresh_token', client_id: apps.api.id,
      client_secret: apps.api.secret, refresh_token: answer.json.refresh_token });
    assert.equal(assertToken(refreshed).oid, users.bengali.id);
  });

  test('an API shows only tokens that were sent to it', async () => {
    const graph = await standIn.tokens();
    assertFails(await behalf(graph.access_token), 500131, 'invalid_grant');
    const web = await standIn.tokens({ scope: `openid ${api()}` });
    assertFails(await behalf(web.id_token), 500131, 'invalid_grant');
    const own = { redirect_uri: 'http://localhost', client_id: apps.api.id, scope: 'openid User.Read' };
    const code = await standIn.code(own);
    const { id_token } = JSON.parse((await standIn.redeem(code, { ...own, client_secret: apps.api.secret })).text);
    assertFails(await behalf(id_token), 240002, 'invalid_grant');
    const application = await ask({ grant_type: 'client_credentials', client_id: apps.daemon.id,
      client_secret: apps.daemon.secret, scope: `${apps.api.id}/.default` });
    assertFails(await behalf(application.json.access_token), 7000114, 'invalid_grant');
  });

  test('an API shows good tokens', async () => {
    const assertion = await sent();
    assertFails(await behalf(`${assertion.slice(0, -8)}AAAAAAAA`), 50013, 'invalid_grant');
    assertFails(await behalf('x.y.z'), 50013, 'invalid_grant');
    assertFails(await behalf(undefined), 900144, 'invalid_request');
    assertFails(await behalf(assertion, { requested_token_use: undefined }), 900144, 'invalid_request');
    assertFails(await behalf(assertion, { requested_token_use: 'for_fun' }), 90023, 'invalid_request');
    assertFails(await behalf(assertion, { scope: undefined }), 900144, 'invalid_request');
    assertFails(await behalf(assertion, { client_secret: undefined }), 7000218, 'invalid_client', { status: 401 });
    assertFails(await behalf(assertion, { client_secret: 'x' }), 7000215, 'invalid_client', { status: 401 });
    await standIn.emul('settings', { access_token_seconds: 1 });
    const short = await sent();
    await new Promise((resolve) => { setTimeout(resolve, 1100); });
    assertFails(await behalf(short), 500133, 'invalid_grant');
    await standIn.emul('settings', { access_token_seconds: 0 });
    const revoked = await sent(users.reader);
    await standIn.emul('revoke', { user: 'reader' });
    assertFails(await behalf(revoked), 50173, 'invalid_grant', { suberror: 'bad_token' });
  });

  test('needs the consent of the person to the API', async () => {
    const assertion = await sent(users.reader);
    await standIn.consent('needed', 'api');
    assertFails(await behalf(assertion), 65001, 'invalid_grant', { suberror: 'consent_required' });
  });

  test('hands a second factor through as a challenge', async () => {
    const assertion = await sent();
    await standIn.fault({ where: 'token', grant: 'on_behalf_of', aadsts: 50076 });
    const answer = await behalf(assertion);
    assertFails(answer, 50076, 'invalid_grant', { suberror: 'basic_action' });
    assert.ok(JSON.parse(answer.json.claims).access_token);
    assertToken(await behalf(assertion));
  });
});

describe('a claims challenge', () => {
  const capable = JSON.stringify({ access_token: { xms_cc: { values: ['cp1'] } } });
  const stepUp = JSON.stringify({ access_token: { acrs: { essential: true, value: 'c1' } } });
  // The parameters of WWW-Authenticate, and what the challenge says.
  const challengeOf = (answer) => {
    assert.equal(answer.status, 401);
    const header = answer.headers['www-authenticate'];
    assert.match(header, /^Bearer realm="", authorization_uri="[^"]+", client_id="[^"]+", error="insufficient_claims", claims="[A-Za-z0-9+/]+=*"$/);
    return JSON.parse(Buffer.from(/claims="([^"]+)"/.exec(header)[1], 'base64'));
  };

  test('of Graph is met by signing in again', async () => {
    await standIn.emul('settings', { graph_acrs: 'c1' });
    const browser = new Browser();
    const plain = await standIn.tokens({}, { browser });
    const challenge = challengeOf(await me(plain.access_token));
    assert.deepEqual(challenge, JSON.parse(stepUp));
    const claims = JSON.stringify(challenge);
    // Silently there is no way, neither here nor there.
    const refused = await standIn.refresh(plain.refresh_token, { claims });
    const error = JSON.parse(refused.text);
    assert.deepEqual([refused.status, error.error, error.suberror, error.error_codes],
      [400, 'invalid_grant', 'basic_action', [50076]]);
    assert.deepEqual(JSON.parse(error.claims), challenge);
    const silent = await browser.open(standIn.authorizeUrl({ claims, prompt: 'none' }));
    assert.equal(answerOf(silent).get('error'), 'interaction_required');
    const page = await browser.open(standIn.authorizeUrl({ claims }));
    assert.match(page.text, /AADSTS50076/);
    const back = await page.submit({ username: users.admin.username, password: users.admin.password });
    const answer = await standIn.redeem(answerOf(back).get('code'), { claims });
    assert.equal(answer.status, 200, answer.text);
    const tokens = JSON.parse(answer.text);
    assert.deepEqual(claimsOf(tokens.access_token).acrs, ['c1']);
    assert.equal((await me(tokens.access_token)).status, 200);
    const later = JSON.parse((await standIn.refresh(tokens.refresh_token, { claims })).text);
    assert.equal((await me(later.access_token)).status, 200);
    // The browser remembers.
    assert.ok(answerOf(await browser.open(standIn.authorizeUrl({ claims }))).get('code'));
  });

  test('after a revocation comes to clients that know what it is', async () => {
    const plain = await standIn.tokens({}, { user: users.reader });
    const able = JSON.parse((await standIn.redeem(await standIn.code({ claims: capable }, { user: users.reader }),
      { claims: capable })).text);
    const token = claimsOf(able.access_token);
    assert.deepEqual(token.xms_cc, ['cp1']);
    assert.ok(able.expires_in >= 72000 && able.expires_in <= 100800, able.expires_in);
    assert.equal(able.refresh_in, Math.floor(able.expires_in / 2));
    assert.equal(plain.refresh_in, undefined);
    await standIn.emul('revoke', { user: 'reader' });
    const { access_token } = challengeOf(await me(able.access_token));
    assert.equal(access_token.nbf.essential, true);
    assert.ok(Math.abs(Number(access_token.nbf.value) - seconds()) < 5);
    const other = await me(plain.access_token);
    assert.equal(other.status, 401);
    assert.doesNotMatch(other.headers['www-authenticate'], /claims/);
  });

  test('comes on purpose, with any claims', async () => {
    const { access_token, refresh_token } = await standIn.tokens();
    const claims = '{"access_token":{"acrs":{"essential":true,"value":"c7"}}}';
    await standIn.fault({ where: 'graph', claims });
    assert.deepEqual(challengeOf(await me(access_token)), JSON.parse(claims));
    assert.equal((await me(access_token)).status, 200);
    await standIn.fault({ where: 'token', aadsts: 50076, claims });
    const refused = JSON.parse((await standIn.refresh(refresh_token)).text);
    assert.deepEqual([refused.error_codes, refused.claims], [[50076], claims]);
  });

  test('is read as JSON, or refused', async () => {
    const page = await new Browser().open(standIn.authorizeUrl({ claims: '{' }));
    assert.match(answerOf(page).get('error_description'), /AADSTS90023/);
    const answer = await standIn.redeem('1.Cx', { claims: '[]' });
    assert.match(answer.text, /AADSTS90023/);
    const odd = await standIn.tokens({ claims: '{"id_token":{"acr":null},"access_token":{"acrs":{"value":"a\\"b c"}}}' });
    assert.equal(claimsOf(odd.access_token).acrs, undefined);
  });

  test('and refresh_in are as the settings say', async () => {
    await standIn.emul('settings', { refresh_in_seconds: 7 });
    assert.equal((await standIn.tokens()).refresh_in, 7);
    const app = await ask({ grant_type: 'client_credentials', client_id: apps.daemon.id,
      client_secret: apps.daemon.secret, scope: GRAPH });
    assert.equal(app.json.refresh_in, 7);
    assert.equal((await standIn.emul('settings', { refresh_in_seconds: 'x' })).status, 400);
    assert.equal((await standIn.emul('settings', { graph_acrs: 'no spaces' })).status, 400);
  });
});

describe('an application without a server', () => {
  const native = (extra = {}) => standIn.authorizeUrl({ client_id: apps.public.id, scope: OIDC, ...extra });

  test('is answered on any port of localhost, by a form too', async () => {
    for (const redirect_uri of ['http://localhost:51234', 'http://localhost:51234/', 'http://127.0.0.1:4']) {
      const page = await new Browser().open(native({ redirect_uri, response_mode: 'form_post' }));
      const back = await page.submit({ username: users.admin.username, password: users.admin.password });
      assert.match(back.text, new RegExp(`action="${redirect_uri.replaceAll('/', '.')}"`));
      const answer = await ask({ grant_type: 'authorization_code', client_id: apps.public.id, redirect_uri,
        code: answerOf(back).get('code') });
      assertToken(answer);
    }
  });

  test('may be answered on a page of ours', async () => {
    const redirect_uri = `${standIn.base}/common/oauth2/nativeclient`;
    const page = await new Browser().open(native({ redirect_uri }));
    const back = await page.submit({ username: users.admin.username, password: users.admin.password });
    assert.ok(back.next.startsWith(`${redirect_uri}?code=`));
    assert.equal((await request(back.next)).status, 200);
    const web = await new Browser().open(standIn.authorizeUrl({ redirect_uri }));
    assert.match(web.text, /AADSTS50011/);
    const other = await new Browser().open(native({ redirect_uri: 'https://evil.example/common/oauth2/nativeclient' }));
    assert.match(other.text, /AADSTS50011/);
  });
});

describe('signing out', () => {
  test('goes back to an application, and nowhere else', async () => {
    const out = (query, at = '/oauth2/v2.0/logout') => request(`${standIn.tenant}${at}?${form(query)}`);
    const back = await out({ post_logout_redirect_uri: apps.web.redirect, state: 'a&b' });
    assert.equal(back.status, 302);
    assert.equal(back.headers.location, `${apps.web.redirect}?state=a%26b`);
    assert.match(back.headers['set-cookie'][0], /Max-Age=0/);
    const stays = await out({ post_logout_redirect_uri: 'https://evil.example/' });
    assert.equal(stays.status, 200);
    assert.match(stays.text, /You are signed out/);
    assert.equal((await out({}, '/oauth2/logout')).status, 200);
    const posted = await post(`${standIn.tenant}/oauth2/v2.0/logout`, { post_logout_redirect_uri: apps.web.redirect });
    assert.ok(posted.text.includes(`url=${apps.web.redirect}`), posted.text);
  });
});

describe('faults', () => {
  const app = () => ask({ grant_type: 'client_credentials', client_id: apps.daemon.id,
    client_secret: apps.daemon.secret, scope: GRAPH });
  const begin = () => post(`${standIn.tenant}/oauth2/v2.0/devicecode`, { client_id: apps.public.id, scope: 'User.Read' });

  test('meet one grant and leave the others alone', async () => {
    await standIn.fault({ where: 'token', grant: 'device_code', error: 'slow_down', count: 2 });
    assertToken(await app());
    const { json } = await begin();
    for (const grant_type of [DEVICE, 'device_code']) {
      const answer = await ask({ grant_type, client_id: apps.public.id, device_code: json.device_code });
      assert.deepEqual([answer.status, answer.json.error], [400, 'slow_down']);
    }
    assertFails(await ask({ grant_type: DEVICE, client_id: apps.public.id, device_code: json.device_code }),
      70016, 'authorization_pending');
    await standIn.fault({ where: 'token', grant: 'client_credentials', status: 503, retry_after: 3 });
    const busy = await app();
    assert.deepEqual([busy.status, busy.headers['retry-after']], [503, '3']);
    assertToken(await app());
  });

  test('meet the device endpoint and its page', async () => {
    await standIn.fault({ where: 'device', aadsts: 700016 });
    assertFails(await begin(), 700016, 'unauthorized_client');
    await standIn.fault({ where: 'device', status: 429, retry_after: 2 });
    assertFails(await begin(), 90055, 'temporarily_unavailable', { status: 429 });
    await standIn.fault({ where: 'device', aadsts: 90033 });
    const page = await new Browser().open(`${standIn.base}/common/oauth2/deviceauth`);
    assert.match(page.text, /AADSTS90033/);
    await standIn.fault({ where: 'device', answer: 'html', status: 502 });
    assert.equal((await begin()).json, undefined);
  });

  test('are checked', async () => {
    for (const fault of [{ where: 'graph', grant: 'refresh_token', status: 429 }, { where: 'token', grant: 'x', status: 429 },
      { where: 'token', error: 'Not A Word' }, { where: 'graph', claims: 'x' }, { where: 'graph', claims: {} },
      { where: 'token', error: 'x'.repeat(41) }, { where: 'token', grant: 'device_code' }])
      assert.equal((await standIn.emul('faults', fault)).status, 400, JSON.stringify(fault));
  });

  test('and requests are counted by grant', async () => {
    const old = await counts();
    await app();
    const { json } = await begin();
    for (const grant_type of [DEVICE, 'device_code'])
      await ask({ grant_type, client_id: apps.public.id, device_code: json.device_code });
    await ask({ grant_type: BEHALF });
    const now = await counts();
    const grown = (name) => (now[name] ?? 0) - (old[name] ?? 0);
    assert.deepEqual(['token', 'token.client_credentials', 'token.device_code', 'token.on_behalf_of', 'device_code']
      .map(grown), [4, 1, 2, 1, 1]);
  });
});
