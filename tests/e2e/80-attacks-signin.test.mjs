// Attacks on the sign-in: each ends in a refusal and in an audit line that says
// why. Numbers: SECURITY.md; chains: the lesson's samples, played again here.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { Browser, form } from './lib/browser.mjs';
import { REDIRECT } from './lib/client.mjs';
import { Bench } from './lib/valet.mjs';
import {
  ROOMY, Trail, approved, assertPageIsSafe, assertStays, backOf, codeOf, jsonPost, signInAt,
} from './lib/attack.mjs';

let bench;
before(async () => { bench = await Bench.start({ config: ROOMY }); });
after(() => bench.stop());

const attack = (name, play) => test(name, async () => play(await Trail.of(bench)));
const secret = () => randomBytes(32).toString('base64url');
const EVIL = 'https://attacker.example/cb';

// The last step of a sign-in, in the browser that approved it, still works.
const finish = async (client, browser, callback) => {
  const back = backOf(await browser.open(callback));
  assert.equal(back.searchParams.get('state'), client.state);
  const answer = await client.redeem(back.searchParams.get('code'));
  assert.equal(answer.status, 200, answer.text);
};

describe('chain 2 and 3: who approves, and in which browser', () => {
  // @spec W-48
  attack('W-48 chain 2: a consent page that was shown but not approved lets no sign-in finish', async (trail) => {
    const attacker = await approved(bench, { client: await bench.client({ redirect: EVIL }).register() });
    const victim = new Browser();
    // The victim's browser is made to show the page; nothing is pressed.
    const shown = await victim.open(attacker.client.authorizeUrl());
    assert.equal(shown.status, 200);
    assert.equal(shown.next, undefined);
    assertPageIsSafe(shown);
    const callback = await signInAt(bench, attacker.upstream, victim);
    assertStays(await victim.open(callback));
    await trail.refused('callback.fail', 'browser_mismatch', (l) => l.client === attacker.client.id);
    // And the flow is gone, also for the browser that had approved it.
    assertStays(await attacker.browser.open(callback));
    await trail.refused('callback.fail', 'unknown_state');
  });

  // @spec W-06 W-78 W-79
  for (const [name, marker] of [['as it is', ''], ['with a marker that consent was shown', '&consent_shown=1&approved=true']])
    attack(`W-06 W-78 W-79 chain 3: a victim without cookies cannot finish an attacker's sign-in (${name})`, async (trail) => {
      const { client, upstream } = await approved(bench, { client: await bench.client({ redirect: EVIL }).register() });
      const victim = new Browser();
      const page = await victim.open(await signInAt(bench, upstream, victim) + marker);
      assertStays(page);
      assert.equal(page.headers['set-cookie'], undefined);
      const line = await trail.refused('callback.fail', 'browser_mismatch');
      assert.equal(line.client, client.id);
      assert.equal(line.user, undefined, 'nobody was signed in');
    });

  // @spec W-06 SB-08
  attack('W-06: the cookie of another sign-in of the same browser does not do', async (trail) => {
    const victim = new Browser();
    await approved(bench, { browser: victim }); // one of the victim's own
    const theirs = await approved(bench);
    assertStays(await victim.open(await signInAt(bench, theirs.upstream, victim)));
    await trail.refused('callback.fail', 'browser_mismatch');
  });

  // @spec W-06
  attack('W-06: the proof of another sign-in under the right cookie name does not do either', async (trail) => {
    const victim = new Browser();
    await approved(bench, { browser: victim });
    const theirs = await approved(bench);
    const jarOf = (browser) => browser.cookies.get(new URL(bench.url).hostname);
    const nameOf = (jar) => [...jar.keys()].find((k) => k.includes('valet_flow_'));
    const own = jarOf(victim);
    own.set(nameOf(jarOf(theirs.browser)), own.get(nameOf(own)));
    assertStays(await victim.open(await signInAt(bench, theirs.upstream, victim)));
    await trail.refused('callback.fail', 'browser_mismatch');
  });

  // Login CSRF: the attacker's own, finished sign-in is handed to a victim.
  attack('W-06: a callback address of the attacker signs nobody in as the attacker', async (trail) => {
    const attacker = await approved(bench);
    const callback = await signInAt(bench, attacker.upstream, attacker.browser, bench.users.reader);
    assertStays(await new Browser().open(callback));
    await trail.refused('callback.fail', 'browser_mismatch');
  });

  // @spec SB-08
  attack('the callback works once: the second time it is unknown', async (trail) => {
    const { client, browser, upstream } = await approved(bench);
    const callback = await signInAt(bench, upstream, browser);
    await finish(client, browser, callback);
    assertStays(await browser.open(callback));
    await trail.refused('callback.fail', 'unknown_state');
  });

  for (const [name, change] of [
    ['two states', (u) => u.searchParams.append('state', secret())],
    ['two codes', (u) => u.searchParams.append('code', 'another')],
    ['a code and an error', (u) => u.searchParams.append('error', 'access_denied')],
    ['neither code nor error', (u) => u.searchParams.delete('code')],
    ['no state', (u) => u.searchParams.delete('state')],
    ['a state that is too long', (u) => u.searchParams.set('state', 'a'.repeat(3000))],
    ['a state with a NUL', (u) => u.searchParams.set('state', `${u.searchParams.get('state').slice(0, 42)}\0`)],
  ])
    attack(`a callback with ${name} is malformed, and the sign-in is still there afterwards`, async (trail) => {
      const { client, browser, upstream } = await approved(bench);
      const callback = await signInAt(bench, upstream, browser);
      const url = new URL(callback);
      change(url);
      assertStays(await browser.open(url.href));
      await trail.refused('callback.fail', 'malformed');
      await finish(client, browser, callback);
    });

  attack('a callback with a state that nobody made is refused', async (trail) => {
    assertStays(await new Browser().open(`${bench.url}/auth/callback?code=x&state=${secret()}`));
    await trail.refused('callback.fail', 'unknown_state');
  });

  attack('a callback with a code that Entra did not give ends the sign-in without a code', async (trail) => {
    const { browser, upstream } = await approved(bench);
    const state = new URL(upstream).searchParams.get('state');
    const page = await browser.open(`${bench.url}/auth/callback?${form({ code: 'forged', state })}`);
    if (page.next) assert.equal(backOf(page).searchParams.get('code'), null);
    else assert.ok(page.status >= 400);
    await trail.refused('callback.fail');
  });
});

