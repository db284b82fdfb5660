// One token cache, written and read by Microsoft's library for Node and by
// ours, in both directions (entra-wire 1.5). @spec S-29 S-31
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { Browser } from './lib/browser.mjs';
import { CacheShell } from './lib/cache-shell.mjs';
import { Msal } from './lib/msal.mjs';
import { answerOf, StandIn } from './lib/standin.mjs';

const SCOPES = ['User.Read'];
const native = 'http://localhost:4711';
let standIn, msal, users, apps, auth, environment, tid, folder, file, shell;

before(async () => {
  standIn = await StandIn.start(['--https-listen', 'localhost:0']);
  ({ users, apps } = standIn);
  msal = Msal.start(standIn.program.info.ca);
  environment = new URL(standIn.base).host;
  tid = standIn.tenants[0].id;
  auth = { clientId: apps.public.id, authority: standIn.tenant, knownAuthorities: [environment] };
});
after(async () => {
  await msal?.stop();
  await standIn?.stop();
});
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'valet-cache-'));
  file = path.join(folder, 'msal.json');
  shell = CacheShell.start();
});
afterEach(async () => {
  assert.equal(await shell.stop(), 0);
  rmSync(folder, { recursive: true });
});

const newApp = () => msal.app('public', auth, file);
const document = () => readFileSync(file, 'utf8');
const sections = () => JSON.parse(document());
const all = (section) => Object.values(sections()[section]);

async function signIn(app, user = users.admin) {
  const page = await new Browser().open(await app.call('getAuthCodeUrl', { scopes: SCOPES, redirectUri: native }));
  const answer = answerOf(await page.submit({ username: user.username, password: user.password }));
  return app.call('acquireTokenByCode', {
    code: answer.get('code'), clientInfo: answer.get('client_info'), scopes: SCOPES, redirectUri: native,
  });
}

const counts = async () => JSON.parse((await standIn.emul('log', undefined, 'GET')).text).counts;
async function requests(work) {
  const sum = (c) => Object.values(c).reduce((a, b) => a + b, 0);
  const old = await counts();
  await work();
  const now = await counts();
  return { all: sum(now) - sum(old), token: (now.token ?? 0) - (old.token ?? 0) };
}

const of = (user, extra = {}) => ({
  home_account_id: `${user.id}.${tid}`, environment, client_id: apps.public.id, realm: tid, ...extra,
});
const wanted = (kind, user = users.admin, target = 'User.Read') => of(user, { kind, target });

// Reads msal-node's file, changes it, and writes it back.
async function change(work) {
  await shell.must('read', { document: document() });
  await work();
  writeFileSync(file, (await shell.must('write')).document);
}

describe('a cache of msal-node', () => {
  test('is read: the person and every token are found', async () => {
    const result = await signIn(await newApp(), users.bengali);
    await shell.must('read', { document: document() });
    const { accounts } = await shell.must('accounts');
    assert.deepEqual(accounts, [{
      home_account_id: `${users.bengali.id}.${tid}`, environment, realm: tid, local_account_id: users.bengali.id,
      username: users.bengali.username, name: users.bengali.display_name,
    }]);
    const access = await shell.must('find', wanted('access', users.bengali, 'openid user.read'));
    assert.equal(access.token.secret, result.accessToken);
    assert.equal(access.token.expires_on, Math.floor(Date.parse(result.expiresOn) / 1000));
    const id = await shell.must('find', wanted('id', users.bengali));
    assert.equal(id.token.secret, result.idToken);
    const [refresh] = all('RefreshToken');
    assert.equal((await shell.must('find', wanted('refresh', users.bengali))).token.secret, refresh.secret);
    assert.equal((await shell.ask('find', wanted('access', users.bengali, 'Mail.Read'))).error, 'not found');
  });

  test('comes back from us as it was, and is used on', async () => {
    const { account, accessToken } = await signIn(await newApp());
    const old = sections();
    await change(async () => {});
    assert.deepEqual(sections(), old);
    const app = await newApp();
    assert.equal((await app.call('acquireTokenSilent', { account, scopes: SCOPES })).accessToken, accessToken);
  });

  test('gets tokens of ours, one of each: no second spelling stays', async () => {
    const { account } = await signIn(await newApp());
    const refresh = all('RefreshToken')[0].secret;
    await change(async () => {
      await shell.must('put', of(users.admin, {
        kind: 'access', target: 'User.Read', secret: 'our-token', expires_on: Math.floor(Date.now() / 1000) + 3600,
      }));
      await shell.must('put', of(users.admin, { kind: 'refresh', secret: refresh }));
      await shell.must('put', of(users.admin, { kind: 'id', secret: all('IdToken')[0].secret }));
    });
    for (const section of ['Account', 'IdToken', 'AccessToken', 'RefreshToken'])
      assert.equal(all(section).length, 1, section);
    const app = await newApp();
    let result;
    const asked = await requests(async () => {
      result = await app.call('acquireTokenSilent', { account, scopes: SCOPES });
    });
    assert.equal(result.accessToken, 'our-token');
    assert.equal(asked.token, 0);
  });

  test('is without a person whom we have signed out', async () => {
    const app = await newApp();
    const admin = await signIn(app);
    const reader = await signIn(app, users.reader);
    await change(() => shell.must('remove', of(users.admin)));
    const other = await newApp();
    assert.deepEqual((await other.cache('getAllAccounts')).map((a) => a.username), [users.reader.username]);
    const e = await other.refusal('acquireTokenSilent', { account: admin.account, scopes: SCOPES });
    assert.equal(e.code, 'no_tokens_found');
    assert.ok((await other.call('acquireTokenSilent', { account: reader.account, scopes: SCOPES })).fromCache);
    assert.equal(document().includes(users.admin.id), false);
  });
});

