// The stand-in tenant alone: that it behaves like Entra ID and Graph, errors
// included (research: entra-wire 2.1 to 2.11, 2.18).
import assert from 'node:assert/strict';
import { createHash, createPublicKey, randomBytes, randomUUID, verify, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Browser, form, request, unescapeHtml } from './lib/browser.mjs';
import { describeTenant, Program, runToEnd, TENANT } from './lib/valet.mjs';

const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const GRAPH_ID = '00000003-0000-0000-c000-000000000000';
const OIDC = 'openid profile offline_access';
const { apps, users, tenants } = describeTenant();
let program, base, tenant, tid;

const claimsOf = (jwt) => JSON.parse(Buffer.from(jwt.split('.')[1], 'base64url'));
const headerOf = (jwt) => JSON.parse(Buffer.from(jwt.split('.')[0], 'base64url'));
const s256 = (text) => createHash('sha256').update(text).digest('base64url');
const secret = () => randomBytes(32).toString('base64url');

async function get(url, headers = {}) {
  const answer = await request(url, { headers });
  try { answer.json = JSON.parse(answer.text); } catch { /* not JSON */ }
  return answer;
}

async function post(url, fields, headers = {}) {
  const answer = await request(url, {
    method: 'POST', body: form(fields),
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
  });
  try { answer.json = JSON.parse(answer.text); } catch { /* not JSON */ }
  return answer;
}

const emul = (what, body, method = 'POST') => request(`${base}/_emul/${what}`, {
  method, body: body && JSON.stringify(body),
  headers: body ? { 'content-type': 'application/json' } : {},
});

const counts = async () => JSON.parse((await emul('log', undefined, 'GET')).text).counts;

// An authorization request of the web app; what a test changes is in `extra`.
function authorizeUrl(extra = {}, at = tenant) {
  const query = {
    client_id: apps.web.id, response_type: 'code', redirect_uri: apps.web.redirect,
    scope: `${OIDC} User.Read`, state: 'st&te "1"', ...extra,
  };
  for (const key of Object.keys(query)) if (query[key] === undefined) delete query[key];
  return `${at}/oauth2/v2.0/authorize?${form(query)}`;
}

async function signIn(extra = {}, { user = users.admin, browser = new Browser(), at } = {}) {
  const page = await browser.open(authorizeUrl(extra, at));
  assert.equal(page.status, 200, page.text);
  const done = await page.submit({ username: user.username, password: user.password });
  assert.equal(done.status, 200);
  assert.ok(done.next, done.text);
  return new URL(done.next).searchParams;
}

const redeem = (code, extra = {}, at = tenant, headers = {}) => {
  const fields = {
    grant_type: 'authorization_code', code, redirect_uri: apps.web.redirect,
    client_id: apps.web.id, client_secret: apps.web.secret, ...extra,
  };
  for (const key of Object.keys(fields)) if (fields[key] === undefined) delete fields[key];
  return post(`${at}/oauth2/v2.0/token`, fields, headers);
};

const refresh = (refresh_token, extra = {}) => redeem(undefined, {
  grant_type: 'refresh_token', redirect_uri: undefined, refresh_token, ...extra,
});

async function tokens(extra = {}, options = {}, token = {}) {
  const back = await signIn(extra, options);
  const answer = await redeem(back.get('code'), token);
  assert.equal(answer.status, 200, answer.text);
  return answer.json;
}

const me = (token, query = '', headers = {}) =>
  get(`${base}/v1.0/me${query}`, { authorization: `Bearer ${token}`, ...headers });

function assertError(answer, status, error, code) {
  assert.equal(answer.status, status, answer.text);
  assert.match(answer.headers['content-type'], /^application\/json; charset=utf-8$/);
  const body = answer.json;
  assert.equal(body.error, error);
  assert.deepEqual(body.error_codes, [code]);
  assert.match(body.error_description, new RegExp(`^AADSTS${code}: .+ Trace ID: .+ Correlation ID: .+ Timestamp: `));
  assert.match(body.timestamp, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/);
  assert.match(body.trace_id, GUID);
  assert.equal(answer.headers['x-ms-request-id'], body.trace_id);
  assert.ok(body.correlation_id);
  assert.equal(body.error_uri, `${base}/error?code=${code}`);
  assert.match(answer.headers['cache-control'], /no-store/);
}

// The error as it comes back on the redirect URI.
async function frontError(extra, options = {}) {
  const page = await (options.browser ?? new Browser()).open(authorizeUrl(extra));
  assert.equal(page.status, 302, page.text);
  const back = new URL(page.headers.location);
  assert.ok(page.headers.location.startsWith(extra.redirect_uri ?? apps.web.redirect));
  assert.equal(back.searchParams.get('state'), 'st&te "1"');
  assert.equal(back.searchParams.get('code'), null);
  const code = /^AADSTS(\d+):/.exec(back.searchParams.get('error_description'))?.[1];
  return `${back.searchParams.get('error')} ${code}`;
}

before(async () => {
  program = await Program.start(TENANT, ['--listen', '127.0.0.1:0']);
  ({ authority: base, tenant } = program.info);
  tid = tenants[0].id;
});

after(async () => {
  const end = await program.stop();
  assert.deepEqual(end, { code: 0, signal: null }, program.stderr);
});

