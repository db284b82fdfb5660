// The stand-in's pages in a real browser over https: what a person sees and
// presses from the application's URL until the answer is back there.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import http from 'node:http';
import tls from 'node:tls';
import { after, before, beforeEach, describe, test } from 'node:test';
import { form, request } from './lib/browser.mjs';
import { StandIn, STATE } from './lib/standin.mjs';
import { launch, picture, Window } from './lib/window.mjs';

let standIn, users, apps, chrome, client;

// The application's own place: keeps the answers that browsers bring.
class Application {
  static async start() {
    const application = new Application();
    application.answers = [];
    application.server = http.createServer(async (req, res) => {
      let body = '';
      for await (const chunk of req) body += chunk;
      const url = new URL(req.url, application.origin);
      if (url.pathname === '/auth/callback')
        application.answers.push({ how: req.method, fields: new URLSearchParams(body || url.search) });
      res.writeHead(200, { 'content-type': 'text/html' });
      res.end('<!doctype html><title>application</title><link rel="icon" href="data:,"><p>Thank you.');
    });
    await new Promise((resolve) => { application.server.listen(0, '127.0.0.1', resolve); });
    application.origin = `http://localhost:${application.server.address().port}`;
    application.redirect = `${application.origin}/auth/callback`;
    return application;
  }

  stop() {
    this.server.closeAllConnections();
    return new Promise((resolve) => { this.server.close(resolve); });
  }
}

// This key's certificate is accepted, and no other faulty one.
function pinOf(url) {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ host: hostname, port, servername: 'localhost', rejectUnauthorized: false }, () => {
      const key = socket.getPeerX509Certificate().publicKey.export({ type: 'spki', format: 'der' });
      socket.end();
      resolve(createHash('sha256').update(key).digest('base64'));
    });
    socket.once('error', reject);
  });
}

before(async () => {
  standIn = await StandIn.start(['--https-listen', 'localhost:0']);
  ({ users, apps } = standIn);
  client = await Application.start();
  chrome = await launch([`--ignore-certificate-errors-spki-list=${await pinOf(standIn.base)}`]);
});
after(async () => {
  await chrome?.close();
  await client?.stop();
  await standIn?.stop();
});
beforeEach(async () => {
  client.answers.length = 0;
  await standIn.consent('granted');
});

async function open(t, options) {
  const window = await Window.open(chrome, options);
  t.after(() => window.close());
  return { window, tab: await window.tab() };
}

const goTo = (tab, extra = {}) => tab.goto(standIn.authorizeUrl({ redirect_uri: client.redirect, ...extra }));
const press = (tab, name) => tab.getByRole('button', { name }).click();
const choose = (tab, user) => press(tab, user.display_name);
const arrives = (tab) => tab.getByText('Thank you.').waitFor();

async function typeIn(tab, user) {
  await tab.getByLabel('Username').fill(user.username);
  await tab.getByLabel('Password', { exact: true }).fill(user.password);
  await tab.getByRole('button', { name: 'Sign in', exact: true }).click();
}

// One answer came, this way, and its code is good.
async function assertAnswered(how) {
  assert.deepEqual(client.answers.map((a) => a.how), [how]);
  const [{ fields }] = client.answers;
  assert.equal(fields.get('state'), STATE);
  const tokens = await standIn.redeem(fields.get('code'), { redirect_uri: client.redirect });
  assert.equal(tokens.status, 200, tokens.text);
  return JSON.parse(Buffer.from(JSON.parse(tokens.text).id_token.split('.')[1], 'base64url'));
}

const fits = (tab) => tab.evaluate(() =>
  document.documentElement.scrollWidth <= document.documentElement.clientWidth);