describe('a cache of ours', () => {
  // What a sign-in of ours would put: taken from a sign-in of the library's
  // that kept nothing of it in this file.
  async function ours(extra = {}) {
    const aside = path.join(folder, 'aside.json');
    const result = await signIn(await msal.app('public', auth, aside));
    const refresh = Object.values(JSON.parse(readFileSync(aside, 'utf8')).RefreshToken)[0].secret;
    const now = Math.floor(Date.now() / 1000);
    const put = (kind, fields) => shell.must('put', of(users.admin, { kind, ...fields }));
    await put('account', { local_account_id: users.admin.id, username: users.admin.username, name: 'Admin' });
    await put('id', { secret: result.idToken });
    await put('access', { target: 'User.Read', secret: result.accessToken, expires_on: now + 3600, ...extra });
    await put('refresh', { secret: refresh });
    writeFileSync(file, (await shell.must('write')).document);
    return { ...result, now };
  }

  // As a program finds a person that it did not sign in itself.
  async function person(app) {
    const [account] = await app.cache('getAllAccounts');
    assert.equal(account.homeAccountId, `${users.admin.id}.${tid}`);
    assert.equal(account.username, users.admin.username);
    return account;
  }

  test('gives msal-node the token without a request for one', async () => {
    const { accessToken, idToken } = await ours();
    const app = await newApp();
    const account = await person(app);
    let result;
    const asked = await requests(async () => {
      result = await app.call('acquireTokenSilent', { account, scopes: SCOPES });
    });
    assert.equal(result.fromCache, true);
    assert.equal(result.accessToken, accessToken);
    assert.equal(result.idToken, idToken);
    assert.equal(asked.token, 0);
  });

  test('gives msal-node the refresh token when the other is over, and is read again', async () => {
    const now = Math.floor(Date.now() / 1000);
    const { accessToken } = await ours({ expires_on: now + 200 });
    const app = await newApp();
    const account = await person(app);
    let result;
    const asked = await requests(async () => {
      result = await app.call('acquireTokenSilent', { account, scopes: SCOPES });
    });
    assert.equal(asked.token, 1);
    assert.equal(result.fromCache, false);
    assert.notEqual(result.accessToken, accessToken);
    // The library spells its keys differently and leaves ours beside its own:
    // what is new is found, and one change of ours makes one of two.
    await shell.must('read', { document: document() });
    assert.equal((await shell.must('find', wanted('access'))).token.secret, result.accessToken);
    const { token } = await shell.must('find', wanted('refresh'));
    await change(() => shell.must('put', of(users.admin, { kind: 'refresh', secret: token.secret })));
    assert.equal(all('RefreshToken').length, 1);
    const again = await newApp();
    const forced = await again.call('acquireTokenSilent', { account, scopes: SCOPES, forceRefresh: true });
    assert.equal(forced.fromCache, false);
  });

  test('loses nothing when msal-node has written meanwhile', async () => {
    await ours();
    await shell.must('read', { document: document() });
    await shell.must('put', of(users.admin, { kind: 'access', target: 'Mail.Read', secret: 'mail', expires_on: Math.floor(Date.now() / 1000) + 3600 }));
    const reader = await signIn(await newApp(), users.reader);
    await shell.must('merge', { document: document() });
    writeFileSync(file, (await shell.must('write')).document);
    const app = await newApp();
    assert.equal((await app.cache('getAllAccounts')).length, 2);
    assert.equal((await app.call('acquireTokenSilent', { account: reader.account, scopes: SCOPES })).accessToken,
      reader.accessToken);
    assert.equal((await app.call('acquireTokenSilent', { account: await person(app), scopes: ['Mail.Read'] })).accessToken,
      'mail');
  });

  test('is kept in an encrypted file, and is whole when it is loaded', async () => {
    const { accessToken } = await ours();
    const kept = path.join(folder, 'kept');
    await shell.must('save', { path: kept });
    assert.equal(readFileSync(kept).includes(accessToken.slice(0, 20)), false);
    const other = CacheShell.start();
    await other.must('load', { path: kept });
    assert.equal((await other.must('write')).document, document().trim());
    assert.equal(await other.stop(), 0);
  });
});