describe('command line', () => {
  test('prints one ready line with its addresses', () => {
    assert.equal(program.info.event, 'ready');
    assert.match(base, /^http:\/\/127\.0\.0\.1:\d+$/);
    assert.equal(tenant, `${base}/${tid}`);
    assert.equal(program.info.graph, base);
  });

  test('describes the contract', () => {
    assert.deepEqual(Object.keys(users), ['admin', 'reader', 'bengali']);
    assert.ok(tenants.length > 1 && Object.values(tenants[1].users)[0].password);
    for (const user of Object.values(users)) assert.equal(user.tenant, tenants[0].id);
    for (const user of Object.values(users))
      for (const key of ['username', 'password', 'display_name', 'roles']) assert.ok(user[key], key);
    assert.match(users.bengali.display_name, /^[\u0980-\u09ff ]+$/);
    assert.equal(apps.web.redirect, 'http://localhost:3001/auth/callback');
    assert.ok(apps.web.secret && !apps.public.secret && apps.api.scope.endsWith('/access_as_user'));
  });

  test('refuses what it must not do', async () => {
    for (const args of [['--listen', '0.0.0.0:0'], ['--listen', 'nonsense'], ['--https-listen', 'nonsense'],
      ['--data', '/nowhere'], ['--data'], ['extra']]) {
      const end = await runToEnd(TENANT, args);
      assert.equal(end.code, 2, args.join(' '));
      assert.match(end.stderr, /^mcp-valet-tenant: ./);
    }
    const taken = await runToEnd(TENANT, ['--listen', new URL(base).host]);
    assert.equal(taken.code, 1);
  });

  test('ends when its standard input ends', async () => {
    const child = await Program.start(TENANT, ['--listen', '127.0.0.1:0', '--exit-with-stdin']);
    child.child.stdin.end();
    assert.deepEqual(await child.exited, { code: 0, signal: null });
  });
});

describe('discovery', () => {
  test('answers the OpenID configuration with what MSAL needs', async () => {
    const answer = await get(`${tenant}/v2.0/.well-known/openid-configuration`);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['cache-control'], 'max-age=86400, private');
    assert.equal(answer.headers['access-control-allow-origin'], '*');
    const doc = answer.json;
    assert.equal(doc.issuer, `${tenant}/v2.0`);
    assert.equal(doc.token_endpoint, `${tenant}/oauth2/v2.0/token`);
    assert.equal(doc.authorization_endpoint, `${tenant}/oauth2/v2.0/authorize`);
    assert.equal(doc.jwks_uri, `${tenant}/discovery/v2.0/keys`);
    assert.deepEqual(doc.id_token_signing_alg_values_supported, ['RS256']);
    for (const key of ['subject_types_supported', 'scopes_supported', 'request_uri_parameter_supported',
      'userinfo_endpoint', 'end_session_endpoint', 'claims_supported', 'tenant_region_scope',
      'cloud_instance_name', 'cloud_graph_host_name', 'msgraph_host'])
      assert.notEqual(doc[key], undefined, key);
    assert.deepEqual(doc.response_modes_supported, ['query', 'fragment', 'form_post']);
    assert.deepEqual(doc.response_types_supported, ['code']);
    assert.deepEqual(doc.token_endpoint_auth_methods_supported,
      ['client_secret_post', 'private_key_jwt', 'client_secret_basic']);
    assert.equal(doc.code_challenge_methods_supported, undefined);
  });

  test('takes the domain, common, and the host that was asked', async () => {
    const port = new URL(base).port;
    const by = (segment, host) => get(`${base}/${segment}/v2.0/.well-known/openid-configuration`,
      host ? { host } : {}).then((a) => a.json);
    assert.equal((await by('contoso.example')).issuer, `${tenant}/v2.0`);
    assert.equal((await by('common')).issuer, `${base}/{tenantid}/v2.0`);
    assert.equal((await by(tid, `localhost:${port}`)).issuer, `http://localhost:${port}/${tid}/v2.0`);
    assert.equal((await by(tid, `[::1]:${port}`)).issuer, `http://[::1]:${port}/${tid}/v2.0`);
  });

  test('announces only what is there', async () => {
    const { json } = await get(`${tenant}/v2.0/.well-known/openid-configuration`);
    const urls = Object.entries(json).filter(([key, value]) => key !== 'issuer' && /^http:/.test(value));
    assert.deepEqual(urls.map(([key]) => key).sort(), ['authorization_endpoint', 'device_authorization_endpoint',
      'end_session_endpoint', 'jwks_uri', 'token_endpoint', 'userinfo_endpoint']);
    for (const [key, url] of urls) assert.notEqual((await get(url)).status, 404, key);
  });

  // entra-wire 2.2: OpenID Connect's own place, and paths without a tenant.
  test('has the document at all its places', async () => {
    const at = async (path) => (await get(`${base}${path}/.well-known/openid-configuration`)).json;
    assert.deepEqual(await at(`/${tid}`), await at(`/${tid}/v2.0`));
    assert.deepEqual(await at(''), await at('/common/v2.0'));
    assert.deepEqual(await at('/v2.0'), await at('/common/v2.0'));
    assert.equal((await at('')).token_endpoint, `${base}/common/oauth2/v2.0/token`);
  });

  test('answers HEAD with the head of GET', async () => {
    for (const url of [`${tenant}/v2.0/.well-known/openid-configuration`, `${base}/.well-known/openid-configuration`,
      `${tenant}/discovery/v2.0/keys`, `${base}/common/discovery/instance?${
        form({ authorization_endpoint: `${tenant}/oauth2/v2.0/authorize` })}`, `${base}/`]) {
      const full = await get(url);
      const head = await request(url, { method: 'HEAD' });
      assert.equal(head.status, 200, url);
      assert.equal(head.text, '');
      assert.equal(head.headers['content-length'], full.headers['content-length']);
      assert.equal(head.headers['content-type'], full.headers['content-type']);
    }
  });

  test('names the methods that are allowed', async () => {
    for (const [method, url, allow] of [
      ['POST', `${tenant}/v2.0/.well-known/openid-configuration`, 'GET, HEAD'],
      ['DELETE', `${base}/.well-known/openid-configuration`, 'GET, HEAD'],
      ['GET', `${tenant}/oauth2/v2.0/token`, 'POST'],
      ['PUT', `${tenant}/oauth2/v2.0/authorize`, 'GET, POST'],
      ['PUT', `${base}/_emul/faults`, 'POST, DELETE'],
      ['POST', `${base}/v1.0/me`, 'GET']]) {
      const answer = await request(url, { method });
      // Entra ID answers a GET of the token endpoint with AADSTS900561.
      assert.equal(answer.status, url.endsWith('/token') ? 400 : 405, url);
      assert.equal(answer.headers.allow, allow, url);
    }
    const graph = await request(`${base}/v1.0/me`, { method: 'DELETE' });
    assert.equal(JSON.parse(graph.text).error.code, 'Request_BadRequest');
    const preflight = await request(`${base}/.well-known/openid-configuration`, { method: 'OPTIONS' });
    assert.equal(preflight.status, 200);
    assert.equal(preflight.headers['access-control-allow-origin'], '*');
  });

  test('answers no foreign Host', async () => {
    for (const host of ['evil.example', '127.0.0.1.evil.example', 'user@127.0.0.1', '127.0.0.1/x', '10.0.0.1'])
      assert.equal((await get(`${tenant}/v2.0/.well-known/openid-configuration`, { host })).status, 400, host);
  });

  test('refuses unknown and malformed tenants', async () => {
    const at = (segment) => get(`${base}/${segment}/v2.0/.well-known/openid-configuration`);
    assertError(await at('other.example'), 400, 'invalid_request', 90002);
    assertError(await at(randomUUID()), 400, 'invalid_request', 90002);
    assertError(await at('nonsense'), 400, 'invalid_request', 900023);
  });

  test('publishes two keys with certificates', async () => {
    const { json } = await get(`${tenant}/discovery/v2.0/keys`);
    assert.equal(json.keys.length, 2);
    for (const key of json.keys) {
      assert.equal(key.kty, 'RSA');
      assert.equal(key.use, 'sig');
      assert.equal(key.e, 'AQAB');
      assert.equal(key.x5t, key.kid);
      assert.equal(key.issuer, `${tenant}/v2.0`);
      const cert = new X509Certificate(Buffer.from(key.x5c[0], 'base64'));
      assert.equal(createHash('sha1').update(cert.raw).digest('base64url'), key.kid);
      assert.deepEqual(cert.publicKey.export({ format: 'jwk' }).n, key.n);
    }
    const common = await get(`${base}/common/discovery/keys`);
    assert.equal(common.json.keys[0].issuer, `${base}/{tenantid}/v2.0`);
  });

  test('answers instance discovery', async () => {
    const at = (endpoint) => get(`${base}/common/discovery/instance?${form({ 'api-version': '1.1', ...endpoint })}`);
    const { json } = await at({ authorization_endpoint: `${tenant}/oauth2/v2.0/authorize` });
    assert.equal(json.tenant_discovery_endpoint, `${tenant}/v2.0/.well-known/openid-configuration`);
    assert.equal(json['api-version'], '1.1');
    assert.equal(json.metadata[0].preferred_network, new URL(base).host);
    assertError(await at({ authorization_endpoint: 'https://evil.example/x/oauth2/v2.0/authorize' }),
      400, 'invalid_instance', 50049);
    assertError(await at({}), 400, 'invalid_request', 900144);
  });
});

