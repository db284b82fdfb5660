// The stand-in's sign-in in all its ways: how the answer travels, who is
// asked, what they consent to, and whose tenant it is (entra-wire 2.6).
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { Browser, request } from './lib/browser.mjs';
import { answerOf, errorOf, OIDC, StandIn, STATE } from './lib/standin.mjs';
import { runToEnd, TENANT } from './lib/valet.mjs';

let standIn, users, apps, tenants;
const claimsOf = (jwt) => JSON.parse(Buffer.from(jwt.split('.')[1], 'base64url'));

before(async () => {
  standIn = await StandIn.start();
  ({ users, apps, tenants } = standIn);
});
after(() => standIn?.stop());
beforeEach(async () => {
  for (const app of ['web', 'public']) await standIn.consent('granted', app);
});

const open = (extra, browser = new Browser(), at) => browser.open(standIn.authorizeUrl(extra, at));
// Who is signed in already, and in which browser.
async function signedIn(...people) {
  const browser = new Browser();
  for (const user of people) await standIn.typeIn(browser, user, { prompt: 'login' });
  return browser;
}

describe('the answer travels', () => {
  test('in the query by default, and in the fragment when told', async () => {
    const browser = await signedIn(users.admin);
    for (const [extra, part] of [[{}, 'search'], [{ response_mode: 'query' }, 'search'],
      [{ response_mode: 'fragment' }, 'hash']]) {
      const page = await open(extra, browser);
      assert.equal(page.status, 302);
      const url = new URL(page.headers.location);
      assert.equal(url.origin + url.pathname, apps.web.redirect);
      assert.equal(part === 'hash' ? url.search : url.hash, '');
      assert.ok(answerOf(page).get('code'));
      assert.equal(answerOf(page).get('state'), STATE);
    }
  });

  test('in the fragment after a form was posted, too', async () => {
    const page = await standIn.typeIn(new Browser(), users.admin, { response_mode: 'fragment' });
    assert.equal(page.status, 200);
    assert.match(page.next, /callback#code=/);
    assert.equal((await standIn.redeem(answerOf(page).get('code'))).status, 200);
  });

  test('by a form that a person or a script posts', async () => {
    const page = await standIn.typeIn(new Browser(), users.admin, { response_mode: 'form_post', client_info: '1' });
    assert.equal(page.status, 200);
    assert.equal(page.next, undefined);
    assert.equal(page.action, apps.web.redirect);
    assert.deepEqual(Object.keys(page.fields), ['code', 'client_info', 'state', 'session_state']);
    assert.equal(page.fields.state, STATE);
    assert.match(page.text, /<button type="submit"/);
    assert.equal((await standIn.redeem(page.fields.code)).status, 200);
    const policy = page.headers['content-security-policy'];
    const script = /<script>(.*)<\/script>/.exec(page.text)[1];
    assert.ok(policy.includes(`script-src 'sha256-${createHash('sha256').update(script).digest('base64')}'`), policy);
    assert.ok(policy.includes("default-src 'none'") && !policy.includes('form-action'), policy);
    assert.equal(page.headers['cache-control'], 'no-store');
    // So that the post has an origin for applications that look at it.
    assert.equal(page.headers['referrer-policy'], 'strict-origin-when-cross-origin');
  });

  test('the same way when it is an error', async () => {
    const cancel = async (response_mode) =>
      (await open({ response_mode })).submit({ choice: 'cancel' });
    assert.match((await cancel('query')).next, /\?error=access_denied/);
    assert.match((await cancel('fragment')).next, /#error=access_denied/);
    const posted = await cancel('form_post');
    assert.equal(posted.action, apps.web.redirect);
    for (const mode of ['query', 'fragment', 'form_post'])
      assert.equal(errorOf(await cancel(mode)), 'access_denied 65004');
    const silent = await open({ prompt: 'none', response_mode: 'form_post' });
    assert.equal(errorOf(silent), 'login_required 50058');
  });

  test('only for the type code; news of the others come in the fragment', async () => {
    for (const [response_type, wanted] of [
      ['id_token', 'unsupported_response_type 700054'], ['code id_token', 'unsupported_response_type 700054'],
      ['id_token token', 'unsupported_response_type 700054'], ['token', 'unsupported_response_type 700051']]) {
      const page = await open({ response_type });
      assert.match(page.headers.location, /callback#error=/, response_type);
      assert.equal(errorOf(page), wanted);
      const query = await open({ response_type, response_mode: 'query' });
      assert.match(query.headers.location, /callback#error=/);
      assert.equal(errorOf(query), 'invalid_request 70007');
      assert.equal((await open({ response_type, response_mode: 'form_post' })).action, apps.web.redirect);
    }
    assert.equal(errorOf(await open({ response_type: 'rocket' })), 'unsupported_response_type 70005');
    assert.equal(errorOf(await open({ response_mode: 'pigeon' })), 'invalid_request 70007');
  });
});

describe('who is asked', () => {
  test('nobody, when one person is signed in', async () => {
    const browser = await signedIn(users.reader);
    for (const prompt of [undefined, 'none']) {
      const code = answerOf(await open({ prompt }, browser)).get('code');
      const { id_token } = JSON.parse((await standIn.redeem(code)).text);
      assert.equal(claimsOf(id_token).preferred_username, users.reader.username);
    }
  });

  test('for an account, when there are several', async () => {
    const browser = await signedIn(users.reader, users.admin);
    assert.equal(errorOf(await open({ prompt: 'none' }, browser)), 'interaction_required 16000');
    const page = await open({}, browser);
    assert.match(page.text, /Pick an account/);
    for (const user of [users.reader, users.admin]) assert.ok(page.text.includes(user.username));
    assert.ok(!page.text.includes(users.bengali.username) && !page.text.includes('name="password"'));
    const picked = await page.submit({ account: users.reader.username });
    const { id_token } = JSON.parse((await standIn.redeem(answerOf(picked).get('code'))).text);
    assert.equal(claimsOf(id_token).oid, users.reader.id);
  });

  test('for an account that is not signed in only after its password', async () => {
    const browser = await signedIn(users.reader);
    const page = await open({ prompt: 'select_account' }, browser);
    const forged = await page.submit({ account: users.admin.username });
    assert.match(forged.text, /name="password"/);
    assert.ok(forged.text.includes(`value="${users.admin.username}"`));
    const other = await page.submit({ choice: 'other' });
    assert.match(other.text, /name="password"/);
    const done = await other.submit({ username: users.admin.username, password: users.admin.password });
    assert.ok(answerOf(done).get('code'));
    assert.match((await open({}, browser)).text, /Pick an account/);
  });

  test('as prompt says', async () => {
    const browser = await signedIn(users.admin);
    assert.match((await open({ prompt: 'login' }, browser)).text, /name="password"/);
    assert.match((await open({ prompt: 'select_account' }, browser)).text, /Pick an account/);
    assert.match((await open({ prompt: 'consent' }, browser)).text, /Permissions requested/);
    assert.match((await open({ prompt: 'consent' })).text, /name="password"/);
    for (const prompt of ['none login', 'login consent', 'create', 'NONE'])
      assert.equal(errorOf(await open({ prompt }, browser)), 'invalid_request 90023', prompt);
    for (const hint of [{ login_hint: users.admin.username }, { sid: 'x' }])
      assert.equal(errorOf(await open({ prompt: 'select_account', ...hint }, browser)), 'invalid_request 90023');
  });

  test('for the one that the hint names', async () => {
    const browser = await signedIn(users.reader, users.admin);
    for (const login_hint of [users.reader.username.toUpperCase(), users.reader.id]) {
      const code = answerOf(await open({ login_hint, prompt: 'none' }, browser)).get('code');
      assert.equal(claimsOf(JSON.parse((await standIn.redeem(code)).text).id_token).oid, users.reader.id);
    }
    const stranger = { login_hint: users.bengali.username };
    assert.equal(errorOf(await open({ ...stranger, prompt: 'none' }, browser)), 'login_required 50058');
    const page = await open(stranger, browser);
    assert.ok(page.text.includes(`name="username" value="${users.bengali.username}"`));
    // A hint is a hint: people may be somebody else.
    assert.ok(answerOf(await page.submit({ pick: users.admin.username })).get('code'));
  });

  test('again after signing out, which is for all', async () => {
    const browser = await signedIn(users.reader, users.admin);
    const out = await browser.open(`${standIn.tenant}/oauth2/v2.0/logout`);
    assert.match(out.headers['set-cookie'][0], /^ESTSAUTH=; .*Max-Age=0/);
    assert.equal(errorOf(await open({ prompt: 'none' }, browser)), 'login_required 50058');
  });

  test('of at most five; the first is forgotten', async () => {
    const [other] = Object.values(tenants[1].users);
    const browser = await signedIn(users.reader, users.admin, users.bengali, users.reader);
    await standIn.typeIn(browser, other,
      { client_id: apps.public.id, redirect_uri: 'http://localhost:1', prompt: 'login' }, `${standIn.base}/common`);
    const page = await open({ prompt: 'select_account' }, browser);
    assert.equal(page.text.match(/name="account"/g).length, 3, 'each once, those of this tenant');
    const { cookies } = browser;
    assert.equal(cookies.get('127.0.0.1').get('ESTSAUTH').split('.').length, 4);
    browser.cookies.get('127.0.0.1').set('ESTSAUTH', '....a.b.c.d.e');
    assert.equal(errorOf(await open({ prompt: 'none' }, browser)), 'login_required 50058');
  });
});

describe('consent', () => {
  const accept = (page, extra) => page.submit({ choice: 'accept', ...extra });

  test('is asked for once by each person and application', async () => {
    await standIn.consent('needed');
    const browser = new Browser();
    const page = await standIn.typeIn(browser, users.reader);
    assert.match(page.text, /Permissions requested/);
    for (const text of [users.reader.username, apps.web.name, 'Sign you in and read your profile', 'Keep the access'])
      assert.ok(page.text.includes(text), text);
    assert.ok(!page.text.includes('For everybody'));
    assert.equal(errorOf(await open({ prompt: 'none' }, browser)), 'consent_required 65001');
    assert.equal((await standIn.redeem(answerOf(await accept(page)).get('code'))).status, 200);
    assert.ok(answerOf(await open({ prompt: 'none' }, browser)).get('code'));
    assert.ok(await standIn.code({}, { user: users.reader }), 'in any browser');
    const another = await standIn.typeIn(new Browser(), users.bengali);
    assert.match(another.text, /Permissions requested/);
  });

  test('can be refused', async () => {
    await standIn.consent('needed');
    const browser = new Browser();
    const page = await standIn.typeIn(browser, users.reader, { response_mode: 'fragment' });
    assert.equal(errorOf(await page.submit({ choice: 'cancel' })), 'access_denied 65004');
    assert.match((await open({}, browser)).text, /Permissions requested/);
  });

  test('is asked for again when the application wants more', async () => {
    await standIn.consent('needed');
    const browser = new Browser();
    const code = answerOf(await accept(await standIn.typeIn(browser, users.reader))).get('code');
    assert.ok(answerOf(await open({ scope: 'openid User.Read' }, browser)).get('code'), 'less is fine');
    assert.ok(answerOf(await open({ scope: 'https://graph.microsoft.com/User.Read' }, browser)).get('code'));
    const more = { scope: `${OIDC} User.Read Mail.Read` };
    assert.equal(errorOf(await open({ ...more, prompt: 'none' }, browser)), 'consent_required 65001');
    const { refresh_token } = JSON.parse((await standIn.redeem(code)).text);
    const refused = await standIn.refresh(refresh_token, more);
    assert.equal(refused.status, 400);
    const { error, suberror, error_codes } = JSON.parse(refused.text);
    assert.deepEqual([error, suberror, error_codes], ['invalid_grant', 'consent_required', [65001]]);
    await accept(await open(more, browser));
    assert.equal((await standIn.refresh(refresh_token, more)).status, 200);
    assert.match((await open({ scope: apps.api.scope }, browser)).text, /Use MCP API in your name \(access_as_user\)/);
  });

  test('is given for everybody by an administrator who says so', async () => {
    await standIn.consent('needed');
    const page = await standIn.typeIn(new Browser(), users.admin);
    assert.match(page.text, /type="checkbox" name="for_all"/);
    assert.ok(answerOf(await accept(page, { for_all: 'yes' })).get('code'));
    assert.ok(await standIn.code({}, { user: users.reader }));
    await standIn.consent('needed');
    assert.match((await standIn.typeIn(new Browser(), users.reader)).text, /Permissions requested/, 'forgotten');
    const own = await accept(await standIn.typeIn(new Browser(), users.reader), { for_all: 'yes' });
    assert.ok(answerOf(own).get('code'));
    assert.match((await standIn.typeIn(new Browser(), users.bengali)).text, /Permissions requested/,
      'who is no administrator speaks for themselves');
  });

  test('may be an administrator’s affair', async () => {
    await standIn.consent('admin_required');
    const browser = new Browser();
    const page = await standIn.typeIn(browser, users.reader);
    assert.match(page.text, /AADSTS90094/);
    assert.equal(errorOf(await open({ prompt: 'none' }, browser)), 'consent_required 65001');
    assert.match((await accept(page)).text, /AADSTS90094/, 'a forged acceptance');
    assert.equal(errorOf(await page.submit({ choice: 'return' })), 'access_denied 90094');
    const asked = await standIn.typeIn(new Browser(), users.admin);
    assert.match(asked.text, /for everybody in Contoso/);
    assert.ok(answerOf(await accept(asked)).get('code'));
    assert.ok(answerOf(await open({}, browser)).get('code'), 'now for everybody');
  });

  test('cannot be given for somebody who is not signed in', async () => {
    await standIn.consent('needed');
    const page = await standIn.typeIn(new Browser(), users.reader);
    const forged = await accept(page, { account: users.bengali.username });
    assert.match(forged.text, /name="password"/);
    assert.match((await standIn.typeIn(new Browser(), users.bengali)).text, /Permissions requested/);
  });

  test('is set for an application that exists, to a word that exists', async () => {
    assert.equal((await standIn.emul('consent', { app: 'nobody', consent: 'needed' })).status, 404);
    assert.equal((await standIn.emul('consent', { app: 'web', consent: 'perhaps' })).status, 400);
    assert.equal((await standIn.emul('consent', { app: apps.web.id, consent: 'needed' })).status, 200);
  });
});

describe('several tenants', () => {
  const native = { redirect_uri: 'http://localhost:4567' };
  const redeem = (code, at) => standIn.redeem(code, { ...native, client_id: apps.public.id, client_secret: undefined }, at);
  let other, fred;
  before(() => {
    other = `${standIn.base}/${tenants[1].id}`;
    [fred] = Object.values(tenants[1].users);
  });

  test('are found by id and by domain', async () => {
    for (const segment of [tenants[1].id, tenants[1].domain]) {
      const { text } = await request(`${standIn.base}/${segment}/v2.0/.well-known/openid-configuration`);
      assert.equal(JSON.parse(text).issuer, `${other}/v2.0`);
    }
  });

  test('are each person’s own, on common and organizations', async () => {
    for (const at of ['common', 'organizations'].map((name) => `${standIn.base}/${name}`))
      for (const [user, tenant] of [[fred, tenants[1]], [users.reader, tenants[0]]]) {
        const code = await standIn.code({ ...native, client_id: apps.public.id }, { user, at });
        const { id_token, access_token } = JSON.parse((await redeem(code, at)).text);
        assert.equal(claimsOf(id_token).tid, tenant.id);
        assert.equal(claimsOf(id_token).iss, `${standIn.base}/${tenant.id}/v2.0`);
        assert.equal(claimsOf(access_token).iss, `${standIn.base}/${tenant.id}/`);
      }
  });

  test('keep strangers and foreign applications out', async () => {
    const page = await standIn.typeIn(new Browser(), fred);
    assert.match(page.text, /AADSTS50020/);
    assert.match((await open({}, new Browser(), other)).text, /AADSTS700016/);
    const code = await standIn.code({ ...native, client_id: apps.public.id }, { user: fred, at: other });
    const elsewhere = await redeem(code, standIn.tenant);
    assert.deepEqual(JSON.parse(elsewhere.text).error_codes, [700005]);
    const foreign = await standIn.redeem('1.Cx', {}, other);
    assert.deepEqual(JSON.parse(foreign.text).error_codes, [700016]);
  });

  test('do not see each other’s sessions', async () => {
    const browser = new Browser();
    await standIn.typeIn(browser, fred, { ...native, client_id: apps.public.id }, other);
    assert.equal(errorOf(await open({ prompt: 'none' }, browser)), 'login_required 50058');
    assert.ok(answerOf(await open({ ...native, client_id: apps.public.id, prompt: 'none' }, browser, other)).get('code'));
  });

  test('are narrowed by a domain hint', async () => {
    const hinted = (domain_hint, browser, extra) =>
      open({ ...native, client_id: apps.public.id, domain_hint, ...extra }, browser, `${standIn.base}/common`);
    const page = await hinted(tenants[1].domain);
    assert.ok(page.text.includes(tenants[1].name) && page.text.includes(fred.username));
    assert.ok(!page.text.includes(users.admin.username));
    for (const hint of ['organizations', 'consumers', 'nowhere.example'])
      assert.ok((await hinted(hint)).text.includes(users.admin.username), hint);
    const browser = await signedIn(users.admin);
    assert.equal(errorOf(await hinted(tenants[1].domain, browser, { prompt: 'none' })), 'login_required 50058');
    assert.ok(answerOf(await hinted(tenants[0].domain, browser, { prompt: 'none' })).get('code'));
    assert.ok((await open({ domain_hint: tenants[1].domain })).text.includes(users.admin.username),
      'the tenant of the path has the last word');
  });
});

describe('faults', () => {
  const places = () => [
    ['discovery', () => request(`${standIn.tenant}/v2.0/.well-known/openid-configuration`)],
    ['keys', () => request(`${standIn.tenant}/discovery/v2.0/keys`)],
    ['authorize', () => open()],
    ['sign_in', async () => (await open()).submit({ pick: users.admin.username })],
    ['sign_out', () => request(`${standIn.tenant}/oauth2/v2.0/logout`)],
    ['token', () => standIn.redeem('1.Cx')],
    ['graph', () => request(`${standIn.base}/v1.0/me`)],
  ];

  test('come with any status, and both forms of Retry-After, everywhere', async () => {
    for (const [where, ask] of places())
      for (const status of [429, 500, 503]) {
        await standIn.fault({ where, status, retry_after: 7 });
        const seconds = await ask();
        assert.equal(seconds.status, status, where);
        assert.equal(seconds.headers['retry-after'], '7', where);
        await standIn.fault({ where, status, retry_after: 'date:30' });
        const wait = Date.parse((await ask()).headers['retry-after']) - Date.now();
        assert.ok(wait > 20000 && wait <= 31000, where);
      }
  });

  test('bring a page in place of JSON everywhere', async () => {
    for (const [where, ask] of places())
      for (const status of [undefined, 200, 502]) {
        await standIn.fault({ where, answer: 'html', status });
        const answer = await ask();
        assert.equal(answer.status, status ?? 200, where);
        assert.match(answer.headers['content-type'], /^text\/html/);
        assert.match(answer.text, /<title>Please wait<\/title>/);
      }
  });

  test('break the answer off everywhere', async () => {
    for (const [where, ask] of places()) {
      await standIn.fault({ where, answer: 'truncated' });
      await assert.rejects(ask(), { code: 'ECONNRESET' }, where);
      await standIn.fault({ where, answer: 'reset' });
      await assert.rejects(ask(), { code: 'ECONNRESET' }, where);
      assert.ok((await ask()).status, 'and then no more');
    }
  });

  test('break a redirect off too, which has no body', async () => {
    const browser = await signedIn(users.admin);
    await standIn.fault({ where: 'authorize', answer: 'truncated' });
    await assert.rejects(open({}, browser), { code: 'ECONNRESET' });
    assert.equal((await open({}, browser)).status, 302, 'and then no more');
  });

  test('leave half of a body when it is cut', async () => {
    const url = `${standIn.tenant}/discovery/v2.0/keys`;
    const whole = (await request(url)).text;
    await standIn.fault({ where: 'keys', answer: 'truncated' });
    const response = await fetch(url, { headers: { connection: 'close' } });
    assert.equal(response.status, 200);
    assert.equal(Number(response.headers.get('content-length')), whole.length);
    let got = '';
    await assert.rejects(async () => {
      for await (const chunk of response.body) got += Buffer.from(chunk).toString();
    });
    assert.equal(got.length, Math.floor(whole.length / 2));
    assert.throws(() => JSON.parse(got));
  });

  test('meet any request when they are anywhere, but for the control', async () => {
    await standIn.fault({ where: 'any', status: 503, count: 0 });
    for (const [where, ask] of places().filter(([name]) => name !== 'sign_in'))
      assert.equal((await ask()).status, 503, where);
    assert.equal((await request(`${standIn.base}/`)).status, 200);
    assert.equal((await standIn.emul('faults', undefined, 'DELETE')).status, 200);
    assert.equal((await request(`${standIn.tenant}/discovery/v2.0/keys`)).status, 200);
  });

  test('travel back to the application when Entra’s would', async () => {
    await standIn.fault({ where: 'authorize', aadsts: 50105 });
    assert.equal(errorOf(await open({ response_mode: 'form_post' })), 'interaction_required 50105');
    await standIn.fault({ where: 'sign_in', aadsts: 53003 });
    assert.equal(errorOf(await (await open()).submit({ pick: users.admin.username })), 'access_denied 53003');
  });

  test('are checked', async () => {
    for (const fault of [{ where: 'token', answer: 'poem' }, { where: 'token', answer: 'whole' },
      { where: 'token', status: 200 }, { where: 'token', status: 302, answer: 'html' }])
      assert.equal((await standIn.emul('faults', fault)).status, 400, JSON.stringify(fault));
  });
});

describe('data of one’s own', () => {
  test('says consent, administrators and the shape of faults', async (t) => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'tenant-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const file = path.join(folder, 'set.yaml');
    const set = `
tenants:
  - {id: 11111111-2222-4333-8444-555555555555, domain: a.example, name: A}
  - {id: 12111111-2222-4333-8444-555555555555, domain: b.example, name: B}
users:
  eve: {id: 21111111-2222-4333-8444-555555555555, username: e@a.example, password: p, display_name: E, admin: true}
  bob: {id: 22111111-2222-4333-8444-555555555555, username: b@b.example, password: p, display_name: B, tenant: b.example}
apps:
  web: {id: 41111111-2222-4333-8444-555555555555, name: W, redirects: ["https://w.example/cb"], secret: s, consent: admin_required}
faults:
  - {where: any, answer: html, status: 502, count: 0}
`;
    writeFileSync(file, set);
    const described = JSON.parse((await runToEnd(TENANT, ['--data', file, '--describe'])).stdout);
    assert.equal(described.apps.web.consent, 'admin_required');
    assert.equal(described.users.eve.admin, true);
    assert.deepEqual(Object.keys(described.users), ['eve']);
    assert.deepEqual(Object.keys(described.tenants[1].users), ['bob']);
    const own = await StandIn.start(['--listen', '127.0.0.1:0', '--data', file]);
    t.after(() => own.stop());
    assert.equal((await request(`${own.base}/common/discovery/keys`)).status, 502);
    for (const [from, to, what] of [
      ['consent: admin_required', 'consent: maybe', /set\.yaml:9:\d+: consent: write granted, needed or admin_required/],
      ['answer: html', 'answer: poem', /set\.yaml:11:\d+: `answer` is/],
      ['"https://w.example/cb"', '"javascript://w/%0aalert(1)"', /redirects are/],
      ['admin: true', 'admin: perhaps', /write true or false/],
    ]) {
      writeFileSync(file, set.replace(from, to));
      const end = await runToEnd(TENANT, ['--data', file, '--describe']);
      assert.equal(end.code, 2);
      assert.match(end.stderr, what);
    }
  });
});
