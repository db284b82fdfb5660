// Signing in by the system's browser: the person's clicks in a real Chromium,
// what is opened and how, what comes back, and who else may come to the port
// (lesson S-26 to S-33; RFC 8252).
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { Browser, form, request } from './lib/browser.mjs';
import { Canaries, Eavesdropper } from './lib/canary.mjs';
import { ClientShell } from './lib/client-shell.mjs';
import { StandIn } from './lib/standin.mjs';
import { launch, picture, Window } from './lib/window.mjs';

const SCOPES = ['User.Read'];
const BROWSER = 2, DEVICE = 4;
let standIn, shell, users, apps, tid, chrome;

before(async () => {
  standIn = await StandIn.start();
  ({ users, apps } = standIn);
  tid = standIn.tenants[0].id;
  shell = ClientShell.start();
  chrome = await launch();
});
after(async () => {
  await chrome?.close();
  await shell?.stop();
  await standIn?.stop();
});
beforeEach(async () => {
  await standIn.emul('faults', undefined, 'DELETE');
  await standIn.emul('settings', { device_interval: 1, graph_acrs: '' });
  await standIn.consent('granted', 'public');
});

const claimsOf = (jwt) => JSON.parse(Buffer.from(jwt.split('.')[1], 'base64url'));
const me = (token) => request(`${standIn.base}/v1.0/me`, { headers: { authorization: `Bearer ${token}` } });
const options = (extra = {}) => ({ kind: 'public', client_id: apps.public.id, tenant: tid,
  authority_host: standIn.base, cache: 'memory', ...extra });
const request_ = (extra = {}) => ({ flow: 'sign_in', scopes: SCOPES, methods: BROWSER, ...extra });

// A desktop's opener that notes what it was given, in place of a browser.
function desktop(t, script = 'printf %s "$1" > "$OPENED.new" && mv "$OPENED.new" "$OPENED"') {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'desktop-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const opened = path.join(folder, 'opened');
  writeFileSync(path.join(folder, 'xdg-open'), `#!/bin/sh\n${script}\n`);
  chmodSync(path.join(folder, 'xdg-open'), 0o755);
  const env = { DISPLAY: ':99', WAYLAND_DISPLAY: '', OPENED: opened, PATH: `${folder}:/usr/bin:/bin` };
  return { env, opened: async () => {
    for (let i = 0; !existsSync(opened); i++) {
      assert.ok(i < 500, 'nothing was opened');
      await new Promise((r) => setTimeout(r, 20));
    }
    return readFileSync(opened, 'utf8');
  } };
}

async function typeIn(tab, user) {
  await tab.getByLabel('Username').fill(user.username);
  await tab.getByLabel('Password', { exact: true }).fill(user.password);
  await tab.getByRole('button', { name: 'Sign in', exact: true }).click();
}

async function window(t) {
  const opened = await Window.open(chrome);
  t.after(() => opened.close());
  return opened;
}

// The person in the browser, by HTTP alone: types, presses, is sent back.
async function person(start, user = users.admin, end = {}) {
  const page = await (await new Browser().open(start)).follow();
  const back = await page.submit({ username: user.username, password: user.password });
  return back.submit(end);
}

describe('a person in Chromium', () => {
  test('signs in, comes back, and Graph knows them', async (t) => {
    const { env, opened } = desktop(t);
    const own = ClientShell.start(env);
    t.after(() => own.stop());
    const client = await own.client(options());
    const told = [];
    const result = client.must(request_({ open: 'system', account: users.bengali.username }), { tell: (what) => told.push(what) });
    const start = await opened();
    // Nothing of the sign-in is in the argument that everybody can read.
    assert.match(start, /^http:\/\/localhost:\d+\/start\/[\w-]+$/);
    const tab = await (await window(t)).tab();
    await tab.goto(start);
    assert.ok(tab.url().startsWith(standIn.tenant), tab.url());
    assert.equal(await tab.getByLabel('Username').inputValue(), users.bengali.username);
    await typeIn(tab, users.bengali);
    await tab.waitForURL('http://localhost:*/**');
    await tab.getByText('close this window').waitFor();
    await picture(tab, 'library-signed-in');
    const { token, source, name } = await result;
    assert.deepEqual([source, name], ['browser', users.bengali.display_name]);
    assert.equal(JSON.parse((await me(token)).text).displayName, users.bengali.display_name);
    assert.deepEqual(told.map((what) => [what.method, what.url]), [[BROWSER, start]]);
    assert.equal((await client.must({ scopes: SCOPES })).token, token);
    const text = await tab.content();
    assert.ok(!text.includes(token) && !text.includes(users.bengali.username));
    // The port is closed: nobody else comes back.
    await assert.rejects(request(start));
  });

  test('says no, and is told that it is over', async (t) => {
    await standIn.consent('needed', 'public');
    const client = await shell.client(options());
    let start;
    const started = new Promise((resolve) => { start = resolve; });
    const answer = client.acquire(request_(), { open: start });
    const tab = await (await window(t)).tab();
    await tab.goto(await started);
    await typeIn(tab, users.reader);
    await tab.getByRole('button', { name: /Cancel/ }).click();
    await tab.waitForURL('http://localhost:*/**');
    await picture(tab, 'library-refused');
    const { error } = await answer;
    assert.deepEqual([error.oauth, error.next], ['access_denied', 'sign_in'], JSON.stringify(error));
    assert.ok(!(await tab.content()).includes('AADSTS'));
    await client.free();
  });
});

