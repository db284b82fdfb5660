// The pages in a real browser: what a person sees and clicks, from the MCP
// client's first URL to the client's redirect on another origin.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { DatabaseSync } from 'node:sqlite';
import { after, before, beforeEach, describe, test } from 'node:test';
import { request } from './lib/browser.mjs';
import { Mcp } from './lib/client.mjs';
import { Bench } from './lib/valet.mjs';
import { launch, Listener, picture, Window } from './lib/window.mjs';

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/;
const ROOMY = { registration: { dynamic: true, per_address_per_hour: 1000 } };
let chrome, bench, listener;

before(async () => {
  bench = await Bench.start({ config: ROOMY });
  listener = await Listener.start();
  chrome = await launch();
});
after(async () => {
  await chrome?.close();
  await listener?.stop();
  await bench?.stop();
});
beforeEach(() => { listener.answers.length = 0; });

async function open(t, options) {
  const window = await Window.open(chrome, options);
  t.after(() => window.close());
  return window;
}

const newClient = (extra = {}, redirect = listener.redirect) => bench.client({ redirect }).register(extra);

const emul = (what, body, method = 'POST') => request(`${bench.tenant.info.authority}/_emul/${what}`, {
  method, body: body && JSON.stringify(body), headers: body ? { 'content-type': 'application/json' } : {},
});

const allow = (tab) => tab.getByRole('button', { name: 'Allow' }).click();
const atSignIn = (tab) => tab.waitForURL(`${bench.tenant.info.authority}/**`);
const atClient = (tab) => tab.waitForURL(`${listener.origin}/**`);

// Types name and password, as people do.
async function typeIn(tab, user) {
  await tab.getByLabel('Username').fill(user.username);
  await tab.getByLabel('Password', { exact: true }).fill(user.password);
  await tab.getByRole('button', { name: 'Sign in', exact: true }).click();
}

// Picks one of the stand-in's people.
const choose = (tab, user) => tab.getByRole('button', { name: user.display_name }).click();

async function signIn(tab, client, user = bench.users.admin, how = typeIn) {
  await tab.goto(client.authorizeUrl());
  await allow(tab);
  await atSignIn(tab);
  await how(tab, user);
  await atClient(tab);
  return new URL(tab.url()).searchParams;
}

// The answer that reached the client is good for tokens and a tool call.
async function assertUsable(client, answer, user) {
  assert.equal(answer.get('state'), client.state);
  assert.equal(answer.get('iss'), bench.url);
  const token = await client.redeem(answer.get('code'));
  assert.equal(token.status, 200, token.text);
  const mcp = await new Mcp(client.resource, JSON.parse(token.text).access_token).open();
  const { result } = await mcp.tool('getUserDetails');
  assert.equal(result.structuredContent.displayName, user.display_name);
}

const fits = (tab) => tab.evaluate(() =>
  document.documentElement.scrollWidth <= document.documentElement.clientWidth);

