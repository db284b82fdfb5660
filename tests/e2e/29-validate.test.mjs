// Tokens of the stand-in tenant, validated through the public C API.
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { TokenChecker } from './lib/check-token.mjs';
import { OIDC, StandIn } from './lib/standin.mjs';

const GRAPH = '00000003-0000-0000-c000-000000000000';
const STRANGER = '00000000-0000-4000-8000-000000000001';
const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const decode = (part) => JSON.parse(Buffer.from(part, 'base64url'));

describe('a C program that validates tokens of the stand-in', () => {
  let standIn;
  let tokens; // of the reader, for the API and for Graph
  let graph;
  before(async () => {
    standIn = await StandIn.start();
    const options = { user: standIn.users.reader };
    tokens = await standIn.tokens({ scope: `${OIDC} ${standIn.apps.api.scope}` }, options);
    graph = await standIn.tokens({}, options);
  });
  after(() => standIn.stop());

  const optionsOf = (extra = {}) => ({
    authority_host: standIn.base, tenant: standIn.tenants[0].id, audience: standIn.apps.api.id,
    client: standIn.apps.web.id, scope: 'access_as_user', ...extra,
  });
  const verdict = async (t, extra, token = tokens.access_token) =>
    (await TokenChecker.start(t, optionsOf(extra))).verdict(token);
  const isGood = (answer, version, scopes = 'access_as_user') => assert.equal(answer,
    `ok v${version} user tid=${standIn.tenants[0].id} oid=${standIn.users.reader.id} `
    + `client=${standIn.apps.web.id} scopes=${scopes}`);

  // @spec S-15
  // @spec W-46: by keys that are here, without a question to Entra.
  test('takes a v2 token for the API', async (t) => isGood(await verdict(t, {}), 2));
  test('takes a v1 token by the issuer of v1', async (t) =>
    isGood(await verdict(t, { audience: GRAPH, scope: 'User.Read' }, graph.access_token), 1,
      decode(graph.access_token.split('.')[1]).scp));
  test('refuses a token for Microsoft Graph', async (t) =>
    assert.equal(await verdict(t, {}, graph.access_token), 'denied graph_audience'));
  test('refuses an id token, whose audience is its client', async (t) =>
    assert.equal(await verdict(t, { audience: standIn.apps.web.id }, tokens.id_token), 'denied id_token'));
  // @spec S-22 W-97
  test('refuses a token of a tenant that is not on the list', async (t) =>
    assert.equal(await verdict(t, { tenant: standIn.tenants[1].id }), 'denied tenant'));
  test('takes it when both tenants are on the list, with the keys of all', async (t) =>
    isGood(await verdict(t, { tenant: standIn.tenants.map((one) => one.id) }), 2));
  // @spec W-89
  test('refuses a token of another client', async (t) =>
    assert.equal(await verdict(t, { client: STRANGER }), 'denied client'));
  test('refuses a token without the scope', async (t) =>
    assert.equal(await verdict(t, { scope: 'Orders.Read' }), 'denied scope'));
  test('refuses a token whose claims were changed', async (t) => {
    const [header, claims, signature] = tokens.access_token.split('.');
    const changed = encode({ ...decode(claims), roles: ['Mcp.Admin'] });
    assert.equal(await verdict(t, {}, `${header}.${changed}.${signature}`), 'denied signature');
  });
  test('refuses what is no token', async (t) => {
    const checker = await TokenChecker.start(t, optionsOf());
    assert.equal(await checker.verdict(tokens.refresh_token), 'denied malformed');
    assert.equal(await checker.verdict(`Bearer ${tokens.access_token}`), 'denied malformed');
    assert.equal(await checker.verdict('x'.repeat(17000)), 'denied too_long');
    isGood(await checker.verdict(tokens.access_token), 2);
  });

  test('finds the keys after a rotation, and asks no more for a key that does not exist', async (t) => {
    const checker = await TokenChecker.start(t, optionsOf());
    isGood(await checker.verdict(tokens.access_token), 2);
    assert.equal((await standIn.emul('keys/rotate')).status, 200);
    const fresh = await standIn.tokens({ scope: `${OIDC} ${standIn.apps.api.scope}` }, { user: standIn.users.reader });
    assert.notEqual(decode(fresh.access_token.split('.')[0]).kid, decode(tokens.access_token.split('.')[0]).kid);
    isGood(await checker.verdict(fresh.access_token), 2);
    const [, claims, signature] = fresh.access_token.split('.');
    const forged = `${encode({ alg: 'RS256', kid: 'made-up' })}.${claims}.${signature}`;
    assert.equal(await checker.verdict(forged), 'denied unknown_key');
    // A provider that is gone now does not matter: nothing is asked.
    await standIn.fault({ where: 'keys', status: 500 });
    assert.equal(await checker.verdict(forged), 'denied unknown_key');
    isGood(await checker.verdict(fresh.access_token), 2);
  });
});

