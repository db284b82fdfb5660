// Microsoft's own library for Node runs the other grants against the stand-in,
// so that the stand-in is held to what Microsoft's client accepts: device code,
// secret, certificate and assertion, on behalf of, claims challenges
// (entra-wire 1.8 to 1.10, 2.13 to 2.15, 4.2).
import assert from 'node:assert/strict';
import { createHash, constants, generateKeyPairSync, randomUUID, sign, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { Browser, request, trust } from './lib/browser.mjs';
import { Msal } from './lib/msal.mjs';
import { answerOf, StandIn } from './lib/standin.mjs';

const GRAPH = ['https://graph.microsoft.com/.default'];
let standIn, msal, users, apps, common;

before(async () => {
  standIn = await StandIn.start(['--https-listen', 'localhost:0']);
  ({ users, apps } = standIn);
  msal = Msal.start(standIn.program.info.ca);
  common = { authority: standIn.tenant, knownAuthorities: [new URL(standIn.base).host] };
});
after(async () => {
  await msal?.stop();
  await standIn?.stop();
});
beforeEach(async () => {
  await standIn.emul('faults', undefined, 'DELETE');
  await standIn.emul('settings', { device_interval: 1, device_code_seconds: 0, access_token_seconds: 0, graph_acrs: '' });
  for (const app of ['web', 'api', 'public']) await standIn.consent('granted', app);
});

const claimsOf = (jwt) => JSON.parse(Buffer.from(jwt.split('.')[1], 'base64url'));
const counts = async () => JSON.parse((await standIn.emul('log', undefined, 'GET')).text).counts;
const confidential = (app, auth = {}) =>
  msal.app('confidential', { ...common, clientId: app.id, clientSecret: app.secret, ...auth });
const publicApp = (auth = {}) => msal.app('public', { ...common, clientId: apps.public.id, ...auth });
const me = (token) => request(`${standIn.base}/v1.0/me`, { headers: { authorization: `Bearer ${token}` } });

function assertRefusal(e, kind, code, number, suberror) {
  assert.deepEqual([e.kind, e.code, e.number, e.suberror || undefined], [kind, code, number, suberror], e.text);
}

// How often one grant was asked for meanwhile.
async function asked(grant, work) {
  const old = await counts();
  await work();
  return ((await counts())[`token.${grant}`] ?? 0) - (old[`token.${grant}`] ?? 0);
}

describe('msal-node, with a device code', () => {
  // A person types the code and does what `end` says on the last page.
  const walk = (user, end = { choice: 'continue' }) => async (device) => {
    assert.ok(device.message.includes(device.userCode));
    const page = await (await new Browser().open(device.verificationUri)).follow();
    const signIn = await page.submit({ otc: device.userCode });
    await (await signIn.submit({ username: user.username, password: user.password })).submit(end);
  };

  // The library hands on what the service called it, and forgets the number.
  const assertGivesUp = ({ error }, text) =>
    assert.deepEqual([error?.kind, error?.code, error?.text], ['AuthError', 'post_request_failed', text]);

  test('signs a person in, polling as it was told', async () => {
    const app = await publicApp();
    const times = await asked('device_code', async () => {
      const { result, error } = await app.device({ scopes: ['User.Read'] }, walk(users.bengali));
      assert.equal(error, undefined, error?.text);
      assert.equal(result.uniqueId, users.bengali.id);
      assert.equal(result.account.name, users.bengali.display_name);
      assert.ok(result.scopes.includes('User.Read'));
      const silent = await app.call('acquireTokenSilent', { account: result.account, scopes: ['User.Read'] });
      assert.equal(silent.fromCache, true);
      const fresh = await app.call('acquireTokenSilent',
        { account: result.account, scopes: ['User.Read'], forceRefresh: true });
      assert.equal(fresh.fromCache, false);
    });
    assert.ok(times >= 1 && times <= 3, `${times}`);
  });

  test('signs people of any tenant in on organizations', async () => {
    const [fred] = Object.values(standIn.tenants[1].users);
    const app = await publicApp({ authority: `${standIn.base}/organizations` });
    const { result, error } = await app.device({ scopes: ['User.Read'] }, walk(fred));
    assert.equal(error, undefined, error?.text);
    assert.equal(result.tenantId, standIn.tenants[1].id);
  });

  test('is told that the person did not want to, or came too late', async () => {
    const app = await publicApp();
    const declined = await app.device({ scopes: ['User.Read'] }, walk(users.admin, { choice: 'cancel' }));
    assertGivesUp(declined, 'authorization_declined');
    await standIn.emul('settings', { device_code_seconds: 2 });
    const late = await app.device({ scopes: ['User.Read'] }, () => {});
    // By its own clock, or by ours: whichever is first.
    assert.match(`${late.error.code} ${late.error.text}`, /^device_code_expired|expired_token$/);
  });

  test('gives up at slow_down, and at a code that nobody knows', async () => {
    const app = await publicApp();
    await standIn.fault({ where: 'token', grant: 'device_code', error: 'slow_down' });
    assertGivesUp(await app.device({ scopes: ['User.Read'] }, () => {}), 'slow_down');
    await standIn.fault({ where: 'token', grant: 'device_code', aadsts: 70018 });
    assertGivesUp(await app.device({ scopes: ['User.Read'] }, () => {}), 'bad_verification_code');
    await standIn.fault({ where: 'token', grant: 'device_code', aadsts: 70020 });
    assertGivesUp(await app.device({ scopes: ['User.Read'] }, () => {}), 'expired_token');
  });
});

describe('msal-node, in the name of an application', () => {
  const assertApp = (result, proof = '1') => {
    const claims = claimsOf(result.accessToken);
    assert.deepEqual([claims.idtyp, claims.appid, claims.appidacr, claims.roles, claims.scp],
      ['app', apps.daemon.id, proof, ['User.Read.All'], undefined]);
    assert.equal(result.account, null);
  };

  test('asks with a secret, once', async () => {
    const app = await confidential(apps.daemon);
    const times = await asked('client_credentials', async () => {
      assertApp(await app.call('acquireTokenByClientCredential', { scopes: GRAPH }));
      const again = await app.call('acquireTokenByClientCredential', { scopes: GRAPH });
      assert.equal(again.fromCache, true);
    });
    assert.equal(times, 1);
    const api = await app.call('acquireTokenByClientCredential', { scopes: [`${apps.api.id}/.default`] });
    assert.deepEqual(claimsOf(api.accessToken).roles, ['Jobs.Run']);
  });

  test('asks with a certificate, by SHA-256 and by SHA-1, with and without its chain', async () => {
    const { key, certificate } = JSON.parse((await standIn.emul('certificate', { app: 'daemon' })).text);
    const { raw } = new X509Certificate(certificate);
    const hash = (name) => createHash(name).update(raw).digest('hex');
    for (const clientCertificate of [
      { thumbprintSha256: hash('sha256'), privateKey: key },
      { thumbprintSha256: hash('sha256'), privateKey: key, x5c: certificate },
      { thumbprint: hash('sha1'), privateKey: key }]) {
      const app = await confidential(apps.daemon, { clientSecret: undefined, clientCertificate });
      assertApp(await app.call('acquireTokenByClientCredential', { scopes: GRAPH }), '2');
    }
    const stranger = generateKeyPairSync('rsa', { modulusLength: 2048,
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' }, publicKeyEncoding: { type: 'spki', format: 'pem' } });
    const wrong = await confidential(apps.daemon, { clientSecret: undefined,
      clientCertificate: { thumbprintSha256: hash('sha256'), privateKey: stranger.privateKey } });
    assertRefusal(await wrong.refusal('acquireTokenByClientCredential', { scopes: GRAPH }),
      'ServerError', 'invalid_client', 700027);
  });

  test('asks with an assertion that a function makes', async () => {
    const { key, certificate } = JSON.parse((await standIn.emul('certificate', { app: 'daemon' })).text);
    const b64 = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const now = Math.floor(Date.now() / 1000);
    const head = { alg: 'PS256', typ: 'JWT',
      'x5t#S256': createHash('sha256').update(new X509Certificate(certificate).raw).digest('base64url') };
    const text = `${b64(head)}.${b64({ aud: `${standIn.tenant}/oauth2/v2.0/token`, iss: apps.daemon.id,
      sub: apps.daemon.id, jti: randomUUID(), nbf: now, exp: now + 600 })}`;
    const assertion = `${text}.${sign('sha256', Buffer.from(text),
      { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }).toString('base64url')}`;
    const app = await confidential(apps.daemon, { clientSecret: undefined, assertion });
    assertApp(await app.call('acquireTokenByClientCredential', { scopes: GRAPH }), '2');
    const [about] = await msal.must('asked');
    assert.equal(about.clientId, apps.daemon.id);
    assert.equal(about.tokenEndpoint, `${standIn.tenant}/oauth2/v2.0/token`);
  });

  test('is refused as Entra refuses', async () => {
    const wrong = await confidential(apps.daemon, { clientSecret: 'wrong' });
    assertRefusal(await wrong.refusal('acquireTokenByClientCredential', { scopes: GRAPH }),
      'ServerError', 'invalid_client', 7000215);
    const app = await confidential(apps.daemon);
    assertRefusal(await app.refusal('acquireTokenByClientCredential', { scopes: ['User.Read.All'] }),
      'ServerError', 'invalid_scope', 1002012);
    assertRefusal(await app.refusal('acquireTokenByClientCredential', { scopes: ['api://nowhere/.default'] }),
      'ServerError', 'invalid_resource', 500011);
    await standIn.fault({ where: 'token', grant: 'client_credentials', aadsts: 7000222 });
    assertRefusal(await app.refusal('acquireTokenByClientCredential', { scopes: GRAPH }),
      'ServerError', 'invalid_client', 7000222);
  });

  test('asks again for a token that soon ends', async () => {
    await standIn.emul('settings', { access_token_seconds: 200 });
    const app = await confidential(apps.daemon);
    const times = await asked('client_credentials', async () => {
      for (let i = 0; i < 2; i++) await app.call('acquireTokenByClientCredential', { scopes: GRAPH });
    });
    assert.equal(times, 2);
  });
});

describe('msal-node with a token of another issuer', () => {
  test('is let in as the application that trusts it', async (t) => {
    const issuer = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const folder = mkdtempSync(path.join(os.tmpdir(), 'tenant-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const id = '41111111-2222-4333-8444-555555555555';
    writeFileSync(path.join(folder, 'set.yaml'), JSON.stringify({
      tenants: [{ id: '11111111-2222-4333-8444-555555555555', domain: 'a.example', name: 'A' }],
      apps: { job: { id, name: 'J', redirects: ['http://localhost'], federated: [{ issuer: 'https://ci.example',
        subject: 'system:serviceaccount:a:b', key: issuer.publicKey.export({ type: 'spki', format: 'pem' }) }] } },
    }));
    const own = await StandIn.start(['--https-listen', 'localhost:0', '--data', path.join(folder, 'set.yaml')]);
    const library = Msal.start(own.program.info.ca);
    try {
      const b64 = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
      const make = (sub) => {
        const text = `${b64({ alg: 'RS256', typ: 'JWT', kid: 'k' })}.${b64({ iss: 'https://ci.example', sub,
          aud: 'api://AzureADTokenExchange', exp: Math.floor(Date.now() / 1000) + 600 })}`;
        return `${text}.${sign('sha256', Buffer.from(text), issuer.privateKey).toString('base64url')}`;
      };
      const app = (sub) => library.app('confidential', { clientId: id, clientAssertion: make(sub),
        authority: own.program.info.tenant, knownAuthorities: [new URL(own.base).host] });
      const result = await (await app('system:serviceaccount:a:b'))
        .call('acquireTokenByClientCredential', { scopes: GRAPH });
      assert.equal(claimsOf(result.accessToken).appid, id);
      const e = await (await app('system:serviceaccount:A:b'))
        .refusal('acquireTokenByClientCredential', { scopes: GRAPH });
      assertRefusal(e, 'ServerError', 'invalid_client', 7002137);
    } finally {
      await library.stop();
      await own.stop();
      // The helpers trust one authority at a time: this file's again.
      trust(readFileSync(standIn.program.info.ca));
    }
  });
});

describe('msal-node, on behalf of', () => {
  // The token that a client would send to the API.
  const sent = async (user = users.admin) =>
    (await standIn.tokens({ scope: `openid ${apps.api.scope}` }, { user })).access_token;

  test('an API speaks for the person who called it', async () => {
    const api = await confidential(apps.api);
    const oboAssertion = await sent(users.bengali);
    const times = await asked('on_behalf_of', async () => {
      const result = await api.call('acquireTokenOnBehalfOf', { oboAssertion, scopes: ['User.Read'] });
      assert.equal(claimsOf(result.accessToken).oid, users.bengali.id);
      assert.equal(JSON.parse((await me(result.accessToken)).text).displayName, users.bengali.display_name);
      assert.equal((await api.call('acquireTokenOnBehalfOf', { oboAssertion, scopes: ['User.Read'] })).fromCache, true);
    });
    assert.equal(times, 1);
  });

  test('an API is refused as Entra refuses', async () => {
    const api = await confidential(apps.api);
    const { access_token } = await standIn.tokens();
    assertRefusal(await api.refusal('acquireTokenOnBehalfOf', { oboAssertion: access_token, scopes: ['User.Read'] }),
      'ServerError', 'invalid_grant', 500131);
    const oboAssertion = await sent(users.reader);
    assertRefusal(await api.refusal('acquireTokenOnBehalfOf',
      { oboAssertion: `${oboAssertion.slice(0, -8)}AAAAAAAA`, scopes: ['User.Read'] }),
    'ServerError', 'invalid_grant', 50013);
    await standIn.consent('needed', 'api');
    assertRefusal(await api.refusal('acquireTokenOnBehalfOf', { oboAssertion, scopes: ['Mail.Read'] }),
      'InteractionRequiredAuthError', 'invalid_grant', 65001, 'consent_required');
    await standIn.consent('granted', 'api');
    await standIn.fault({ where: 'token', grant: 'on_behalf_of', aadsts: 50076 });
    const e = await api.refusal('acquireTokenOnBehalfOf', { oboAssertion, scopes: ['User.Read'] });
    assertRefusal(e, 'InteractionRequiredAuthError', 'invalid_grant', 50076, 'basic_action');
    assert.match(e.claims, /capolids/);
  });
});

describe('a claims challenge is to msal-node', () => {
  // Interactively, with what the person has to do on our pages.
  const signIn = (app, extra = {}) => app.interactive({ scopes: ['User.Read'], ...extra }, async (url) => {
    const page = await new Browser().open(url);
    await (await page.submit({ username: users.admin.username, password: users.admin.password })).submit({});
  });

  test('a call for the person, who meets it', async () => {
    await standIn.emul('settings', { graph_acrs: 'c1' });
    const app = await publicApp();
    const { result } = await signIn(app);
    const refused = await me(result.accessToken);
    const [, encoded] = /claims="([^"]+)"/.exec(refused.headers['www-authenticate']);
    const claims = Buffer.from(encoded, 'base64').toString();
    const e = await app.refusal('acquireTokenSilent', { account: result.account, scopes: ['User.Read'], claims });
    assertRefusal(e, 'InteractionRequiredAuthError', 'invalid_grant', 50076, 'basic_action');
    assert.deepEqual(JSON.parse(e.claims), JSON.parse(claims));
    const stepped = await signIn(app, { claims });
    assert.equal(stepped.error, undefined, stepped.error?.text);
    assert.deepEqual(claimsOf(stepped.result.accessToken).acrs, ['c1']);
    assert.equal((await me(stepped.result.accessToken)).status, 200);
  });

  test('what its capability brings: long tokens that a revocation ends', async () => {
    const app = await publicApp({ clientCapabilities: ['cp1'] });
    const { result } = await signIn(app);
    assert.deepEqual(claimsOf(result.accessToken).xms_cc, ['cp1']);
    const left = (new Date(result.expiresOn) - Date.now()) / 3600000;
    assert.ok(left > 19 && left <= 28, `${left} hours`);
    assert.ok(result.refreshOn);
    await standIn.emul('revoke', { user: 'admin' });
    const refused = await me(result.accessToken);
    assert.match(refused.headers['www-authenticate'], /error="insufficient_claims"/);
    const [, encoded] = /claims="([^"]+)"/.exec(refused.headers['www-authenticate']);
    const claims = Buffer.from(encoded, 'base64').toString();
    assertRefusal(await app.refusal('acquireTokenSilent', { account: result.account, scopes: ['User.Read'], claims }),
      'InteractionRequiredAuthError', 'invalid_grant', 50173, 'bad_token');
    const again = await signIn(app, { claims });
    assert.equal((await me(again.result.accessToken)).status, 200);
  });

  test('nothing to a code that met it in the browser', async () => {
    const app = await confidential(apps.web);
    const claims = JSON.stringify({ access_token: { acrs: { essential: true, value: 'c2' } } });
    const redirectUri = apps.web.redirect;
    const page = await new Browser().open(await app.call('getAuthCodeUrl', { scopes: ['User.Read'], redirectUri, claims }));
    const answer = answerOf(await page.submit({ username: users.admin.username, password: users.admin.password }));
    const result = await app.call('acquireTokenByCode',
      { code: answer.get('code'), scopes: ['User.Read'], redirectUri, claims });
    assert.deepEqual(claimsOf(result.accessToken).acrs, ['c2']);
  });
});