describe('the consent form', () => {
  const shown = async (browser = new Browser()) => {
    const client = await bench.client().register();
    return { client, browser, page: await browser.open(client.authorizeUrl()) };
  };

  for (const [name, headers] of [
    ['a foreign origin', { origin: 'https://attacker.example', 'sec-fetch-site': 'cross-site' }],
    ['a foreign origin, without Sec-Fetch-Site', { origin: 'https://attacker.example', 'sec-fetch-site': '' }],
    ['no origin, cross-site', { origin: 'null', 'sec-fetch-site': 'cross-site' }],
    ['another port of this computer', { origin: 'http://localhost:1', 'sec-fetch-site': 'same-site' }],
    ['another port of this computer, in an old browser', { origin: 'http://localhost:1', 'sec-fetch-site': '' }],
    ['the other name of this computer', { origin: 'http://127.0.0.1:1', 'sec-fetch-site': 'cross-site' }],
    ['two origins', { origin: 'http://localhost:1, http://localhost:2', 'sec-fetch-site': 'same-origin' }],
  ])
    // @spec W-70
    attack(`W-70: a consent post from ${name} is refused`, async (trail) => {
      const { client, browser, page } = await shown();
      const sent = { 'content-type': 'application/x-www-form-urlencoded', ...headers };
      if (!sent['sec-fetch-site']) delete sent['sec-fetch-site'];
      const answer = await browser.open(page.action, {
        method: 'POST', headers: sent, body: form({ ...page.fields, decision: 'approve' }),
      });
      assert.equal(answer.status, 403, answer.text);
      assert.equal(answer.next, undefined);
      assert.equal(answer.headers['set-cookie'], undefined);
      assert.ok((await trail.lines()).some((l) => ['foreign_origin', 'cross_site_post'].includes(l.reason)));
      // It did not use the page up: the person can still decide.
      assert.ok((await page.submit({ decision: 'approve' })).next, client.id);
    });

  for (const [name, change, reason] of [
    ['without the form token', { csrf: '' }, 'csrf'],
    ['with a wrong form token', { csrf: 'a'.repeat(64) }, 'csrf'],
    ['without a decision', { decision: '' }, 'malformed'],
    ['with an unknown decision', { decision: 'APPROVE' }, 'malformed'],
    ['without the flow', { flow: '' }, 'malformed'],
    ['with another flow', { flow: secret() }, 'csrf'],
  ])
    attack(`W-70: a consent post ${name} approves nothing`, async (trail) => {
      const { page } = await shown();
      const answer = await page.submit({ decision: 'approve', ...change });
      assertStays(answer);
      assert.equal(answer.headers['set-cookie'], undefined);
      await trail.refused('authorize.reject', reason);
    });

  attack('W-70: a decision that comes twice is none', async (trail) => {
    const { browser, page } = await shown();
    assertStays(await browser.open(page.action, {
      method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `${form({ ...page.fields, decision: 'deny' })}&decision=approve`,
    }));
    await trail.refused('authorize.reject', 'malformed');
  });

  attack("W-70: another browser's form token, cookie or page is of no use", async (trail) => {
    const mine = await shown();
    const theirs = await shown();
    // Their whole page in my browser; my token with their flow; no cookie.
    for (const [browser, fields] of [
      [mine.browser, theirs.page.fields],
      [mine.browser, { ...theirs.page.fields, csrf: mine.page.fields.csrf }],
      [theirs.browser, { ...theirs.page.fields, csrf: mine.page.fields.csrf }],
      [new Browser(), theirs.page.fields],
    ]) {
      assertStays(await browser.open(theirs.page.action, {
        method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded', origin: bench.url },
        body: form({ ...fields, decision: 'approve' }),
      }));
      await trail.refused('authorize.reject', 'csrf');
    }
  });

  // @spec W-48
  attack('W-48: a page is answered once; the answer sent again is unknown', async (trail) => {
    const { page } = await shown();
    assert.ok((await page.submit({ decision: 'approve' })).next);
    assertStays(await page.submit({ decision: 'approve' }));
    await trail.refused('authorize.reject', 'unknown_flow');
  });

  // @spec W-54 W-20
  attack('W-54: a denial is told to the client, and asks again the next time', async (trail) => {
    const { client, browser, page } = await shown();
    const back = backOf(await page.submit({ decision: 'deny' }));
    assert.equal(back.searchParams.get('error'), 'access_denied');
    assert.equal(back.searchParams.get('state'), client.state);
    assert.equal(back.searchParams.get('iss'), bench.url);
    assert.equal(back.searchParams.get('code'), null);
    await bench.audit((l, i) => i >= trail.from && l.event === 'consent.deny' && l.client === client.id);
    const again = await client.signIn(bench.users.admin, browser);
    assert.ok(again.get('code'));
  });

  // @spec W-05 W-50 W-53
  attack('W-05 W-50 W-53: consent is asked at each sign-in, whatever this browser allowed before', async () => {
    const browser = new Browser();
    const { client } = await codeOf(bench, { browser });
    const other = await bench.client({ redirect: EVIL }).register();
    for (const next of [client, other]) {
      const page = await browser.open(next.authorizeUrl());
      assert.equal(page.status, 200);
      assert.equal(page.next, undefined, 'no code without a person');
    }
  });
});

