// One token cache of Microsoft's library for Python and of ours, in both
// directions (entra-wire 1.5, 4.4). Debian's Python and package, since it is a
// second opinion on what 27-token-cache.test.mjs says. @spec S-29
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { Browser } from './lib/browser.mjs';
import { CacheShell } from './lib/cache-shell.mjs';
import { Lines } from './lib/lines.mjs';
import { StandIn } from './lib/standin.mjs';

let standIn, shell, python, tid, admin, client;

before(async () => {
  standIn = await StandIn.start(['--https-listen', 'localhost:0']);
  tid = standIn.tenants[0].id;
  ({ admin } = standIn.users);
  client = standIn.apps.public.id;
});
after(() => standIn?.stop());
beforeEach(() => {
  shell = CacheShell.start();
  python = new Lines('/usr/bin/python3', [path.join(import.meta.dirname, 'lib/msal-program.py')],
    { REQUESTS_CA_BUNDLE: standIn.program.info.ca });
});
afterEach(async () => {
  assert.equal(await shell.stop(), 0);
  assert.equal(await python.stop(), 0);
});

const make = (document) => python.must('make', { client_id: client, authority: standIn.tenant, document });
const result = async (what, fields) => (await python.must(what, fields)).result;

// Python leaves the port out of the environment: "localhost".
const of = (fields) => ({
  home_account_id: `${admin.id}.${tid}`, environment: 'localhost', client_id: client, realm: tid, ...fields,
});

async function signIn() {
  await make();
  const url = await result('begin', { scopes: ['User.Read'], redirect_uri: 'http://localhost:4711' });
  const page = await new Browser().open(url);
  const done = await page.submit({ username: admin.username, password: admin.password });
  const tokens = await result('redeem', { answer: Object.fromEntries(new URL(done.next).searchParams) });
  assert.ok(tokens.access_token, JSON.stringify(tokens));
  return { tokens, document: await result('document') };
}

test('a cache of msal for Python is read: the person and every token are found', async () => {
  const { tokens, document } = await signIn();
  await shell.must('read', { document });
  const { accounts } = await shell.must('accounts');
  assert.deepEqual(accounts.map((a) => [a.home_account_id, a.username]), [[`${admin.id}.${tid}`, admin.username]]);
  const find = async (kind) => (await shell.must('find', of({ kind, target: 'user.read' }))).token.secret;
  assert.equal(await find('access'), tokens.access_token);
  assert.equal(await find('refresh'), tokens.refresh_token);
  assert.equal(await find('id'), tokens.id_token);
  assert.deepEqual(JSON.parse((await shell.must('write')).document), JSON.parse(document));
});

test('a cache of ours is used by msal for Python, which overwrites ours in place', async () => {
  const { tokens } = await signIn();
  const put = (kind, fields) => shell.must('put', of({ kind, ...fields }));
  await put('account', { local_account_id: admin.id, username: admin.username });
  await put('id', { secret: tokens.id_token });
  await put('access', {
    target: 'User.Read', secret: 'our-token', expires_on: Math.floor(Date.now() / 1000) + 3600,
  });
  await put('refresh', { secret: tokens.refresh_token });
  await make((await shell.must('write')).document);
  assert.deepEqual((await result('accounts')).map((a) => a.username), [admin.username]);
  assert.equal((await result('silent', { scopes: ['User.Read'] })).access_token, 'our-token');

  const fresh = await result('silent', { scopes: ['User.Read'], force: true });
  assert.ok(fresh.access_token, JSON.stringify(fresh));
  assert.notEqual(fresh.access_token, 'our-token');
  const document = await result('document');
  // Access tokens have their scopes in the key, which Entra names in any order.
  for (const section of ['Account', 'IdToken', 'RefreshToken', 'AppMetadata'])
    assert.equal(Object.keys(JSON.parse(document)[section]).length, 1, section);
  await shell.must('read', { document });
  assert.equal((await shell.must('find', of({ kind: 'access', target: 'User.Read' }))).token.secret, fresh.access_token);
});