describe('the way to the browser', () => {
  test('is closed without a screen, and the code is next', async (t) => {
    const { env } = desktop(t);
    const own = ClientShell.start({ ...env, DISPLAY: '', WAYLAND_DISPLAY: '' });
    t.after(() => own.stop());
    const client = await own.client(options());
    const told = [];
    const forced = await client.acquire(request_({ open: 'system' }), {});
    assert.match(forced.error.message, /screen/);
    assert.equal(forced.error.next, 'give_up');
    const result = await client.must(request_({ open: 'system', methods: BROWSER | DEVICE }), {
      tell: async (what) => {
        told.push(what);
        if (!what.user_code) return;
        const page = await (await new Browser().open(what.url)).follow();
        const signIn = await page.submit({ otc: what.user_code });
        await (await signIn.submit({ username: users.admin.username, password: users.admin.password }))
          .submit({ choice: 'continue' });
      },
    });
    assert.equal(result.source, 'device_code');
    assert.deepEqual([told[0].method, told[1].method], [BROWSER, DEVICE]);
    assert.match(told[0].failed, /screen/);
    assert.match(own.stderr, /no sign-in by browser: /);
    assert.match(own.stderr, /token from: device_code/);
  });

  test('is closed when the opener fails, or is not there', async (t) => {
    for (const script of ['exit 3', undefined]) {
      const { env } = desktop(t, script);
      const own = ClientShell.start(script ? env : { ...env, PATH: '/nowhere' });
      const client = await own.client(options());
      const { error } = await client.acquire(request_({ open: 'system' }), {});
      assert.ok(error && error.next === 'give_up', JSON.stringify(error));
      await own.stop();
    }
  });

  // @spec S-23 W-45
  test('ends at the authority\'s page when the application has no such redirect URI', async () => {
    const client = await shell.client(options({ client_id: apps.web.id }));
    let start;
    const started = new Promise((resolve) => { start = resolve; });
    const call = client.acquire(request_({ timeout_s: 2 }), { open: start });
    const page = await (await new Browser().open(await started)).follow();
    assert.match(page.text, /AADSTS50011/);
    const { error } = await call;
    assert.deepEqual([error.code, error.next], ['timeout', 'sign_in']);
    await client.free();
  });

  // @spec W-36
  test('that a caller opens by itself is taken back by cancelling', async () => {
    const client = await shell.client(options());
    let start;
    const started = new Promise((resolve) => { start = resolve; });
    const call = client.acquire(request_(), { open: start });
    const url = await started;
    await client.cancel(call.id);
    await client.free();
    await assert.rejects(request(url));
  });
});