describe('chain 4: the confused deputy', () => {
  // @spec W-05 W-69 AS-14
  attack("W-05 W-69 chain 4: the page names the attacker's host, and its name is text, not markup", async () => {
    const client = await bench.client({ redirect: EVIL })
      .register({ client_name: '<script>alert(1)</script>"><b>Contoso &quot;</b>' });
    const page = await new Browser().open(client.authorizeUrl());
    assertPageIsSafe(page);
    assert.match(page.headers['content-security-policy'], /form-action 'self'/);
    assert.ok(page.text.includes('attacker.example'));
    assert.ok(page.text.includes('&lt;script&gt;') && !page.text.includes('<b>Contoso'));
  });

  // @spec W-17 W-63 W-91
  for (const uri of ['javascript:alert(1)', 'data:text/html,hi', 'JavaScript:alert(1)', 'vbscript:x', 'file:///etc/passwd',
    'http://attacker.example/cb', 'https://user@attacker.example/cb', 'https://attacker.example/cb#fragment',
    'https://attacker.example\\@good.example/', 'https://attacker.example/a b', '//attacker.example/cb', '/cb', '',
    'https://', 'http://localhost.attacker.example/cb', 'http://127.0.0.1.attacker.example/', 'blob:https://x/1',
    'http://localhost:8765/cb\r\nSet-Cookie: a=b', 'ms-settings:x', 42, null])
    attack(`W-17: ${JSON.stringify(uri)} cannot be registered as redirect URI`, async (trail) => {
      for (const redirect_uris of [[uri], [REDIRECT, uri]]) {
        const answer = await jsonPost(`${bench.url}/register`, { client_name: 'x', redirect_uris });
        assert.equal(answer.status, 400, answer.text);
        assert.match(JSON.parse(answer.text).error, /^invalid_(redirect_uri|client_metadata)$/);
      }
      await trail.refused('client.reject');
    });

  // @spec AS-31 W-71
  attack('AS-31: a redirect URI that brings its own code, state or iss cannot make two of them', async () => {
    for (const name of ['code', 'state', 'iss', 'error']) {
      const redirect = `https://app.example/cb?${name}=evil`;
      const answer = await jsonPost(`${bench.url}/register`, { client_name: 'x', redirect_uris: [redirect] });
      if (answer.status === 400) continue; // refusing it is as good
      const client = Object.assign(bench.client({ redirect }), { id: JSON.parse(answer.text).client_id });
      const back = await client.signIn(bench.users.admin);
      assert.ok(back.getAll(name).length <= 1 && !back.getAll(name).includes('evil'), `${name}: ${back}`);
    }
  });

  // @spec W-52 AS-18
  for (const [name, change] of [
    ['another host', () => EVIL],
    ['another path', (u) => `${u}/evil`],
    ['a path that climbs', (u) => `${u}/../evil`],
    ['a final slash', (u) => `${u}/`],
    ['a query', (u) => `${u}?a=b`],
    ['an empty query', (u) => `${u}?`],
    ['a fragment', (u) => `${u}#x`],
    ['user information', (u) => u.replace('://', '://a:b@')],
    ['user information that looks like the host', (u) => u.replace('://', '://127.0.0.1:8765@attacker.example/x')],
    ['another loopback name', (u) => u.replace('127.0.0.1', 'localhost')],
    ['a longer host', (u) => u.replace('127.0.0.1', '127.0.0.1.attacker.example')],
    ['another scheme', (u) => u.replace('http:', 'https:')],
    ['other letters', (u) => u.replace('callback', 'Callback')],
    ['an encoded path', (u) => u.replace('callback', '%63allback')],
    ['a line break', (u) => `${u}\r\nLocation: ${EVIL}`],
    ['nothing', () => undefined],
  ])
    attack(`W-52: a redirect URI with ${name} gets a page, never a redirect`, async (trail) => {
      const client = await bench.client().register();
      assertStays(await new Browser().open(client.authorizeUrl({ redirect_uri: change(REDIRECT) })));
      await trail.refused('authorize.reject', 'redirect_mismatch', (l) => l.client === client.id);
    });

  for (const id of ['unknown', 'a b', '../../x', "x' OR 1=1 --", 'a'.repeat(5000), '\0', undefined, `${secret()}\r\nX: y`])
    // @spec W-52 W-64
    attack(`W-52 W-64: the client id ${JSON.stringify(id)?.slice(0, 40)} gets a page, never a redirect`, async (trail) => {
      const client = Object.assign(bench.client(), { id });
      assertStays(await new Browser().open(client.authorizeUrl()));
      await trail.refused('authorize.reject', id === '\0' ? 'malformed' : 'unknown_client');
    });

  // @spec W-07
  attack('W-07: the second of two registered redirect URIs is honoured, and the code is for it alone', async (trail) => {
    const client = bench.client();
    const second = 'https://app.example/second?tenant=a%26b';
    await client.register({ redirect_uris: [REDIRECT, second] });
    client.redirect = second;
    const back = await client.signIn(bench.users.admin);
    assert.equal(back.get('tenant'), 'a&b', 'its own query is kept (W-71)');
    assert.equal((await client.redeem(back.get('code'), { redirect_uri: REDIRECT })).status, 400);
    await trail.refused('code.reject', 'redirect_mismatch');
    assert.equal((await client.redeem(back.get('code'))).status, 200);
  });
});