describe('authorize', () => {
  test('shows a page that a person can use', async () => {
    const page = await new Browser().open(authorizeUrl({ login_hint: 'ada"><b>@x' }));
    assert.equal(page.status, 200);
    assert.match(page.headers['content-type'], /^text\/html; charset=utf-8/);
    const policy = page.headers['content-security-policy'];
    for (const part of ["default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"])
      assert.ok(policy.includes(part), policy);
    const style = /<style>(.*)<\/style>/s.exec(page.text)[1];
    assert.ok(policy.includes(`'sha256-${createHash('sha256').update(style).digest('base64')}'`));
    assert.match(page.text, /<label for="username">/);
    assert.match(page.text, /<input type="password" id="password" name="password"/);
    assert.ok(page.text.includes(users.bengali.display_name));
    assert.ok(page.text.includes('value="ada&quot;&gt;&lt;b&gt;@x"'));
  });

  test('keeps errors on a page until the redirect URI is known', async () => {
    for (const [extra, code] of [
      [{ client_id: undefined }, 900144], [{ client_id: randomUUID() }, 700016],
      [{ redirect_uri: undefined }, 900971], [{ redirect_uri: 'https://evil.example/' }, 50011],
      [{ redirect_uri: 'http://localhost:3001/auth/callback/../x' }, 50011],
      [{ redirect_uri: 'http://localhost:3001/auth/Callback' }, 50011],
      [{ redirect_uri: 'http://localhost.evil.example:3001/auth/callback' }, 50011],
      [{ redirect_uri: 'https://localhost:3001/auth/callback' }, 50011],
      [{ redirect_uri: 'http://127.0.0.1:3001/auth/callback' }, 50011],
      [{ redirect_uri: 'http://localhost:3001/auth/callback?x=1' }, 50011],
    ]) {
      const page = await new Browser().open(authorizeUrl(extra));
      assert.equal(page.status, 400, `${code}`);
      assert.equal(page.headers.location, undefined);
      assert.match(page.text, new RegExp(`AADSTS${code}:`));
    }
    const common = await new Browser().open(authorizeUrl({}, `${base}/common`));
    assert.match(common.text, /AADSTS50194/);
    const twice = await new Browser().open(`${authorizeUrl()}&client_id=x`);
    assert.match(twice.text, /AADSTS90023/);
    const unknown = await new Browser().open(authorizeUrl({}, `${base}/other.example`));
    assert.match(unknown.text, /AADSTS90002/);
  });

  test('sends later errors back to the application', async () => {
    for (const [extra, wanted] of [
      [{ response_type: undefined }, 'invalid_request 900144'],
      [{ response_type: 'none' }, 'unsupported_response_type 70005'],
      [{ response_mode: 'pigeon' }, 'invalid_request 70007'],
      [{ scope: undefined }, 'invalid_request 900144'],
      [{ scope: 'User.Read User.Fly' }, 'invalid_client 650053'],
      [{ scope: 'api://nobody/x' }, 'invalid_resource 500011'],
      [{ scope: `User.Read ${apps.api.scope}` }, 'invalid_request 28000'],
      [{ scope: 'a"b' }, 'invalid_scope 70011'],
      [{ prompt: 'none' }, 'login_required 50058'],
      [{ prompt: 'dance' }, 'invalid_request 90023'],
      [{ code_challenge: 'x'.repeat(43), code_challenge_method: 'S512' }, 'invalid_request 50149'],
      [{ code_challenge: 'x', code_challenge_method: 'S256' }, 'invalid_request 501491'],
      [{ code_challenge_method: 'S256' }, 'invalid_request 50147'],
      [{ resource: apps.api.scope.replace(/\/[^/]*$/, '') }, 'invalid_request 9010010'],
      [{ resource: 'http://localhost:3001/mcp' }, 'invalid_request 9010010'],
    ]) assert.equal(await frontError(extra), wanted, JSON.stringify(extra));
  });

  test('ignores the port of a localhost redirect', async () => {
    for (const port of [1, 3001, 65535]) {
      const page = await new Browser().open(authorizeUrl({ redirect_uri: `http://localhost:${port}/auth/callback` }));
      assert.equal(page.status, 200);
    }
    const native = await new Browser().open(authorizeUrl({ client_id: apps.public.id, redirect_uri: 'http://localhost:4567/' }));
    assert.equal(native.status, 200);
  });

  test('shows the page again after a wrong password', async () => {
    const page = await new Browser().open(authorizeUrl());
    for (const fields of [{ username: users.admin.username, password: 'wrong' }, { username: 'x@y', password: '' }, {}]) {
      const again = await page.submit(fields);
      assert.equal(again.status, 200);
      assert.match(again.text, /AADSTS50126/);
      assert.equal(again.headers['set-cookie'], undefined);
      assert.equal(again.next, undefined);
    }
    const right = await page.submit({ username: users.admin.username.toUpperCase(), password: users.admin.password });
    assert.ok(new URL(right.next).searchParams.get('code'));
  });

  test('lets a person be picked, and cancel', async () => {
    const page = await new Browser().open(authorizeUrl());
    const picked = await page.submit({ username: '', password: '', pick: users.bengali.username });
    const answer = await redeem(new URL(picked.next).searchParams.get('code'));
    assert.equal(claimsOf(answer.json.id_token).name, users.bengali.display_name);
    const cancelled = await page.submit({ choice: 'cancel', username: '', password: '' });
    const back = new URL(cancelled.next).searchParams;
    assert.equal(back.get('error'), 'access_denied');
    assert.match(back.get('error_description'), /AADSTS65004/);
  });

  test('answers with code, state, session_state and client_info', async () => {
    const back = await signIn({ client_info: '1' });
    assert.equal(back.get('state'), 'st&te "1"');
    assert.match(back.get('session_state'), GUID);
    assert.deepEqual(JSON.parse(Buffer.from(back.get('client_info'), 'base64url')), { uid: users.admin.id, utid: tid });
    assert.equal((await signIn()).get('client_info'), null);
  });

  test('signs the same browser in silently, unless told otherwise', async () => {
    const browser = new Browser();
    await signIn({}, { browser });
    for (const prompt of [undefined, 'none']) {
      const silent = await browser.open(authorizeUrl({ prompt }));
      assert.equal(silent.status, 302);
      assert.ok(new URL(silent.next).searchParams.get('code'));
    }
    for (const prompt of ['login', 'select_account'])
      assert.equal((await browser.open(authorizeUrl({ prompt }))).status, 200);
    assert.equal((await browser.open(authorizeUrl({ login_hint: users.reader.username }))).status, 200);
    assert.equal(await frontError({ prompt: 'none', login_hint: users.reader.username }, { browser }), 'login_required 50058');
    await browser.open(`${tenant}/oauth2/v2.0/logout`);
    assert.equal((await browser.open(authorizeUrl())).status, 200);
  });

  test('takes the request as a form too', async () => {
    const url = new URL(authorizeUrl());
    const browser = new Browser();
    const page = await browser.open(url.origin + url.pathname, {
      method: 'POST', body: url.search.slice(1), headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    const done = await page.submit({ username: users.reader.username, password: users.reader.password });
    assert.ok(new URL(done.next).searchParams.get('code'));
  });
});

describe('token', () => {
  test('redeems a code for tokens that verify', async () => {
    const verifier = secret();
    const nonce = secret();
    const back = await signIn({ code_challenge: s256(verifier), code_challenge_method: 'S256', nonce });
    const answer = await redeem(back.get('code'), { code_verifier: verifier, client_info: '1' });
    assert.equal(answer.status, 200, answer.text);
    assert.match(answer.headers['cache-control'], /no-store/);
    assert.equal(answer.headers.pragma, 'no-cache');
    const set = answer.json;
    assert.equal(set.token_type, 'Bearer');
    assert.ok(set.expires_in >= 3600 && set.expires_in <= 5400);
    assert.ok(set.refresh_token && set.client_info);
    assert.deepEqual(new Set(set.scope.split(' ')), new Set(['User.Read', 'openid', 'profile']));
    const keys = (await get(`${tenant}/discovery/v2.0/keys`)).json.keys;
    for (const jwt of [set.access_token, set.id_token]) {
      const { alg, kid, typ } = headerOf(jwt);
      assert.equal(`${alg} ${typ}`, 'RS256 JWT');
      const key = createPublicKey({ key: keys.find((k) => k.kid === kid), format: 'jwk' });
      const [head, body, signature] = jwt.split('.');
      assert.ok(verify('sha256', Buffer.from(`${head}.${body}`), key, Buffer.from(signature, 'base64url')));
    }
    const now = Date.now() / 1000;
    const id = claimsOf(set.id_token);
    assert.equal(id.aud, apps.web.id);
    assert.equal(id.iss, `${tenant}/v2.0`);
    assert.equal(id.nonce, nonce);
    assert.equal(id.oid, users.admin.id);
    assert.equal(id.tid, tid);
    assert.equal(id.preferred_username, users.admin.username);
    assert.equal(id.name, users.admin.display_name);
    assert.deepEqual(id.roles, users.admin.roles);
    assert.equal(id.ver, '2.0');
    assert.ok(Math.abs(now - 300 - id.iat) < 30 && id.nbf === id.iat && id.exp > now + 3500);
    const access = claimsOf(set.access_token);
    assert.equal(access.aud, GRAPH_ID);
    assert.equal(access.iss, `${base}/${tid}/`);
    assert.equal(access.ver, '1.0');
    assert.equal(access.appid, apps.web.id);
    assert.equal(access.appidacr, '1');
    assert.deepEqual(new Set(access.scp.split(' ')), new Set(['User.Read', 'openid', 'profile']));
    assert.equal(access.exp - access.iat, set.expires_in + 300);
    assert.notEqual(access.sub, id.sub);
  });

  test('puts a nonce in only when one was asked for', async () => {
    assert.equal('nonce' in claimsOf((await tokens()).id_token), false);
  });

  test('leaves out what was not asked for', async () => {
    const set = await tokens({ scope: 'User.Read' });
    assert.equal(set.id_token, undefined);
    assert.equal(set.refresh_token, undefined);
    assert.equal(set.client_info, undefined);
    assert.equal(set.scope, 'User.Read');
  });

  test('makes version 2 tokens for an API', async () => {
    const set = await tokens({ scope: `${OIDC} ${apps.api.scope}` }, { user: users.reader });
    const claims = claimsOf(set.access_token);
    assert.equal(set.scope, apps.api.scope);
    assert.equal(claims.aud, apps.api.id);
    assert.equal(claims.iss, `${tenant}/v2.0`);
    assert.equal(claims.azp, apps.web.id);
    assert.equal(claims.azpacr, '1');
    assert.equal(claims.scp, 'access_as_user');
    assert.equal(claims.ver, '2.0');
    assert.deepEqual(claims.roles, users.reader.roles);
    assert.equal((await me(set.access_token)).status, 401);
  });

  test('takes the secret by Basic, and .default', async () => {
    const back = await signIn({ scope: 'openid https://graph.microsoft.com/.default' });
    const basic = Buffer.from(`${apps.web.id}:${encodeURIComponent(apps.web.secret)}`).toString('base64');
    const answer = await redeem(back.get('code'), { client_id: undefined, client_secret: undefined }, tenant,
      { authorization: `Basic ${basic}` });
    assert.equal(answer.status, 200, answer.text);
    assert.match(claimsOf(answer.json.access_token).scp, /User\.Read/);
  });

  test('serves a public app without a secret, on common too', async () => {
    const redirect_uri = 'http://localhost:49999';
    const verifier = secret();
    const at = `${base}/common`;
    const back = await signIn({ client_id: apps.public.id, redirect_uri, code_challenge: verifier }, { at });
    const answer = await redeem(back.get('code'), {
      client_id: apps.public.id, client_secret: undefined, redirect_uri, code_verifier: verifier,
    }, at);
    assert.equal(answer.status, 200, answer.text);
    assert.equal(claimsOf(answer.json.access_token).appidacr, '0');
    assert.equal(claimsOf(answer.json.id_token).iss, `${tenant}/v2.0`);
    const again = await refresh(answer.json.refresh_token, { client_id: apps.public.id, client_secret: undefined });
    assert.equal(again.status, 200, again.text);
  });

  test('checks the client', async () => {
    const code = (await signIn()).get('code');
    assertError(await redeem(code, { client_secret: 'wrong' }), 401, 'invalid_client', 7000215);
    assertError(await redeem(code, { client_secret: undefined }), 401, 'invalid_client', 7000218);
    assertError(await redeem(code, { client_id: undefined }), 400, 'invalid_request', 900144);
    assertError(await redeem(code, { client_id: randomUUID() }), 400, 'unauthorized_client', 700016);
    assertError(await redeem(code, { client_id: apps.public.id }), 401, 'invalid_client', 700025);
    assertError(await redeem(code, { client_id: apps.public.id, client_secret: undefined }), 400, 'invalid_grant', 70000);
    assertError(await redeem(code, {}, `${base}/common`), 400, 'invalid_request', 50194);
    assertError(await redeem(code, {}, tenant, { authorization: 'Basic %%%' }), 400, 'invalid_request', 90023);
    assert.equal((await redeem(code)).status, 200);
  });

  test('checks the code', async () => {
    const verifier = secret();
    const challenge = { code_challenge: s256(verifier), code_challenge_method: 'S256' };
    const code = (await signIn(challenge)).get('code');
    const other = { code_verifier: verifier };
    assertError(await redeem(undefined, other), 400, 'invalid_request', 900144);
    assertError(await redeem(code, { ...other, redirect_uri: undefined }), 400, 'invalid_request', 900144);
    assertError(await redeem(code.toLowerCase(), other), 400, 'invalid_grant', 9002313);
    assertError(await redeem(`${code}x`, other), 400, 'invalid_grant', 70000);
    assertError(await redeem(code, { ...other, redirect_uri: 'http://localhost:3009/auth/callback' }),
      400, 'invalid_client', 50011);
    assertError(await redeem(code, { code_verifier: secret() }), 400, 'invalid_grant', 501481);
    assertError(await redeem(code), 400, 'invalid_grant', 50148);
    assertError(await redeem(code, { ...other, scope: `User.Read ${apps.api.scope}` }), 400, 'invalid_request', 28000);
    assertError(await redeem(code, { ...other, resource: 'http://x.example' }), 400, 'invalid_request', 9010010);
    assert.equal((await redeem(code, other)).status, 200);
    assertError(await redeem(code, other), 400, 'invalid_grant', 54005);
  });

  test('checks the request', async () => {
    const url = `${tenant}/oauth2/v2.0/token`;
    assertError(await post(url, {}), 400, 'invalid_request', 900144);
    for (const grant_type of ['password', 'urn:ietf:params:oauth:grant-type:saml2-bearer', 'x'])
      assertError(await post(url, { grant_type, client_id: apps.web.id }), 400, 'unsupported_grant_type', 70003);
    assertError(await get(url), 400, 'invalid_request', 900561);
    const twice = await request(url, { method: 'POST', body: 'grant_type=a&grant_type=b',
      headers: { 'content-type': 'application/x-www-form-urlencoded' } });
    assert.match(twice.text, /AADSTS90023/);
    const bad = await request(url, { method: 'POST', body: 'grant_type=%FF',
      headers: { 'content-type': 'application/x-www-form-urlencoded' } });
    assert.match(bad.text, /AADSTS90023/);
  });

  test('echoes the correlation id', async () => {
    const id = randomUUID();
    const asked = { 'client-request-id': id, 'return-client-request-id': 'true' };
    const answer = await redeem('x', {}, tenant, asked);
    assert.equal(answer.json.correlation_id, id);
    assert.equal(answer.headers['client-request-id'], id);
    const inBody = await redeem('x', { 'client-request-id': id });
    assert.equal(inBody.json.correlation_id, id);
    assert.equal(inBody.headers['client-request-id'], undefined);
    const forged = await redeem('x', {}, tenant, { ...asked, 'client-request-id': 'a b' });
    assert.match(forged.json.correlation_id, GUID);
  });

  test('refreshes again and again with the same refresh token', async () => {
    const first = await tokens();
    const a = await refresh(first.refresh_token);
    const b = await refresh(first.refresh_token, { scope: 'openid User.Read' });
    assert.equal(a.status, 200, a.text);
    assert.equal(b.status, 200, b.text);
    assert.equal(new Set([first, a.json, b.json].map((t) => t.refresh_token)).size, 3);
    assert.equal('nonce' in claimsOf(a.json.id_token), false);
    assert.equal(b.json.scope, 'User.Read openid');
    const api = await refresh(a.json.refresh_token, { scope: apps.api.scope });
    assert.equal(claimsOf(api.json.access_token).aud, apps.api.id);
    assertError(await refresh('nothing'), 400, 'invalid_grant', 70000);
    assertError(await refresh(undefined), 400, 'invalid_request', 900144);
    assertError(await refresh(first.refresh_token, { client_id: apps.public.id, client_secret: undefined }),
      400, 'invalid_grant', 70000);
    assertError(await refresh(first.refresh_token, { scope: 'User.Fly' }), 400, 'invalid_client', 650053);
  });
});

describe('Graph', () => {
  test('tells the person about themselves', async () => {
    const { access_token } = await tokens({}, { user: users.bengali });
    const answer = await me(access_token);
    assert.equal(answer.status, 200, answer.text);
    assert.match(answer.headers['content-type'], /^application\/json;/);
    assert.match(answer.headers['request-id'], GUID);
    assert.equal(answer.json['@odata.context'], `${base}/v1.0/$metadata#users/$entity`);
    assert.equal(answer.json.displayName, users.bengali.display_name);
    assert.equal(answer.json.mail, users.bengali.mail);
    assert.equal(answer.json.userPrincipalName, users.bengali.username);
    assert.equal(answer.json.id, users.bengali.id);
    assert.deepEqual(answer.json.businessPhones, []);
    assert.equal(answer.json.mobilePhone, null);
    const id = randomUUID();
    const selected = await me(access_token, '?$select=displayName,mail,userPrincipalName', { 'client-request-id': id });
    assert.equal(selected.headers['client-request-id'], id);
    assert.deepEqual(Object.keys(selected.json).sort(),
      ['@odata.context', 'displayName', 'mail', 'userPrincipalName']);
    const info = await get(`${base}/oidc/userinfo`, { authorization: `Bearer ${access_token}` });
    assert.equal(info.json.name, users.bengali.display_name);
  });

  test('refuses tokens that are not for it', async () => {
    const set = await tokens();
    const [head, body, signature] = set.access_token.split('.');
    const none = Buffer.from('{"typ":"JWT","alg":"none"}').toString('base64url');
    for (const token of ['', 'x', set.id_token, `${head}.${body}.`, `${none}.${body}.`,
      `${head}.${body}.${signature.slice(0, -4)}AAAA`]) {
      const answer = await me(token);
      assert.equal(answer.status, 401, token);
      assert.equal(answer.json.error.code, 'InvalidAuthenticationToken');
      assert.match(answer.json.error.innerError['request-id'], GUID);
      assert.match(answer.json.error.innerError.date, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/);
      assert.match(answer.headers['www-authenticate'], /^Bearer realm="", authorization_uri="/);
    }
    assert.equal((await get(`${base}/v1.0/me`)).status, 401);
    const openid = await tokens({ scope: OIDC });
    const denied = await me(openid.access_token);
    assert.equal(denied.status, 403);
    assert.equal(denied.json.error.code, 'Authorization_RequestDenied');
    assert.equal((await get(`${base}/v1.0/planets`)).json.error.code, 'BadRequest');
    for (const id of [randomUUID(), undefined, 'no guid']) {
      const { headers, json } = await me('x', '', id ? { 'client-request-id': id } : {});
      const own = id && id !== 'no guid';
      assert.equal(headers['client-request-id'], own ? id : headers['request-id']);
      assert.equal(json.error.innerError['client-request-id'], headers['client-request-id']);
      assert.equal(json.error.innerError['request-id'], headers['request-id']);
    }
  });
});

describe('faults on purpose', () => {
  test('come as often as they were asked for', async () => {
    const set = await tokens();
    assert.equal((await emul('faults', { where: 'token', aadsts: 70008, count: 2 })).status, 201);
    for (let i = 0; i < 2; i++) assertError(await refresh(set.refresh_token), 400, 'invalid_grant', 70008);
    assert.equal((await refresh(set.refresh_token)).status, 200);
  });

  test('throttle with seconds and with a date', async () => {
    const set = await tokens();
    await emul('faults', { where: 'token', aadsts: 90055, retry_after: '3' });
    const token = await refresh(set.refresh_token);
    assertError(token, 429, 'temporarily_unavailable', 90055);
    assert.equal(token.headers['retry-after'], '3');
    await emul('faults', { where: 'graph', retry_after: 'date', status: 429 });
    const graph = await me(set.access_token);
    assert.equal(graph.status, 429);
    assert.equal(graph.json.error.code, 'TooManyRequests');
    const wait = Date.parse(graph.headers['retry-after']) - Date.now();
    assert.ok(wait > 0 && wait <= 4000, graph.headers['retry-after']);
    await emul('faults', { where: 'graph', status: 503, retry_after: 1 });
    assert.equal((await me(set.access_token)).json.error.code, 'serviceNotAvailable');
    assert.equal((await me(set.access_token)).status, 200);
  });

  test('meet discovery, keys and the sign-in page', async () => {
    await emul('faults', { where: 'discovery', status: 503 });
    assert.equal((await get(`${tenant}/v2.0/.well-known/openid-configuration`)).status, 503);
    await emul('faults', { where: 'keys', status: 500 });
    assert.equal((await get(`${tenant}/discovery/v2.0/keys`)).status, 500);
    await emul('faults', { where: 'authorize', aadsts: 65001 });
    assert.equal(await frontError({}), 'consent_required 65001');
    await emul('faults', { where: 'authorize', aadsts: 90033 });
    assert.equal(await frontError({}), 'temporarily_unavailable 90033');
  });

  test('delay an answer without changing it, and survive a client that left', async () => {
    const set = await tokens();
    await emul('faults', { where: 'graph', delay_ms: 300, count: 2 });
    const start = performance.now();
    assert.equal((await me(set.access_token)).status, 200);
    assert.ok(performance.now() - start >= 290);
    const gone = fetch(`${base}/v1.0/me`, { signal: AbortSignal.timeout(50) });
    await assert.rejects(gone);
    await new Promise((resolve) => { setTimeout(resolve, 400); });
    assert.equal((await me(set.access_token)).status, 200);
  });

  // With the sanitizers' programs this tells a leak, too.
  test('do not keep the program from ending cleanly', async () => {
    const own = await Program.start(TENANT, ['--listen', '127.0.0.1:0']);
    await request(`${own.info.authority}/_emul/faults`, {
      method: 'POST', body: JSON.stringify({ where: 'graph', delay_ms: 30000 }),
      headers: { 'content-type': 'application/json' },
    });
    const cut = assert.rejects(get(`${own.info.graph}/v1.0/me`));
    const taken = async () => JSON.parse((await get(`${own.info.authority}/_emul/log`)).text).counts.graph_me;
    while (!await taken()) await new Promise((resolve) => { setTimeout(resolve, 5); });
    assert.deepEqual(await own.stop(), { code: 0, signal: null }, own.stderr);
    await cut;
  });

  test('are checked, and cleared', async () => {
    for (const fault of [{}, { where: 'moon', status: 500 }, { where: 'token' }, { where: 'token', status: 200 },
      { where: 'token', aadsts: 'x' }, { where: 'token', retry_after: 'soon' }, { where: 'token', delay_ms: 99999999 }])
      assert.equal((await emul('faults', fault)).status, 400, JSON.stringify(fault));
    await emul('faults', { where: 'graph', status: 500, count: 0 });
    assert.equal((await me('x')).status, 500);
    assert.equal((await me('x')).status, 500);
    assert.equal((await emul('faults', undefined, 'DELETE')).status, 200);
    assert.equal((await me('x')).status, 401);
  });

  test('are not for pages of other sites', async () => {
    const url = `${base}/_emul/faults`;
    const body = '{"where":"token","status":500}';
    const json = { 'content-type': 'application/json' };
    assert.equal((await request(url, { method: 'POST', body, headers: { 'content-type': 'text/plain' } })).status, 403);
    assert.equal((await request(url, { method: 'POST', body, headers: { ...json, origin: 'http://evil.example' } })).status, 403);
    assert.equal((await request(url, { method: 'POST', body, headers: { ...json, host: 'evil.example' } })).status, 400);
    assert.equal((await get(`${tenant}/_emul/faults`)).status, 404);
  });
});

describe('control', () => {
  test('revokes a person by any name', async () => {
    const set = await tokens({}, { user: users.reader });
    const browser = new Browser();
    await signIn({}, { browser, user: users.reader });
    const other = await tokens();
    assert.equal((await emul('revoke', { user: 'nobody' })).status, 404);
    for (const user of ['reader', users.reader.username, users.reader.id])
      assert.equal((await emul('revoke', { user })).status, 200);
    assertError(await refresh(set.refresh_token), 400, 'invalid_grant', 50173);
    assert.equal((await refresh(set.refresh_token)).json.suberror, 'bad_token');
    assert.equal((await me(set.access_token)).status, 401);
    assert.equal(await frontError({ prompt: 'none' }, { browser }), 'login_required 50058');
    assert.equal((await me(other.access_token)).status, 200);
    assert.equal((await me((await tokens({}, { user: users.reader })).access_token)).status, 200);
  });

  test('rotates keys and keeps the old ones for a while', async () => {
    const old = await tokens();
    const before_ = (await get(`${tenant}/discovery/v2.0/keys`)).json.keys.map((k) => k.kid);
    assert.equal((await emul('keys/rotate')).status, 200);
    const after_ = (await get(`${tenant}/discovery/v2.0/keys`)).json.keys.map((k) => k.kid);
    const fresh = await tokens();
    assert.ok(!before_.includes(headerOf(fresh.id_token).kid));
    assert.equal(headerOf(fresh.id_token).kid, after_[0]);
    assert.ok(after_.includes(headerOf(old.id_token).kid));
    assert.equal((await me(old.access_token)).status, 200);
    assert.equal((await me(fresh.access_token)).status, 200);
  });

  test('sets the lifetime of access tokens', async () => {
    assert.equal((await emul('settings', { access_token_seconds: 1 })).status, 200);
    const set = await tokens();
    assert.equal(set.expires_in, 1);
    const { exp } = claimsOf(set.access_token);
    while (Date.now() / 1000 < exp + 0.05) await new Promise((resolve) => { setTimeout(resolve, 50); });
    assert.equal((await me(set.access_token)).status, 401);
    assert.equal((await emul('settings', { access_token_seconds: 0 })).status, 200);
  });

  test('counts requests by endpoint', async () => {
    const before_ = await counts();
    const set = await tokens();
    await refresh(set.refresh_token);
    await me(set.access_token);
    const now = await counts();
    const more = (name) => now[name] - (before_[name] ?? 0);
    assert.deepEqual(['authorize', 'sign_in', 'token', 'token.authorization_code', 'token.refresh_token', 'graph_me'].map(more),
      [1, 1, 2, 1, 1, 1]);
  });
});

describe('data of one’s own', () => {
  const write = (folder, text) => {
    const file = path.join(folder, 'set.yaml');
    writeFileSync(file, text);
    return file;
  };
  const set = `
tenants:
  - {id: 11111111-2222-4333-8444-555555555555, domain: fabrikam.example, name: Fabrikam}
users:
  eve: {id: 21111111-2222-4333-8444-555555555555, username: eve@fabrikam.example, password: p, display_name: Eve <b>}
  locked: {id: 31111111-2222-4333-8444-555555555555, username: l@fabrikam.example, password: p, display_name: L, sign_in_error: 50053}
apps:
  web: {id: 41111111-2222-4333-8444-555555555555, name: W, redirects: ["com.example.app:/back"], secret: s}
access_token_seconds: 7
resource_mode: refuse
faults:
  - {where: keys, status: 503, count: 1, retry_after: 9}
`;

  test('is used, with its faults and settings', async (t) => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'tenant-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const own = await Program.start(TENANT, ['--listen', 'localhost:0', `--data=${write(folder, set)}`]);
    t.after(() => own.stop());
    const at = own.info.tenant;
    const keys = await get(`${at}/discovery/v2.0/keys`);
    assert.equal(keys.status, 503);
    assert.equal(keys.headers['retry-after'], '9');
    const query = { client_id: '41111111-2222-4333-8444-555555555555', response_type: 'code',
      redirect_uri: 'com.example.app:/back', scope: 'openid User.Read' };
    const page = await new Browser().open(`${at}/oauth2/v2.0/authorize?${form(query)}`);
    assert.ok(page.text.includes('Eve &lt;b&gt;') && !page.text.includes('<b>'));
    assert.match((await page.submit({ username: 'l@fabrikam.example', password: 'p' })).text, /AADSTS50053/);
    const done = await page.submit({ username: 'eve@fabrikam.example', password: 'p' });
    assert.match(done.next, /^com\.example\.app:\/back\?code=/);
    assert.ok(unescapeHtml(done.text).includes(`href="${done.next}"`));
    const refused = await new Browser().open(`${at}/oauth2/v2.0/authorize?${form({ ...query, resource: own.info.graph })}`);
    assert.match(refused.headers.location, /AADSTS901002/);
    const answer = await post(`${at}/oauth2/v2.0/token`, { grant_type: 'authorization_code',
      client_id: query.client_id, client_secret: 's', redirect_uri: query.redirect_uri,
      code: new URL(done.next).searchParams.get('code') });
    assert.equal(answer.json.expires_in, 7, answer.text);
    assert.equal(claimsOf(answer.json.id_token).iss, `${at}/v2.0`);
  });

  test('is refused with file, line and column', async (t) => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'tenant-'));
    t.after(() => rmSync(folder, { recursive: true }));
    for (const [from, to, what] of [
      ['password: p, display_name: Eve <b>', 'pass: p, display_name: E', /set\.yaml:5:\d+: pass: there is no such key/],
      ['id: 2111', 'id: x111', /set\.yaml:5:\d+: id: write a GUID/],
      ['username: eve@fabrikam.example, ', '', /username is missing/],
      ['"com.example.app:/back"', '"javascript:alert(1)"', /redirects are/],
      ['"com.example.app:/back"', '"http://evil.example/"', /redirects are/],
      ['where: keys', 'where: moon', /a fault needs/],
      ['mode: refuse', 'mode: dance', /resource_mode/],
      ['access_token_seconds: 7', 'access_token_seconds: -7', /write a number/],
      ['mode: refuse', 'mode: dance', /set\.yaml:10:16: resource_mode: write check/],
      [/^users:(.|\n)*?^apps:/m, 'users:\n  - {id: x}\napps:', /set\.yaml:5:\d+: users: write a map/],
      [/^users:(.|\n)*?^apps:/m, 'users: foo\napps:', /set\.yaml:4:8: users: write a map/],
      [/^apps:(.|\n)*?^access/m, 'apps:\n  - {id: x}\naccess', /set\.yaml:\d+:\d+: apps: write a map/],
      [/^apps:(.|\n)*?^access/m, 'apps: foo\naccess', /set\.yaml:\d+:\d+: apps: write a map/],
      [/^tenants:(.|\n)*?^users:/m, 'tenants: foo\nusers:', /set\.yaml:\d+:10: tenants: write a list/],
      [/^tenants:(.|\n)*?^users:/m, 'tenants: {a: b}\nusers:', /set\.yaml:\d+:10: tenants: write a list/],
      [/^tenants:(.|\n)*?^users:/m, 'tenants: []\nusers:', /set\.yaml:\d+:10: tenants: write one to eight/],
      [/^tenants:(.|\n)*?^users:/m, 'users:', /set\.yaml:\d+:1: write one to eight `tenants`/],
      [/^faults:(.|\n)*/m, 'faults: {a: b}\n', /set\.yaml:\d+:9: faults: write a list/],
      [/^(.|\n)*$/, '[a]\n', /set\.yaml:1:1: write a map/],
    ]) {
      const end = await runToEnd(TENANT, ['--data', write(folder, set.replace(from, to))]);
      assert.equal(end.code, 2, what);
      assert.match(end.stderr, what);
    }
  });
});
