// Microsoft's own library for Node signs in against the stand-in over https,
// and takes its refusals for Entra ID's (entra-wire 1.6 to 1.8, 4.1, 4.2).
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { Browser } from './lib/browser.mjs';
import { Msal } from './lib/msal.mjs';
import { answerOf, StandIn } from './lib/standin.mjs';

const SCOPES = ['User.Read'];
let standIn, msal, users, apps, auth, redirectUri;

before(async () => {
  standIn = await StandIn.start(['--https-listen', 'localhost:0']);
  ({ users, apps } = standIn);
  msal = Msal.start(standIn.program.info.ca);
  redirectUri = apps.web.redirect;
  auth = {
    clientId: apps.web.id, clientSecret: apps.web.secret,
    authority: standIn.tenant, knownAuthorities: [new URL(standIn.base).host],
  };
});
after(async () => {
  await msal?.stop();
  await standIn?.stop();
});
beforeEach(async () => {
  await standIn.emul('faults', undefined, 'DELETE');
  await standIn.consent('granted');
});

const newApp = (extra = {}) => msal.app('confidential', { ...auth, ...extra });
const counts = async () => JSON.parse((await standIn.emul('log', undefined, 'GET')).text).counts;

// A person follows the URL and signs in; what comes back to the application.
async function walk(url, user = users.admin, browser = new Browser()) {
  const page = await browser.open(url);
  return answerOf(await page.submit({ username: user.username, password: user.password }));
}

// What acquireTokenByCode() wants, fresh from a sign-in.
async function codeRequest(app, extra = {}, user) {
  const { verifier, challenge } = await msal.must('pkce');
  const url = await app.call('getAuthCodeUrl', {
    scopes: SCOPES, redirectUri, codeChallenge: challenge, codeChallengeMethod: 'S256', state: 'a state', ...extra,
  });
  assert.ok(url.startsWith(`${standIn.tenant}/oauth2/v2.0/authorize?`), url);
  const answer = await walk(url, user);
  assert.equal(answer.get('state'), 'a state');
  return { code: answer.get('code'), clientInfo: answer.get('client_info'), scopes: SCOPES, redirectUri, codeVerifier: verifier };
}

async function signedIn(user) {
  const app = await newApp();
  const result = await app.call('acquireTokenByCode', await codeRequest(app, {}, user));
  return { app, result, silent: { account: result.account, scopes: SCOPES } };
}

// How often the token endpoint was asked meanwhile.
async function asked(work) {
  const old = await counts();
  await work();
  return ((await counts()).token ?? 0) - (old.token ?? 0);
}