describe('over TLS', () => {
  test('a private authority is trusted by ca_file, and only by it', async (t) => {
    const standIn = await StandIn.start(['--https-listen', '127.0.0.1:0']);
    t.after(() => standIn.stop());
    const { access_token: token } = await standIn.tokens(
      { scope: `${OIDC} ${standIn.apps.api.scope}` }, { user: standIn.users.reader });
    const options = { authority_host: standIn.base, tenant: standIn.tenants[0].id, audience: standIn.apps.api.id };
    const trusting = await TokenChecker.start(t, { ...options, ca_file: standIn.program.info.ca });
    assert.match(await trusting.verdict(token), /^ok v2 user /);
    const wary = await TokenChecker.start(t, options);
    assert.equal(await wary.verdict(token), 'retry keys_unavailable');
  });
});

// Tokens that the stand-in does not make: an authority of a few lines.
describe('tokens of an application', () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const [tid, api, app, oid] = ['a', 'b', 'c', 'd'].map((c) => `${c.repeat(8)}-0000-4000-8000-000000000000`);
  let server;
  let host;
  before(async () => {
    server = http.createServer((request, answer) => answer.end(JSON.stringify(request.url.endsWith('/keys')
      ? { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k', use: 'sig', issuer: `${host}/{tenantid}/v2.0` }] }
      : { issuer: `${host}/${tid}/v2.0`, jwks_uri: `${host}/keys` })));
    await new Promise((r) => server.listen(0, '127.0.0.1', r));
    host = `http://127.0.0.1:${server.address().port}`;
  });
  after(() => server.close());

  const token = (changes = {}, header = {}) => {
    const now = Math.floor(Date.now() / 1000);
    const text = [{ typ: 'JWT', alg: 'RS256', kid: 'k', ...header }, {
      aud: api, iss: `${host}/${tid}/v2.0`, iat: now - 300, nbf: now - 300, exp: now + 3600, azp: app, azpacr: '1',
      idtyp: 'app', oid, sub: oid, tid, roles: ['Orders.Read.All'], ver: '2.0', ...changes,
    }].map(encode).join('.');
    return `${text}.${sign('sha256', Buffer.from(text), privateKey).toString('base64url')}`;
  };
  const optionsOf = (extra) => ({ authority_host: host, tenant: tid, audience: api, ...extra });

  test('are refused unless roles for them are named', async (t) => {
    const persons = await TokenChecker.start(t, optionsOf());
    assert.equal(await persons.verdict(token()), 'denied app_only');
    const both = await TokenChecker.start(t, optionsOf({ app_role: 'Orders.Read.All' }));
    assert.equal(await both.verdict(token()), `ok v2 app tid=${tid} oid=${oid} client=${app} scopes=`);
    assert.equal(await both.verdict(token({ roles: undefined })), 'denied role');
    assert.equal(await both.verdict(token({ scp: 'x' })), 'denied kind');
  });

  test('and Graph’s own, with a nonce in the header, are named as such', async (t) => {
    const checker = await TokenChecker.start(t, optionsOf());
    assert.equal(await checker.verdict(token({ aud: GRAPH }, { nonce: 'x' })), 'denied graph_nonce');
  });
});