// Luminance 0…255 of the ground and of the letters on it.
const tones = (tab) => tab.evaluate(() => {
  const tone = (text) => {
    const [r, g, b] = text.match(/[\d.]+/g).map(Number);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  return {
    ground: tone(getComputedStyle(document.querySelector('main')).backgroundColor),
    ink: tone(getComputedStyle(document.querySelector('h1')).color),
  };
});

// An error page: readable, with an id that the audit trail knows too.
async function assertErrorPage(tab, answer, status, heading, event) {
  assert.equal(answer.status(), status);
  await tab.getByRole('heading', { level: 1, name: heading }).waitFor();
  const [id] = UUID.exec(await tab.locator('main').innerText());
  const line = await bench.audit((l) => l.correlation === id && l.outcome === 'refused');
  assert.equal(line.event, event);
  return line;
}

describe('a sign-in by clicking', () => {
  for (const [how, step] of [['types', typeIn], ['chooses', choose]])
    for (const name of ['admin', 'bengali'])
      // @spec W-69 S-123 AS-25
      test(`ends at the client on another origin when the person ${how} ${name}`, async (t) => {
        const window = await open(t);
        const client = await newClient();
        const user = bench.users[name];
        await assertUsable(client, await signIn(await window.tab(), client, user, step), user);
        assert.equal(listener.answers.length, 1);
        assert.deepEqual(window.complaints, []);
      });

  test('works without script', async (t) => {
    const window = await open(t, { javaScriptEnabled: false });
    const client = await newClient();
    await assertUsable(client, await signIn(await window.tab(), client), bench.users.admin);
    assert.deepEqual(window.complaints, []);
  });

  // @spec W-53 SB-03
  test('works a second time in the same browser, and asks for consent again', async (t) => {
    const window = await open(t);
    const client = await newClient();
    const tab = await window.tab();
    await assertUsable(client, await signIn(tab, client), bench.users.admin);
    await tab.goto(client.authorizeUrl());
    await tab.getByRole('heading', { name: 'asks for access' }).waitFor();
    assert.equal(listener.answers.length, 1, 'nothing went to the client before the answer');
    await allow(tab);
    await tab.waitForURL(/^http:\/\/127\.0\.0\.1.*(callback|authorize)/);
    // The stand-in may remember the person, as Entra ID does.
    if (!tab.url().startsWith(listener.origin)) await choose(tab, bench.users.admin);
    await atClient(tab);
    await assertUsable(client, listener.answers[1], bench.users.admin);
  });

  test('works in two tabs at once', async (t) => {
    const window = await open(t);
    const clients = [await newClient({ client_name: 'one' }), await newClient({ client_name: 'two' })];
    const tabs = [await window.tab(), await window.tab()];
    const people = [bench.users.reader, bench.users.admin];
    for (const i of [0, 1]) await tabs[i].goto(clients[i].authorizeUrl());
    for (const i of [1, 0]) await allow(tabs[i]);
    for (const i of [0, 1]) await atSignIn(tabs[i]);
    for (const i of [1, 0]) {
      await typeIn(tabs[i], people[i]);
      await atClient(tabs[i]);
    }
    for (const i of [0, 1])
      await assertUsable(clients[i], new URL(tabs[i].url()).searchParams, people[i]);
    assert.deepEqual(window.complaints, []);
  });

  // @spec W-48
  test('is not approved again by the back button', async (t) => {
    const window = await open(t);
    const client = await newClient();
    const tab = await window.tab();
    const approvals = async () => (await bench.audit())
      .filter((l) => l.event === 'consent.approve' && l.client === client.id).length;
    await tab.goto(client.authorizeUrl());
    const old = await tab.locator('form').evaluate((form) => Object.fromEntries(new FormData(form)));
    await allow(tab);
    await atSignIn(tab);
    await bench.audit((l) => l.event === 'consent.approve' && l.client === client.id);
    await tab.goBack();
    await tab.waitForURL(`${bench.url}/**`);
    await tab.getByRole('heading', { name: 'asks for access' }).waitFor();
    assert.equal(await approvals(), 1);
    // The page as it was when it was answered, pressed once more.
    for (const name of ['flow', 'csrf'])
      await tab.locator(`input[name=${name}]`).evaluate((input, value) => { input.value = value; }, old[name]);
    const [answer] = await Promise.all([tab.waitForResponse(/authorize\/consent/), allow(tab)]);
    await assertErrorPage(tab, answer, 400, 'This answer does not count', 'authorize.reject');
    assert.equal(await approvals(), 1);
    assert.equal(listener.answers.length, 0);
  });

  test('can be finished after going back to the sign-in page', async (t) => {
    const window = await open(t);
    const client = await newClient();
    const tab = await window.tab();
    await tab.goto(client.authorizeUrl());
    await allow(tab);
    await atSignIn(tab);
    await tab.goBack();
    await allow(tab);
    await atSignIn(tab);
    await typeIn(tab, bench.users.admin);
    await atClient(tab);
    await assertUsable(client, new URL(tab.url()).searchParams, bench.users.admin);
  });

  test('shows a wrong password and goes on', async (t) => {
    const window = await open(t);
    const client = await newClient();
    const tab = await window.tab();
    await tab.goto(client.authorizeUrl());
    await allow(tab);
    await atSignIn(tab);
    await typeIn(tab, { ...bench.users.admin, password: 'wrong' });
    await tab.getByRole('alert').waitFor();
    await picture(tab, 'sign-in-wrong');
    await typeIn(tab, bench.users.admin);
    await atClient(tab);
    assert.ok(listener.answers[0].get('code'));
    assert.deepEqual(window.complaints, []);
  });
});

describe('a redirect on a scheme of an app', () => {
  const APP = 'cursor://anysphere.cursor-mcp/oauth/callback';

  // Chromium has no program for it here, and stays where it is.
  test('leaves a readable page with a link after consent and sign-in', async (t) => {
    const window = await open(t);
    const client = await newClient({}, APP);
    const tab = await window.tab();
    await tab.goto(client.authorizeUrl());
    await picture(tab, 'consent-app');
    await allow(tab);
    await atSignIn(tab);
    await choose(tab, bench.users.admin);
    await tab.waitForURL(`${bench.url}/auth/callback*`, { timeout: 3000 });
    const link = tab.getByRole('link', { name: 'Continue' });
    const target = new URL(await link.getAttribute('href'));
    assert.equal(target.href.split('?')[0], APP);
    await picture(tab, 'move-on-app');
    assert.deepEqual(window.complaints, []);
    await assertUsable(client, target.searchParams, bench.users.admin);
  });

  test('leaves a readable page with a link after a denial', async (t) => {
    const window = await open(t);
    const client = await newClient({}, APP);
    const tab = await window.tab();
    await tab.goto(client.authorizeUrl());
    await tab.getByRole('button', { name: 'Deny' }).click();
    await tab.getByRole('heading', { name: 'Access was not allowed' }).waitFor();
    const target = new URL(await tab.getByRole('link', { name: 'Continue' }).getAttribute('href'));
    assert.equal(target.searchParams.get('error'), 'access_denied');
    assert.equal(target.searchParams.get('state'), client.state);
    assert.equal(target.searchParams.get('iss'), bench.url);
    await picture(tab, 'denied-app');
    assert.deepEqual(window.complaints, []);
  });
});

describe('a person who does not want to', () => {
  // @spec W-54 W-20
  test('denies, and the client learns it', async (t) => {
    const window = await open(t);
    const client = await newClient();
    const tab = await window.tab();
    await tab.goto(client.authorizeUrl());
    await tab.getByRole('button', { name: 'Deny' }).click();
    await atClient(tab);
    const [answer] = listener.answers;
    assert.equal(answer.get('error'), 'access_denied');
    assert.equal(answer.get('state'), client.state);
    assert.equal(answer.get('iss'), bench.url);
    assert.equal(answer.get('code'), null);
    assert.deepEqual(window.complaints, []);
    // Nothing is remembered: the same client may ask again.
    await assertUsable(client, await signIn(tab, client), bench.users.admin);
  });

  test('cancels at the sign-in page, and the client learns it', async (t) => {
    const window = await open(t);
    const client = await newClient();
    const tab = await window.tab();
    await tab.goto(client.authorizeUrl());
    await allow(tab);
    await atSignIn(tab);
    await tab.getByRole('button', { name: 'Cancel' }).click();
    await atClient(tab);
    const [answer] = listener.answers;
    assert.equal(answer.get('error'), 'access_denied');
    assert.equal(answer.get('state'), client.state);
    assert.equal(answer.get('iss'), bench.url);
    assert.deepEqual(window.complaints, []);
  });
});

describe('an error page', () => {
  // @spec W-52 S-94
  for (const [what, extra, reason] of [
    ['an unknown client', { client_id: 'mvc_AAAAAAAAAAAAAAAAAAAAAA' }, 'unknown_client'],
    ['a foreign redirect URI', { redirect_uri: 'https://evil.example/callback' }, 'redirect_mismatch'],
    ['no redirect URI', { redirect_uri: undefined }, 'redirect_mismatch'],
  ])
    test(`says so for ${what}, with a number that the audit knows`, async (t) => {
      const window = await open(t);
      const tab = await window.tab();
      const client = await newClient();
      const answer = await tab.goto(client.authorizeUrl(extra));
      const line = await assertErrorPage(tab, answer, 400, 'This sign-in request is not valid', 'authorize.reject');
      assert.equal(line.reason, reason);
      assert.equal(tab.url().split('?')[0], `${bench.url}/authorize`, 'it stays here');
      await picture(tab, `error-${reason}`);
      assert.deepEqual(window.complaints, []);
    });

  // The callback's URL of a sign-in, at the moment before the browser opens it.
  async function stopBeforeCallback(tab, client) {
    let caught;
    await tab.route(`${bench.url}/auth/callback*`, (route) => {
      caught = route.request().url();
      return route.fulfill({ contentType: 'text/html', body: '<title>held</title>held' });
    });
    await tab.goto(client.authorizeUrl());
    await allow(tab);
    await atSignIn(tab);
    await choose(tab, bench.users.admin);
    await tab.getByText('held').waitFor();
    await tab.unroute(`${bench.url}/auth/callback*`);
    return caught;
  }

  const HEADING = 'This sign-in cannot be finished here';

  test('meets a state that nobody made', async (t) => {
    const window = await open(t);
    const tab = await window.tab();
    const answer = await tab.goto(`${bench.url}/auth/callback?code=x&state=${'A'.repeat(43)}`);
    await assertErrorPage(tab, answer, 400, HEADING, 'callback.fail');
    await picture(tab, 'error-callback');
  });

  // @spec W-06 W-78 SB-08
  test('meets a state of another browser, which is then spent', async (t) => {
    const [attacker, victim] = [await open(t), await open(t)];
    const client = await newClient();
    const url = await stopBeforeCallback(await attacker.tab(), client);
    const tab = await victim.tab();
    const line = await assertErrorPage(tab, await tab.goto(url), 400, HEADING, 'callback.fail');
    assert.equal(line.reason, 'browser_mismatch');
    const again = await attacker.tab();
    await assertErrorPage(again, await again.goto(url), 400, HEADING, 'callback.fail');
    assert.equal(listener.answers.length, 0);
  });

  test('meets a state that was used already', async (t) => {
    const window = await open(t);
    const client = await newClient();
    const tab = await window.tab();
    const url = await stopBeforeCallback(tab, client);
    await tab.goto(url);
    await atClient(tab);
    await assertErrorPage(tab, await tab.goto(url), 400, HEADING, 'callback.fail');
    assert.equal(listener.answers.length, 1);
  });

  test('meets a state whose time is over', async (t) => {
    const window = await open(t);
    const client = await newClient();
    const tab = await window.tab();
    const url = await stopBeforeCallback(tab, client);
    const db = new DatabaseSync(bench.storeFile);
    db.exec("PRAGMA busy_timeout = 5000; UPDATE record SET expires = 1 WHERE section = 'flow'");
    db.close();
    await assertErrorPage(tab, await tab.goto(url), 400, HEADING, 'callback.fail');
    assert.equal(listener.answers.length, 0);
  });

  // @spec S-94
  test('ends the sign-in when the provider fails, without a loop', async (t) => {
    const window = await open(t);
    const client = await newClient();
    const tab = await window.tab();
    const url = await stopBeforeCallback(tab, client);
    await emul('faults', { where: 'token', status: 500, count: 0 });
    t.after(() => emul('faults', undefined, 'DELETE'));
    const visited = [];
    tab.on('framenavigated', (frame) => visited.push(frame.url()));
    const answer = await tab.goto(url);
    const line = await assertErrorPage(tab, answer, 503, 'Sign-in is not possible at the moment', 'callback.fail');
    assert.equal(line.reason, 'AADSTS90033', 'the provider’s own code');
    assert.equal(visited.length, 1, visited.join('\n'));
    await picture(tab, 'error-unavailable');
    assert.deepEqual(window.complaints, []);
  });

  test('meets a consent page that comes from elsewhere', async (t) => {
    const window = await open(t);
    const client = await newClient();
    const tab = await window.tab();
    await tab.goto(client.authorizeUrl());
    const fields = await tab.locator('form').evaluate((form) => Object.fromEntries(new FormData(form)));
    const foreign = createServer((req, res) => {
      res.writeHead(200, { 'content-type': 'text/html' });
      res.end(`<form method=post action="${bench.url}/authorize/consent"><input name=flow value="${fields.flow}">` +
        `<input name=csrf value="${fields.csrf}"><button name=decision value=approve>Win</button></form>`);
    });
    await new Promise((resolve) => { foreign.listen(0, '127.0.0.1', resolve); });
    t.after(() => { foreign.closeAllConnections(); foreign.close(); });
    await tab.goto(`http://127.0.0.1:${foreign.address().port}/`);
    const [answer] = await Promise.all([
      tab.waitForResponse(/authorize\/consent/), tab.getByRole('button', { name: 'Win' }).click()]);
    assert.equal(answer.status(), 403);
  });
});

describe('every page', () => {
  const BAD_NAME = '<b onclick=alert(1)>Evil</b> "&amp;\' \u202emoc.live\u202c \u05e9\u05dc\u05d5\u05dd';

  // Opens each of them, and hands the tab over.
  async function eachPage(tab, look) {
    const client = await newClient({ client_name: 'Example Editor' });
    await tab.goto(bench.url);
    await look('home');
    await tab.goto(`${bench.url}/mcp`);
    await look('sign-in-needed');
    await tab.goto(client.authorizeUrl());
    await look('consent');
    await allow(tab);
    await atSignIn(tab);
    await look('sign-in');
    await tab.goto(bench.tenant.info.authority);
    await look('tenant-home');
    await tab.goto(`${bench.tenant.info.tenant}/oauth2/v2.0/authorize?client_id=none`);
    await look('sign-in-error');
    await tab.goto(`${bench.tenant.info.tenant}/oauth2/v2.0/logout`);
    await look('signed-out');
    await tab.goto(client.authorizeUrl({ redirect_uri: 'https://evil.example/' }));
    await look('error');
  }

  test('fits a narrow telephone', async (t) => {
    const window = await open(t, { viewport: { width: 360, height: 740 } });
    const tab = await window.tab();
    await eachPage(tab, async (name) => {
      assert.ok(await fits(tab), `${name} can be scrolled sideways`);
    });
    assert.deepEqual(window.complaints, []);
  });

  test('follows the person into the dark', async (t) => {
    for (const colorScheme of ['light', 'dark']) {
      const window = await open(t, { colorScheme });
      const tab = await window.tab();
      await eachPage(tab, async (name) => {
        const { ground, ink } = await tones(tab);
        assert.ok(colorScheme === 'dark' ? ground < 60 && ink > 180 : ground > 200 && ink < 80,
          `${name}: ${ink} on ${ground}`);
      });
    }
  });

  test('has a picture for people to look at', async (t) => {
    const window = await open(t);
    const tab = await window.tab();
    await eachPage(tab, (name) => picture(tab, name));
    assert.deepEqual(window.complaints, []);
  });

  test('has a title, a language, one heading, and no script or password of ours', async (t) => {
    const window = await open(t);
    const tab = await window.tab();
    await eachPage(tab, async (name) => {
      assert.ok(await tab.title(), name);
      assert.equal(await tab.locator('html').getAttribute('lang'), 'en', name);
      assert.equal(await tab.locator('h1').count(), 1, name);
      assert.equal(await tab.locator('script').count(), 0, name);
      // @spec S-12
      if (tab.url().startsWith(bench.url)) assert.equal(await tab.locator('input[type=password]').count(), 0, name);
      for (const input of await tab.locator('input:not([type=hidden])').all())
        assert.ok(await input.evaluate((node) => node.labels.length > 0), `${name}: an input without a label`);
    });
  });

  // @spec W-69
  test('shows what strangers call themselves as text', async (t) => {
    const window = await open(t);
    const tab = await window.tab();
    const client = await newClient({ client_name: BAD_NAME });
    await tab.goto(client.authorizeUrl());
    const heading = tab.getByRole('heading', { level: 1 });
    assert.ok((await heading.innerText()).includes('<b onclick=alert(1)>Evil</b> "&amp;\''), await heading.innerText());
    assert.equal(await heading.locator('b').count(), 0);
    // What turns the direction of letters cannot reach our own words.
    assert.equal(await heading.evaluate((node) => node.lastChild.textContent), ' asks for access');
    assert.equal(await heading.locator('bdi').count(), 1);
    assert.doesNotMatch(await heading.innerText(), /[\u202a-\u202e\u2066-\u2069]/);
    assert.ok(await fits(tab));
    await picture(tab, 'consent-bad-name');
    assert.deepEqual(window.complaints, []);
  });

  test('holds a very long name on a narrow telephone', async (t) => {
    const window = await open(t, { viewport: { width: 360, height: 740 } });
    const tab = await window.tab();
    const client = await newClient({ client_name: 'W'.repeat(128) },
      `http://127.0.0.1:8765/${'very-long-path/'.repeat(20)}`);
    await tab.goto(client.authorizeUrl());
    assert.ok(await fits(tab));
    await picture(tab, 'consent-long');
  });
});

describe('a browser that comes by itself', () => {
  // @spec S-84
  test('learns at /mcp that the address is for programs', async (t) => {
    const window = await open(t);
    const tab = await window.tab();
    const answer = await tab.goto(`${bench.url}/mcp`);
    assert.equal(answer.status(), 401);
    assert.match(answer.headers()['www-authenticate'], /^Bearer realm="mcp-valet", scope=/);
    await tab.getByRole('heading', { name: 'This address is for programs' }).waitFor();
    assert.ok((await tab.locator('pre').innerText()).includes(`${bench.url}/mcp`));
    assert.deepEqual(window.complaints, []);
  });

  test('finds at / what to paste into a client', async (t) => {
    const window = await open(t);
    const tab = await window.tab();
    assert.equal((await tab.goto(bench.url)).status(), 200);
    const shown = await tab.locator('pre').last().innerText();
    const [server] = Object.values(JSON.parse(shown).mcpServers);
    assert.deepEqual(server, { type: 'http', url: `${bench.url}/mcp` });
    assert.deepEqual(window.complaints, []);
  });

  test('gets no page where there is none', async (t) => {
    const window = await open(t);
    const tab = await window.tab();
    assert.equal((await tab.goto(`${bench.url}/none`)).status(), 404);
  });
});