describe('the authorization request', () => {
  // These are told to the client, with its state and our name (W-20 W-71).
  for (const [name, extra, error, reason] of [
    ['AS-07 W-58: no PKCE challenge', { code_challenge: undefined }, 'invalid_request', 'no_code_challenge'],
    ['W-58: PKCE plain', { code_challenge_method: 'plain' }, 'invalid_request', 'not_s256'],
    ['W-58: PKCE without a method, which means plain', { code_challenge_method: undefined }, 'invalid_request', 'not_s256'],
    ['W-58: a method in other letters', { code_challenge_method: 's256' }, 'invalid_request', 'not_s256'],
    ['a challenge that is too short', { code_challenge: 'abc' }, 'invalid_request', 'bad_code_challenge'],
    ['W-15: a resource of somebody else', { resource: 'https://other.example/mcp' }, 'invalid_target', 'unknown_resource'],
    ['W-15: a resource with a fragment', { resource: 'http://localhost/mcp#x' }, 'invalid_target', 'unknown_resource'],
    ['prompt=none', { prompt: 'none' }, 'login_required', 'prompt_none'],
    ['the implicit flow', { response_type: 'token' }, 'unsupported_response_type', 'response_type'],
    ['the hybrid flow', { response_type: 'code id_token' }, 'unsupported_response_type', 'response_type'],
    ['an answer in the fragment', { response_mode: 'fragment' }, 'invalid_request', 'response_mode'],
    ['an answer by post', { response_mode: 'form_post' }, 'invalid_request', 'response_mode'],
    ['a request object', { request: 'eyJhbGciOiJub25lIn0.e30.' }, 'request_not_supported', 'request_object'],
    ['a request object elsewhere', { request_uri: 'http://169.254.169.254/' }, 'request_uri_not_supported', 'request_object'],
    ['a scope of Graph', { scope: 'Mail.ReadWrite' }, 'invalid_scope', 'unknown_scope'],
    ['a scope that is no scope', { scope: 'a"b' }, 'invalid_scope', 'bad_scope'],
  ])
    attack(`${name} is refused, and the client is told`, async (trail) => {
      const client = await bench.client().register();
      const back = backOf(await new Browser().open(client.authorizeUrl(extra)));
      assert.ok(back.href.startsWith(`${REDIRECT}?`));
      assert.deepEqual([back.searchParams.get('error'), back.searchParams.getAll('state'), back.searchParams.getAll('iss')],
        [error, [client.state], [bench.url]]);
      assert.equal(back.searchParams.get('code'), null);
      await trail.refused('authorize.reject', reason, (l) => l.client === client.id);
    });

  for (const name of ['client_id', 'redirect_uri', 'state', 'code_challenge', 'code_challenge_method', 'response_type', 'scope'])
    attack(`a second ${name} gets a page, never a redirect`, async (trail) => {
      const client = await bench.client().register();
      const url = client.authorizeUrl();
      assertStays(await new Browser().open(`${url}&${form({ [name]: new URL(url).searchParams.get(name) })}`));
      await trail.refused('authorize.reject', 'repeated_parameter');
    });

  attack('two resources of which one is not ours are refused', async (trail) => {
    const client = await bench.client().register();
    const page = await new Browser().open(`${client.authorizeUrl()}&resource=https%3A%2F%2Fother.example%2F`);
    assert.equal(backOf(page).searchParams.get('error'), 'invalid_target');
    await trail.refused('authorize.reject', 'unknown_resource');
  });

  // @spec W-49 W-32
  attack("W-49 W-32: the state that goes upstream is our own, and the client's cannot collide", async () => {
    const state = 'ClientInfo-&x=1#%00"<é';
    const one = await approved(bench, { extra: { state } });
    const two = await approved(bench, { extra: { state } });
    const upstream = [one, two].map((f) => new URL(f.upstream).searchParams);
    for (const query of upstream) {
      assert.notEqual(query.get('state'), state);
      assert.ok(query.get('state').length >= 43, '256 bits');
      assert.equal(query.get('code_challenge_method'), 'S256');
      assert.ok(query.get('nonce').length >= 22);
      assert.equal(query.get('client_id'), bench.set.apps.web.id);
    }
    assert.notEqual(upstream[0].get('state'), upstream[1].get('state'));
    // Each ends at its own client, and the state comes back as it was (W-71).
    for (const flow of [two, one]) {
      flow.client.state = state;
      await finish(flow.client, flow.browser, await signInAt(bench, flow.upstream, flow.browser));
    }
  });

  attack('a state that is too long is refused', async (trail) => {
    const client = await bench.client().register();
    assertStays(await new Browser().open(client.authorizeUrl({ state: 'a'.repeat(2049) })));
    await trail.refused('authorize.reject', 'state_too_long');
  });

  // @spec W-20
  attack('W-20: an error at the provider is told to the client, without the provider\'s text', async (trail) => {
    for (const [theirs, ours] of [['access_denied', 'access_denied'], ['<script>', 'server_error']]) {
      const { client, browser, upstream } = await approved(bench);
      const back = backOf(await browser.open(`${bench.url}/auth/callback?${form({
        error: theirs, error_description: 'AADSTS65004 <b>', state: new URL(upstream).searchParams.get('state'),
      })}`)).searchParams;
      assert.deepEqual([back.get('error'), back.get('state'), back.get('iss'), back.get('code')],
        [ours, client.state, bench.url, null]);
      assert.doesNotMatch(back.get('error_description') ?? '', /AADSTS|</);
      await trail.refused('callback.fail', ours);
    }
  });

  // @spec W-52
  attack('W-52: a client that is taken away while its consent page is open gets nothing', async () => {
    const other = await Bench.start({
      config: { clients: [{ id: 'desk-app', name: 'Desk app', redirect_uris: [REDIRECT] }] },
    });
    try {
      const client = Object.assign(other.client(), { id: 'desk-app' });
      const page = await new Browser().open(client.authorizeUrl());
      assert.equal(page.status, 200, page.text);
      await other.server.stop();
      await other.serve({ clients: [] });
      assertStays(await page.submit({ decision: 'approve' }));
      const line = await other.audit((l) => l.event === 'authorize.reject');
      assert.equal(line.reason, 'unknown_client');
    } finally {
      await other.stop();
    }
  });
});