describe('a sign-in over https', () => {
  test('ends at the application, in the query', async (t) => {
    const { window, tab } = await open(t);
    await goTo(tab);
    assert.equal(new URL(tab.url()).protocol, 'https:');
    await picture(tab, 'tenant-sign-in');
    await typeIn(tab, users.bengali);
    await arrives(tab);
    assert.equal((await assertAnswered('GET')).iss, `${standIn.tenant}/v2.0`);
    assert.deepEqual(window.complaints, []);
    const [cookie] = await window.context.cookies(standIn.base);
    assert.deepEqual([cookie.name, cookie.httpOnly, cookie.secure, cookie.sameSite], ['ESTSAUTH', true, true, 'Lax']);
  });

  test('ends in the fragment, which only the page sees', async (t) => {
    const { window, tab } = await open(t);
    await goTo(tab, { response_mode: 'fragment' });
    await typeIn(tab, users.admin);
    await arrives(tab);
    assert.match(new URL(tab.url()).hash, /^#code=/);
    assert.equal(client.answers[0].fields.size, 0);
    assert.deepEqual(window.complaints, []);
  });

  test('posts a form by script', async (t) => {
    const { window, tab } = await open(t);
    await goTo(tab, { response_mode: 'form_post' });
    await typeIn(tab, users.admin);
    await arrives(tab);
    assert.equal((await assertAnswered('POST')).oid, users.admin.id);
    assert.deepEqual(window.complaints, []);
  });

  test('posts a form by a button, without script', async (t) => {
    const { window, tab } = await open(t, { javaScriptEnabled: false });
    await goTo(tab, { response_mode: 'form_post' });
    await typeIn(tab, users.admin);
    await tab.getByRole('heading', { name: `Back to ${apps.web.name}` }).waitFor();
    assert.equal(client.answers.length, 0);
    await picture(tab, 'tenant-form-post');
    await press(tab, 'Continue');
    await arrives(tab);
    await assertAnswered('POST');
    assert.deepEqual(window.complaints, []);
  });

  test('is silent the second time', async (t) => {
    const { window, tab } = await open(t);
    await goTo(tab);
    await typeIn(tab, users.reader);
    await arrives(tab);
    client.answers.length = 0;
    await goTo(tab, { prompt: 'none' });
    await arrives(tab);
    assert.equal((await assertAnswered('GET')).oid, users.reader.id);
    assert.deepEqual(window.complaints, []);
  });
});

describe('a person with several accounts', () => {
  async function two(t) {
    const opened = await open(t);
    for (const user of [users.reader, users.bengali]) {
      await goTo(opened.tab, { prompt: 'login' });
      await typeIn(opened.tab, user);
      await arrives(opened.tab);
    }
    client.answers.length = 0;
    await goTo(opened.tab);
    await opened.tab.getByRole('heading', { name: 'Pick an account' }).waitFor();
    return opened;
  }

  test('picks one', async (t) => {
    const { window, tab } = await two(t);
    await picture(tab, 'tenant-accounts');
    assert.ok(await fits(tab));
    await choose(tab, users.reader);
    await arrives(tab);
    assert.equal((await assertAnswered('GET')).oid, users.reader.id);
    assert.deepEqual(window.complaints, []);
  });

  test('uses another one', async (t) => {
    const { tab } = await two(t);
    await press(tab, 'Use another account');
    await typeIn(tab, users.admin);
    await arrives(tab);
    assert.equal((await assertAnswered('GET')).oid, users.admin.id);
  });

  test('thinks better of it', async (t) => {
    const { tab } = await two(t);
    await press(tab, 'Cancel');
    await arrives(tab);
    assert.equal(client.answers[0].fields.get('error'), 'access_denied');
  });
});

describe('consent', () => {
  const heading = (tab, name) => tab.getByRole('heading', { name }).waitFor();

  test('is accepted by a person for themselves', async (t) => {
    await standIn.consent('needed');
    const { window, tab } = await open(t);
    await goTo(tab, { scope: `openid profile offline_access User.Read Mail.Read` });
    await typeIn(tab, users.bengali);
    await heading(tab, 'Permissions requested');
    await picture(tab, 'tenant-consent');
    await press(tab, 'Accept');
    await arrives(tab);
    await assertAnswered('GET');
    assert.deepEqual(window.complaints, []);
  });

  test('is refused, and the application learns it by form', async (t) => {
    await standIn.consent('needed');
    const { tab } = await open(t);
    await goTo(tab, { response_mode: 'form_post' });
    await typeIn(tab, users.reader);
    await heading(tab, 'Permissions requested');
    await press(tab, 'Cancel');
    await arrives(tab);
    const [{ how, fields }] = client.answers;
    assert.deepEqual([how, fields.get('error')], ['POST', 'access_denied']);
    assert.match(fields.get('error_description'), /AADSTS65004/);
  });

  test('of an administrator may be for everybody', async (t) => {
    await standIn.consent('needed');
    const { window, tab } = await open(t);
    await goTo(tab);
    await typeIn(tab, users.admin);
    await heading(tab, 'Permissions requested');
    await picture(tab, 'tenant-consent-admin');
    await tab.getByLabel('For everybody in Contoso').check();
    await press(tab, 'Accept');
    await arrives(tab);
    const other = await open(t);
    await goTo(other.tab);
    await typeIn(other.tab, users.reader);
    await arrives(other.tab);
    assert.deepEqual(window.complaints, []);
  });

  test('is asked of an administrator, who can sign in on the spot', async (t) => {
    await standIn.consent('admin_required');
    const { window, tab } = await open(t);
    await goTo(tab);
    await typeIn(tab, users.reader);
    await heading(tab, 'An administrator has to approve this');
    await picture(tab, 'tenant-admin-needed');
    await press(tab, 'Sign in as an administrator');
    await typeIn(tab, users.admin);
    await heading(tab, 'Permissions requested for Contoso');
    await picture(tab, 'tenant-consent-for-all');
    await press(tab, 'Accept');
    await arrives(tab);
    assert.equal((await assertAnswered('GET')).oid, users.admin.id);
    assert.deepEqual(window.complaints, []);
  });
});

describe('a device code', () => {
  const heading = (tab, name) => tab.getByRole('heading', { name }).waitFor();
  const post = async (what, fields) => {
    const answer = await request(`${standIn.tenant}/oauth2/v2.0/${what}`, { method: 'POST', body: form(fields),
      headers: { 'content-type': 'application/x-www-form-urlencoded' } });
    return JSON.parse(answer.text);
  };
  const begin = () => post('devicecode', { client_id: apps.public.id, scope: 'openid User.Read' });
  const poll = ({ device_code }) => post('token', { grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    client_id: apps.public.id, device_code });

  async function typeCode(tab, code) {
    await tab.getByLabel('Code', { exact: true }).fill(code);
    await press(tab, 'Next');
  }

  test('is typed, and the person says that it is theirs', async (t) => {
    const { window, tab } = await open(t);
    const device = await begin();
    await tab.goto(device.verification_uri);
    await heading(tab, 'Enter the code');
    await picture(tab, 'tenant-device-code');
    assert.equal(await fits(tab), true);
    await typeCode(tab, 'WRONGCODE');
    await tab.getByRole('alert').getByText('AADSTS70018').waitFor();
    await picture(tab, 'tenant-device-wrong');
    await typeCode(tab, device.user_code);
    await typeIn(tab, users.bengali);
    await heading(tab, `Are you signing in to ${apps.public.name}?`);
    await picture(tab, 'tenant-device-confirm');
    await press(tab, 'Continue');
    await heading(tab, `You are signed in to ${apps.public.name}`);
    await picture(tab, 'tenant-device-done');
    assert.ok((await poll(device)).access_token);
    assert.deepEqual(window.complaints, []);
  });

  test('is turned down', async (t) => {
    const { window, tab } = await open(t);
    const device = await begin();
    await tab.goto(device.verification_uri);
    await typeCode(tab, device.user_code);
    await typeIn(tab, users.reader);
    await press(tab, 'Cancel');
    await heading(tab, `You did not sign in to ${apps.public.name}`);
    await picture(tab, 'tenant-device-declined');
    assert.equal((await poll(device)).error, 'authorization_declined');
    assert.deepEqual(window.complaints, []);
  });
});