// @spec S-33
describe('the port of the sign-in', () => {
  // A sign-in that waits for its browser, and what is sent to its port.
  async function waiting(extra) {
    const client = await shell.client(options());
    let start;
    const started = new Promise((resolve) => { start = resolve; });
    const answer = client.acquire(request_(extra), { open: start });
    const url = await started;
    return { client, answer, url, origin: new URL(url).origin };
  }
  const post = (url, fields, headers = {}) => request(url, { method: 'POST', body: form(fields),
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers } });

  test('takes a code from nobody who lacks the state, and still waits for the person', async () => {
    const { client, answer, url, origin } = await waiting();
    for (const fields of [{ code: 'stolen' }, { code: 'stolen', state: '' }, { code: 'stolen', state: 'A'.repeat(43) },
      { error: 'access_denied', state: 'x' }, { error: 'access_denied' }]) {
      assert.equal((await post(`${origin}/`, fields)).status, 400, JSON.stringify(fields));
      assert.equal((await request(`${origin}/?${form(fields)}`)).status, 400);
    }
    assert.equal((await person(url)).status, 200);
    assert.equal((await answer).username, users.admin.username);
    await client.free();
  });

  test('answers to its own name alone, and to no page of another site', async () => {
    const { client, answer, url, origin } = await waiting();
    const { port } = new URL(origin);
    for (const host of ['evil.example', `evil.example:${port}`, 'localhost', `localhost.evil.example:${port}`])
      assert.ok((await request(url, { headers: { host } })).status >= 400, host);
    for (const method of ['PUT', 'DELETE', 'OPTIONS'])
      assert.equal((await request(`${origin}/`, { method })).status, 405, method);
    assert.equal((await request(`${origin}/etc/passwd`)).status, 404);
    assert.equal((await person(url)).status, 200);
    assert.equal((await answer).source, 'browser');
    await client.free();
  });

  test('sends one browser on, once', async () => {
    const { client, answer, url } = await waiting();
    const first = await request(url);
    assert.equal(first.status, 302);
    const authorize = new URL(first.headers.location);
    assert.equal(authorize.searchParams.get('response_mode'), 'form_post');
    assert.equal(authorize.searchParams.get('code_challenge_method'), 'S256');
    assert.match(authorize.searchParams.get('code_challenge'), /^[\w-]{43}$/);
    for (const name of ['state', 'nonce']) assert.match(authorize.searchParams.get(name), /^[\w-]{43,}$/);
    assert.equal((await request(url)).status, 410);
    assert.equal((await person(authorize)).status, 200);
    assert.equal((await answer).source, 'browser');
    await client.free();
  });

  // @spec S-35 S-56
  test('leaves no secret in a URL, a log, an argument or a file', async (t) => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'canary-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const canaries = new Canaries();
    const tap = await Eavesdropper.start(standIn.base, canaries);
    const own = ClientShell.start();
    t.after(async () => { await own.stop(); await tap.stop(); });
    const client = await own.client(options({ authority_host: tap.url, cache: 'file', cache_file: path.join(folder, 'cache') }));
    let start;
    const started = new Promise((resolve) => { start = resolve; });
    const answer = client.must(request_(), { open: start });
    const browser = new Browser();
    const page = await (await browser.open(await started)).follow();
    const back = await page.submit({ username: users.admin.username, password: users.admin.password });
    canaries.add('code', back.fields.code);
    await back.submit({});
    await answer;
    await client.must({ scopes: SCOPES, renew: true });
    const names = [...canaries.values.values()];
    for (const name of ['code', 'upstream code_verifier', 'upstream access_token', 'upstream refresh_token', 'upstream id_token',
      'upstream state', 'upstream nonce']) assert.ok(names.includes(name), `${name} was not learned: ${names}`);
    // The authority's own URL has state and nonce in it, for this browser alone.
    for (const url of browser.seen) assert.deepEqual(canaries.find(url, (name) => !/state|nonce/.test(name)), []);
    const seen = [await started, own.stderr, ...['cmdline', 'environ'].map((name) => readFileSync(`/proc/${own.child.pid}/${name}`)),
      ...readdirSync(folder).map((name) => readFileSync(path.join(folder, name)))];
    for (const bytes of seen) assert.deepEqual(canaries.find(bytes), []);
  });

  test('begins with the name of the account, and never with its id', async () => {
    const hint = async (account) => {
      const { client, url } = await waiting({ account });
      const { location } = (await request(url)).headers;
      await client.free();
      return new URL(location).searchParams.get('login_hint');
    };
    assert.equal(await hint(users.reader.username), users.reader.username);
    assert.equal(await hint(`${users.reader.id}.${tid}`), null);
  });

  test('takes the answer of the authority as a query, too', async () => {
    const { client, answer, url } = await waiting();
    const authorize = new URL((await request(url)).headers.location);
    authorize.searchParams.set('response_mode', 'query');
    const page = await new Browser().open(authorize);
    const back = await page.submit({ username: users.admin.username, password: users.admin.password });
    assert.equal((await back.follow()).status, 200);
    assert.equal((await answer).source, 'browser');
    await client.free();
  });

  test('lets a code of another sign-in do nothing, since the verifier is not its own', async () => {
    const [a, b] = [await waiting(), await waiting()];
    const [at, bt] = [new URL((await request(a.url)).headers.location), new URL((await request(b.url)).headers.location)];
    const page = await new Browser().open(at);
    const back = await page.submit({ username: users.reader.username, password: users.reader.password });
    const { code } = back.fields;
    assert.equal((await post(`${b.origin}/`, { code, state: bt.searchParams.get('state') })).status, 200);
    const { error } = await b.answer;
    assert.ok(error, 'the code of another sign-in was redeemed');
    assert.deepEqual(await b.client.accounts(), []);
    await a.client.free();
    await b.client.free();
  });

  test('a claims challenge is met in the browser, and the token has it', async () => {
    await standIn.emul('settings', { graph_acrs: 'c1' });
    const client = await shell.client(options());
    const signIn = (extra) => client.must(request_(extra), { open: (url) => person(url) });
    const { token } = await signIn({});
    const refused = await me(token);
    const claims = Buffer.from(/claims="([^"]+)"/.exec(refused.headers['www-authenticate'])[1], 'base64').toString();
    const { error } = await client.acquire({ scopes: SCOPES, claims });
    assert.deepEqual([error.next, JSON.parse(error.claims)], ['sign_in', JSON.parse(claims)]);
    const stepped = await signIn({ claims });
    assert.deepEqual(claimsOf(stepped.token).acrs, ['c1']);
    assert.equal((await me(stepped.token)).status, 200);
    await client.free();
  });
});