describe('msal-node', () => {
  test('redeems a code with PKCE and knows who signed in', async () => {
    const { result } = await signedIn(users.bengali);
    const tid = standIn.tenants[0].id;
    assert.equal(result.fromCache, false);
    assert.equal(result.tokenType, 'Bearer');
    assert.equal(result.tenantId, tid);
    assert.equal(result.uniqueId, users.bengali.id);
    assert.equal(result.account.homeAccountId, `${users.bengali.id}.${tid}`);
    assert.equal(result.account.environment, new URL(standIn.base).host);
    assert.equal(result.account.username, users.bengali.username);
    assert.equal(result.account.name, users.bengali.display_name);
    assert.equal(result.idTokenClaims.iss, `${standIn.tenant}/v2.0`);
    assert.ok(result.scopes.includes('User.Read'));
  });

  test('answers from its cache, and asks again when forced', async () => {
    const { app, result, silent } = await signedIn();
    const quiet = await asked(async () => {
      const cached = await app.call('acquireTokenSilent', silent);
      assert.equal(cached.fromCache, true);
      assert.equal(cached.accessToken, result.accessToken);
    });
    assert.equal(quiet, 0);
    const forced = await asked(async () => {
      const fresh = await app.call('acquireTokenSilent', { ...silent, forceRefresh: true });
      assert.equal(fresh.fromCache, false);
      assert.notEqual(fresh.accessToken, result.accessToken);
      assert.equal(fresh.account.homeAccountId, result.account.homeAccountId);
    });
    assert.equal(forced, 1);
  });

  test('refreshes by itself when a token has little time left', async () => {
    await standIn.emul('settings', { access_token_seconds: 200 });
    const { app, result, silent } = await signedIn();
    await standIn.emul('settings', { access_token_seconds: 0 });
    const fresh = await app.call('acquireTokenSilent', silent);
    assert.equal(fresh.fromCache, false);
    assert.notEqual(fresh.accessToken, result.accessToken);
    assert.equal((await app.call('acquireTokenSilent', silent)).fromCache, true);
  });

  test('gets a token for another resource by the same refresh token', async () => {
    const { app, silent } = await signedIn();
    const result = await app.call('acquireTokenSilent', { ...silent, scopes: [apps.api.scope] });
    assert.deepEqual(result.scopes, [apps.api.scope]);
  });

  test('takes the code from a fragment and from a form', async () => {
    for (const responseMode of ['fragment', 'form_post']) {
      const app = await newApp();
      const result = await app.call('acquireTokenByCode', await codeRequest(app, { responseMode }));
      assert.equal(result.uniqueId, users.admin.id, responseMode);
    }
  });

  test('is sent silently through the browser while the person is signed in', async () => {
    const app = await newApp();
    const browser = new Browser();
    const url = (prompt) => app.call('getAuthCodeUrl', { scopes: SCOPES, redirectUri, prompt });
    await walk(await url(), users.reader, browser);
    const answer = answerOf(await browser.open(await url('none')));
    const result = await app.call('acquireTokenByCode', { code: answer.get('code'), scopes: SCOPES, redirectUri });
    assert.equal(result.uniqueId, users.reader.id);
  });

  test('signs people of any tenant in on organizations', async () => {
    const [fred] = Object.values(standIn.tenants[1].users);
    const app = await msal.app('public', {
      clientId: apps.public.id, authority: `${standIn.base}/organizations`, knownAuthorities: auth.knownAuthorities,
    });
    const native = 'http://localhost:4711';
    const answer = await walk(await app.call('getAuthCodeUrl', { scopes: SCOPES, redirectUri: native }), fred);
    const result = await app.call('acquireTokenByCode',
      { code: answer.get('code'), scopes: SCOPES, redirectUri: native });
    assert.equal(result.tenantId, standIn.tenants[1].id);
    assert.equal(result.account.homeAccountId, `${fred.id}.${standIn.tenants[1].id}`);
    assert.equal((await app.call('acquireTokenSilent', { account: result.account, scopes: SCOPES })).fromCache, true);
  });

  // The library listens on loopback, and takes its answer as a form only.
  test('signs a person in interactively', async () => {
    const app = await msal.app('public',
      { clientId: apps.public.id, authority: auth.authority, knownAuthorities: auth.knownAuthorities });
    const byHand = (choice) => async (url) => {
      assert.equal(new URL(url).searchParams.get('response_mode'), 'form_post');
      const page = await new Browser().open(url);
      const back = await page.submit(choice);
      assert.match(back.action, /^http:\/\/localhost:\d+\/$/);
      assert.match(back.text, /action="http:\/\/localhost:\d+"/);
      await back.submit({});
    };
    const { result, error } = await app.interactive({ scopes: SCOPES },
      byHand({ username: users.reader.username, password: users.reader.password }));
    assert.equal(error, undefined);
    assert.equal(result.uniqueId, users.reader.id);
    const cancelled = await app.interactive({ scopes: SCOPES }, byHand({ choice: 'cancel' }));
    assert.equal(cancelled.error.kind, 'ServerError');
    assert.equal(cancelled.error.code, 'access_denied');
    assert.match(cancelled.error.text, /AADSTS65004/);
  });
});

describe('a refusal is to msal-node', () => {
  const assertRefusal = (e, kind, code, number, suberror) => {
    assert.deepEqual([e.kind, e.code, e.number, e.suberror || undefined], [kind, code, number, suberror], e.text);
    assert.match(e.text, new RegExp(`AADSTS${number}: `));
  };

  test('a server error when the application is at fault', async () => {
    const app = await newApp();
    const request = await codeRequest(app);
    const wrong = await newApp({ clientSecret: 'wrong' });
    assertRefusal(await wrong.refusal('acquireTokenByCode', request), 'ServerError', 'invalid_client', 7000215);
    const redeem = (extra) => app.refusal('acquireTokenByCode', { ...request, ...extra });
    assertRefusal(await redeem({ codeVerifier: 'x'.repeat(43) }), 'ServerError', 'invalid_grant', 501481);
    assertRefusal(await redeem({ redirectUri: 'http://localhost:3001/other' }), 'ServerError', 'invalid_client', 50011);
    assertRefusal(await redeem({ scopes: ['User.Fly'] }), 'ServerError', 'invalid_client', 650053);
    await app.call('acquireTokenByCode', request);
    assertRefusal(await redeem({}), 'ServerError', 'invalid_grant', 54005);
    const nobody = await newApp({ clientId: '41111111-2222-4333-8444-555555555555' });
    assertRefusal(await nobody.refusal('acquireTokenByCode', request), 'ServerError', 'unauthorized_client', 700016);
  });

  test('a call for the person when their session was revoked', async () => {
    const { app, silent } = await signedIn(users.reader);
    await standIn.emul('revoke', { user: 'reader' });
    const force = { ...silent, forceRefresh: true };
    assertRefusal(await app.refusal('acquireTokenSilent', force),
      'InteractionRequiredAuthError', 'invalid_grant', 50173, 'bad_token');
    const next = await app.refusal('acquireTokenSilent', force);
    assert.deepEqual([next.kind, next.code], ['InteractionRequiredAuthError', 'no_tokens_found'],
      'it has thrown the dead refresh token away');
  });

  test('a call for the person when they have not consented', async () => {
    await standIn.consent('needed');
    const app = await newApp();
    const browser = new Browser();
    const page = await browser.open(await app.call('getAuthCodeUrl', { scopes: SCOPES, redirectUri }));
    const asked_ = await page.submit({ username: users.reader.username, password: users.reader.password });
    const answer = answerOf(await asked_.submit({ choice: 'accept' }));
    const { account } = await app.call('acquireTokenByCode', { code: answer.get('code'), scopes: SCOPES, redirectUri });
    assertRefusal(await app.refusal('acquireTokenSilent', { account, scopes: ['Mail.Read'] }),
      'InteractionRequiredAuthError', 'invalid_grant', 65001, 'consent_required');
  });

  for (const [aadsts, kind, code, suberror, claims] of [
    [50076, 'InteractionRequiredAuthError', 'invalid_grant', 'basic_action', /capolids/],
    [50079, 'InteractionRequiredAuthError', 'invalid_grant', 'basic_action', /polids/],
    [53003, 'InteractionRequiredAuthError', 'access_denied', 'message_only', /capolids/],
    [50055, 'InteractionRequiredAuthError', 'invalid_grant', 'user_password_expired'],
    [700082, 'InteractionRequiredAuthError', 'invalid_grant', 'bad_token'],
    [16000, 'InteractionRequiredAuthError', 'interaction_required'],
    // The library does not see that these want the person, too.
    [70008, 'ServerError', 'invalid_grant', 'token_expired'],
    [50105, 'ServerError', 'invalid_grant'],
    [7000222, 'ServerError', 'invalid_client'],
    [700024, 'ServerError', 'invalid_client'],
    [50196, 'ServerError', 'invalid_grant'],
  ])
    test(`what Entra’s AADSTS${aadsts} is: ${kind}`, async () => {
      const { app, silent } = await signedIn();
      await standIn.fault({ where: 'token', aadsts });
      const e = await app.refusal('acquireTokenSilent', { ...silent, forceRefresh: true });
      assertRefusal(e, kind, code, aadsts, suberror);
      if (claims) assert.match(Object.keys(JSON.parse(e.claims).access_token)[0], claims);
    });
});

describe('a failing service', () => {
  const force = (silent) => ({ ...silent, forceRefresh: true });

  test('throttles until Retry-After has passed, without being asked meanwhile', async () => {
    const { app, silent } = await signedIn();
    await standIn.fault({ where: 'token', status: 429, retry_after: 1 });
    const first = await app.refusal('acquireTokenSilent', force(silent));
    assert.deepEqual([first.kind, first.code, first.number], ['ServerError', 'temporarily_unavailable', 90055]);
    const quiet = await asked(async () => {
      assert.equal((await app.refusal('acquireTokenSilent', force(silent))).kind, 'ServerError');
    });
    assert.equal(quiet, 0);
    await new Promise((resolve) => { setTimeout(resolve, 1100); });
    assert.equal((await app.call('acquireTokenSilent', force(silent))).fromCache, false);
  });

  test('is a server error, and left in peace for a while', async () => {
    for (const status of [500, 503]) {
      const { app, silent } = await signedIn();
      await standIn.fault({ where: 'token', status });
      const e = await app.refusal('acquireTokenSilent', force(silent));
      assert.deepEqual([e.kind, e.code, e.number], ['ServerError', 'temporarily_unavailable', 90033]);
      const quiet = await asked(() => app.refusal('acquireTokenSilent', force(silent)));
      assert.equal(quiet, 0);
    }
  });

  test('is not understood when it sends a page, or half an answer', async () => {
    for (const fault of [{ answer: 'html' }, { answer: 'html', status: 502 }, { answer: 'truncated' }]) {
      const { app, silent } = await signedIn();
      await standIn.fault({ where: 'token', ...fault });
      const e = await app.refusal('acquireTokenSilent', force(silent));
      assert.equal(e.code, 'token_parsing_error', JSON.stringify(fault));
      assert.equal((await app.call('acquireTokenSilent', force(silent))).fromCache, false);
    }
  });

  test('is a network error when it resets the connection', async () => {
    const { app, silent } = await signedIn();
    // The client behind fetch() asks once more when a kept connection dies.
    await standIn.fault({ where: 'token', answer: 'reset', count: 2 });
    const e = await app.refusal('acquireTokenSilent', force(silent));
    assert.equal(e.code, 'network_error');
  });

  test('cannot be found when its discovery fails', async () => {
    for (const fault of [{ answer: 'html' }, { answer: 'reset', count: 2 }, { status: 503 }]) {
      const app = await newApp();
      await standIn.fault({ where: 'discovery', ...fault });
      const e = await app.refusal('getAuthCodeUrl', { scopes: SCOPES, redirectUri });
      assert.equal(e.code, 'endpoints_resolution_error', JSON.stringify(fault));
      await standIn.emul('faults', undefined, 'DELETE');
    }
  });

  test('is waited for when it is slow', async () => {
    const { app, silent } = await signedIn();
    await standIn.fault({ where: 'token', delay_ms: 500 });
    assert.equal((await app.call('acquireTokenSilent', force(silent))).fromCache, false);
  });

  test('is no service at all to who does not trust its authority', async () => {
    const stranger = Msal.start('');
    try {
      const app = await stranger.app('confidential', auth);
      const e = await app.refusal('getAuthCodeUrl', { scopes: SCOPES, redirectUri });
      assert.equal(e.code, 'endpoints_resolution_error');
    } finally {
      await stranger.stop();
    }
  });
});
