// The token library against the stand-in: every flow, what a refusal tells to
// do, restarts, sign-out, accounts and tenants that do not mix, and one request
// however many ask (research: entra-wire 1.6 to 1.10; lesson S-22 to S-36).
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { Browser, request } from './lib/browser.mjs';
import { ClientShell } from './lib/client-shell.mjs';
import { StandIn } from './lib/standin.mjs';

const GRAPH = ['https://graph.microsoft.com/.default'];
const SCOPES = ['User.Read'];
const DEVICE = 4;
const ADMIN = 'ask_an_administrator';
let standIn, shell, users, apps, tid;

before(async () => {
  standIn = await StandIn.start();
  ({ users, apps } = standIn);
  tid = standIn.tenants[0].id;
  shell = ClientShell.start();
});
after(async () => {
  await shell?.stop();
  await standIn?.stop();
});
beforeEach(async () => {
  await standIn.emul('faults', undefined, 'DELETE');
  await standIn.emul('settings', { device_interval: 1, device_code_seconds: 0, access_token_seconds: 0,
    refresh_in_seconds: 0, graph_acrs: '' });
  for (const app of ['web', 'api', 'public']) await standIn.consent('granted', app);
});

const scratch = (t) => {
  const made = mkdtempSync(path.join(os.tmpdir(), 'acquire-'));
  t.after(() => rmSync(made, { recursive: true }));
  return made;
};
const claimsOf = (jwt) => JSON.parse(Buffer.from(jwt.split('.')[1], 'base64url'));
const counts = async () => {
  const { control, ...rest } = JSON.parse((await standIn.emul('log', undefined, 'GET')).text).counts;
  return rest;
};
const me = (token) => request(`${standIn.base}/v1.0/me`, { headers: { authorization: `Bearer ${token}` } });
const publicOptions = (extra = {}) => ({ kind: 'public', client_id: apps.public.id, tenant: tid,
  authority_host: standIn.base, cache: 'memory', ...extra });
const service = (app, extra = {}) => ({ kind: 'confidential', client_id: app.id, client_secret: app.secret,
  tenant: tid, authority_host: standIn.base, ...extra });

// How often one grant was asked for meanwhile.
async function asked(grant, work) {
  const old = await counts();
  await work();
  return ((await counts())[`token.${grant}`] ?? 0) - (old[`token.${grant}`] ?? 0);
}

// A person types the code and does what `end` says on the last page.
const walk = (user, end = { choice: 'continue' }) => ({
  tell: async ({ url, user_code }) => {
    const page = await (await new Browser().open(url)).follow();
    const signIn = await page.submit({ otc: user_code });
    await (await signIn.submit({ username: user.username, password: user.password })).submit(end);
  },
});
const signIn = (client, user = users.admin, extra = {}) =>
  client.must({ flow: 'sign_in', scopes: SCOPES, methods: DEVICE, ...extra }, walk(user));

describe('a person signs in with a code', () => {
  test('and Graph knows them', async () => {
    const client = await shell.client(publicOptions());
    const result = await signIn(client, users.bengali);
    assert.equal(result.source, 'device_code');
    assert.equal(result.name, users.bengali.display_name);
    assert.equal(result.username, users.bengali.username);
    assert.equal(result.tenant_id, tid);
    assert.equal(JSON.parse((await me(result.token)).text).displayName, users.bengali.display_name);
    const silent = await client.must({ scopes: SCOPES });
    assert.deepEqual([silent.source, silent.token], ['cache', result.token]);
    await client.free();
  });

  test('or does not want to, or comes too late', async () => {
    const client = await shell.client(publicOptions());
    const { error } = await client.acquire({ flow: 'sign_in', scopes: SCOPES, methods: DEVICE },
      walk(users.admin, { choice: 'cancel' }));
    assert.deepEqual([error.oauth, error.next], ['authorization_declined', 'sign_in']);
    await standIn.emul('settings', { device_code_seconds: 1 });
    const late = await client.acquire({ flow: 'sign_in', scopes: SCOPES, methods: DEVICE }, {});
    assert.deepEqual([late.error.code, late.error.next], ['expired_token', 'sign_in']);
    assert.deepEqual(await client.accounts(), []);
    await client.free();
  });

  test('and no other than the one who was asked for', async () => {
    const client = await shell.client(publicOptions());
    const { error } = await client.acquire(
      { flow: 'sign_in', scopes: SCOPES, methods: DEVICE, account: users.reader.username }, walk(users.admin));
    assert.deepEqual([error.code, error.next], ['other_account', 'sign_in']);
    assert.deepEqual(await client.accounts(), []);
    await client.free();
  });

  // @spec W-40
  test('while others wait their turn, and a call that is taken back is silent', async () => {
    const client = await shell.client(publicOptions());
    const first = client.acquire({ flow: 'sign_in', scopes: SCOPES, methods: DEVICE }, {});
    await client.cancel(first.id);
    const result = await signIn(client);
    assert.equal(result.username, users.admin.username);
    await client.free();
  });
});

describe('what is kept', () => {
  // @spec S-31
  test('makes a restart silent, and needs no network while the token lives', async (t) => {
    const options = publicOptions({ cache: 'file', cache_file: path.join(scratch(t), 'cache') });
    const one = ClientShell.start();
    const { token } = await signIn(await one.client(options));
    assert.deepEqual(await one.stop(), { code: 0, signal: null });
    const two = ClientShell.start();
    const old = await counts();
    const silent = await (await two.client(options)).must({ scopes: SCOPES });
    assert.deepEqual([silent.token, silent.source, silent.username], [token, 'cache', users.admin.username]);
    assert.deepEqual(await counts(), old);
    await two.stop();
  });

  // @spec S-34 W-44
  test('a revoked refresh token makes the person sign in again, and is forgotten', async (t) => {
    const options = publicOptions({ cache: 'file', cache_file: path.join(scratch(t), 'cache') });
    const client = await shell.client(options);
    await signIn(client);
    await standIn.emul('revoke', { user: 'admin' });
    const { error } = await client.acquire({ scopes: SCOPES, renew: true });
    assert.deepEqual([error.aadsts, error.suberror, error.next], [50173, 'bad_token', 'sign_in']);
    const times = await asked('refresh_token', async () => {
      const again = await client.acquire({ scopes: SCOPES, renew: true });
      assert.equal(again.error.next, 'sign_in');
    });
    assert.equal(times, 0);
    await signIn(client);
    assert.equal((await client.must({ scopes: SCOPES, renew: true })).source, 'refresh');
    await client.free();
  });

  // @spec S-29 W-37
  test('lies in files of this person alone, and never behind a link', async (t) => {
    const place = scratch(t);
    const file = path.join(place, 'cache');
    const client = await shell.client(publicOptions({ cache: 'file', cache_file: file }));
    const { token } = await signIn(client);
    await client.free();
    for (const name of readdirSync(place)) {
      const at = path.join(place, name);
      assert.equal(statSync(at).mode & 0o77, 0, name);
      assert.ok(!readFileSync(at).includes(token), name);
    }
    writeFileSync(path.join(place, 'elsewhere'), 'theirs');
    symlinkSync(path.join(place, 'elsewhere'), path.join(place, 'link'));
    const linked = await shell.client(publicOptions({ cache: 'file', cache_file: path.join(place, 'link') }));
    const { error } = await linked.acquire({ scopes: SCOPES });
    assert.equal(error.status, 'denied', JSON.stringify(error));
    assert.equal(readFileSync(path.join(place, 'elsewhere'), 'utf8'), 'theirs');
    await linked.free();
  });

  // @spec S-29 W-37
  test('is refused where there is no Secret Service, and nothing stands in for it', async (t) => {
    const home = scratch(t);
    const lost = ClientShell.start({ HOME: home, XDG_STATE_HOME: '', DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nowhere' });
    const client = await lost.client(publicOptions({ cache: 'default' }));
    const { error } = await client.acquire({ scopes: SCOPES });
    assert.equal(error.status, 'not found', JSON.stringify(error));
    assert.match(error.message, /Secret Service|session bus|D-Bus/i);
    await lost.stop();
  });
});

describe('one request', () => {
  // @spec S-31
  test('is what fifty callers at once cause, waiting or on a loop', async () => {
    await standIn.emul('settings', { access_token_seconds: 200 });
    const client = await shell.client(publicOptions());
    await signIn(client);
    await standIn.emul('settings', { access_token_seconds: 0 });
    const waited = await asked('refresh_token', async () => {
      const answer = await client.wait({ scopes: SCOPES, times: 50 });
      assert.equal(answer.error, undefined, JSON.stringify(answer.error));
    });
    assert.equal(waited, 1);
    await client.free();
    await standIn.emul('settings', { access_token_seconds: 200 });
    const other = await shell.client(publicOptions());
    await signIn(other);
    await standIn.emul('settings', { access_token_seconds: 0 });
    const looped = await asked('refresh_token', async () => {
      const answers = await Promise.all(Array.from({ length: 50 }, () => other.must({ scopes: SCOPES })));
      assert.equal(new Set(answers.map((a) => a.token)).size, 1);
    });
    assert.equal(looped, 1);
    await other.free();
  });

  // @spec S-31
  test('is what fifty callers in eight processes cause', async (t) => {
    const options = publicOptions({ cache: 'file', cache_file: path.join(scratch(t), 'cache') });
    await standIn.emul('settings', { access_token_seconds: 200 });
    const first = await shell.client(options);
    await signIn(first);
    await first.free();
    await standIn.emul('settings', { access_token_seconds: 0 });
    const shells = Array.from({ length: 8 }, () => ClientShell.start());
    const clients = await Promise.all(shells.map((s) => s.client(options)));
    const times = await asked('refresh_token', async () => {
      const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => clients[i % 8].must({ scopes: SCOPES })));
      assert.equal(new Set(answers.map((a) => a.token)).size, 1);
    });
    assert.equal(times, 1);
    for (const s of shells) assert.deepEqual(await s.stop(), { code: 0, signal: null });
  });

  test('goes ahead of time, while the token that is there is given; a failure harms nobody', async () => {
    await standIn.emul('settings', { refresh_in_seconds: 1 });
    const client = await shell.client(publicOptions());
    const { token } = await signIn(client);
    await standIn.emul('settings', { refresh_in_seconds: 0 });
    await new Promise((r) => { setTimeout(r, 1100); });
    const times = await asked('refresh_token', async () => {
      for (let i = 0; i < 5; i++) assert.equal((await client.must({ scopes: SCOPES })).source, 'cache');
      for (let i = 0; (await client.must({ scopes: SCOPES })).token === token; i++) {
        assert.ok(i < 500, 'it was not renewed');
        await new Promise((r) => { setTimeout(r, 10); });
      }
    });
    assert.equal(times, 1);
    await client.free();
  });
});

describe('accounts', () => {
  // @spec S-30 W-38
  test('are never guessed: two of them are told apart by id and by name', async () => {
    const client = await shell.client(publicOptions());
    await signIn(client, users.admin);
    await signIn(client, users.reader);
    const { error } = await client.acquire({ scopes: SCOPES });
    assert.equal(error.code, 'several_accounts');
    const list = await client.accounts();
    assert.deepEqual(list.map((a) => a.username).sort(), [users.admin.username, users.reader.username].sort());
    for (const { id, username } of list) {
      for (const account of [id, username, username.toUpperCase()]) {
        const result = await client.must({ scopes: SCOPES, account, renew: true });
        assert.equal(result.username, username);
        assert.equal(claimsOf(result.token).upn ?? claimsOf(result.token).preferred_username, username);
      }
    }
    await client.free();
  });

  test('that sign out are gone for every process', async (t) => {
    const options = publicOptions({ cache: 'file', cache_file: path.join(scratch(t), 'cache') });
    const client = await shell.client(options);
    await signIn(client, users.admin);
    await signIn(client, users.reader);
    const second = ClientShell.start();
    const other = await second.client(options);
    await other.must({ scopes: SCOPES, account: users.admin.username });
    assert.equal((await client.signOut(users.admin.username)).ok, true);
    assert.equal((await client.signOut(users.admin.username)).error.code, 'no_account');
    assert.deepEqual((await other.accounts()).map((a) => a.username), [users.reader.username]);
    assert.equal((await client.acquire({ scopes: SCOPES, account: users.admin.username })).error.next, 'sign_in');
    assert.equal((await client.must({ scopes: SCOPES })).username, users.reader.username);
    await second.stop();
    await client.free();
  });

  // @spec S-22 S-24
  test('of two tenants do not mix, though they share a process and a cache', async (t) => {
    const place = { cache: 'file', cache_file: path.join(scratch(t), 'cache') };
    const [first, second] = standIn.tenants;
    const [fred] = Object.values(second.users);
    const one = await shell.client(publicOptions(place));
    const two = await shell.client(publicOptions({ ...place, tenant: second.id }));
    const [a, b] = [await signIn(one, users.admin), await signIn(two, fred)];
    assert.deepEqual([a.tenant_id, b.tenant_id], [first.id, second.id]);
    for (let i = 0; i < 2; i++) {
      const [x, y] = await Promise.all([one, two].map((c) => c.must({ scopes: SCOPES, renew: i === 1 })));
      assert.deepEqual([claimsOf(x.token).tid, x.username], [first.id, users.admin.username]);
      assert.deepEqual([claimsOf(y.token).tid, y.username], [second.id, fred.username]);
    }
    const stranger = await one.acquire({ scopes: SCOPES, account: fred.username });
    assert.equal(stranger.error.code, 'no_account');
    await one.free();
    await two.free();
  });
});

describe('a service', () => {
  const isApp = (result, proof = '1') => {
    const claims = claimsOf(result.token);
    assert.deepEqual([claims.idtyp, claims.appid, claims.appidacr, claims.roles],
      ['app', apps.daemon.id, proof, ['User.Read.All']]);
    assert.equal(result.account_id, undefined);
  };

  test('asks with a secret, once', async () => {
    const client = await shell.client(service(apps.daemon));
    const times = await asked('client_credentials', async () => {
      isApp(await client.must({ flow: 'app', scopes: GRAPH }));
      assert.equal((await client.must({ flow: 'app', scopes: GRAPH })).source, 'cache');
      assert.equal((await client.wait({ flow: 'app', scopes: GRAPH, times: 50 })).error, undefined);
    });
    assert.equal(times, 1);
    await client.free();
  });

  test('asks with a certificate, and with an assertion that is read anew each time', async (t) => {
    const place = scratch(t);
    const { key, certificate } = JSON.parse((await standIn.emul('certificate', { app: 'daemon' })).text);
    writeFileSync(path.join(place, 'own.pem'), certificate + key, { mode: 0o600 });
    const client = await shell.client(service(apps.daemon,
      { client_secret: undefined, certificate_file: path.join(place, 'own.pem') }));
    isApp(await client.must({ flow: 'app', scopes: GRAPH }), '2');
    await client.free();
    const federated = ClientShell.start({ SHELL_ASSERTION_FILE: path.join(place, 'assertion') });
    const other = await federated.client(service(apps.daemon, { client_secret: undefined, assertion: true }));
    const none = await other.acquire({ flow: 'app', scopes: GRAPH });
    assert.deepEqual([none.error.status, none.error.next], ['retry', 'retry']);
    assert.ok(federated.stderr.includes(`assertion of ${apps.daemon.id} for ${standIn.tenant}/oauth2/v2.0/token\n`), federated.stderr);
    writeFileSync(path.join(place, 'assertion'), 'e30.e30.e30');
    const { error } = await other.acquire({ flow: 'app', scopes: GRAPH });
    assert.deepEqual([error.aadsts, error.next], [5002727, 'give_up'], JSON.stringify(error));
    await federated.stop();
  });

  test('is told what to do about each refusal', async () => {
    const wrong = await shell.client(service(apps.daemon, { client_secret: 'wrong' }));
    const { error } = await wrong.acquire({ flow: 'app', scopes: GRAPH });
    assert.deepEqual([error.aadsts, error.next, error.http_status], [7000215, ADMIN, 401]);
    assert.match(error.correlation_id, /^[0-9a-f-]{36}$/);
    await wrong.free();
  });
});

describe('an API on behalf of who called it', () => {
  const sent = async (user) => (await standIn.tokens({ scope: `openid ${apps.api.scope}` }, { user })).access_token;

  // entra-wire 1.10: msal-node forgets one assertion for the other.
  test('asks once for each, and never gives one person what is another\'s', async () => {
    const client = await shell.client(service(apps.api));
    const [mine, theirs, again] = [await sent(users.bengali), await sent(users.reader), await sent(users.bengali)];
    const ask = (assertion) => client.must({ flow: 'on_behalf_of', scopes: SCOPES, assertion });
    const times = await asked('on_behalf_of', async () => {
      for (let i = 0; i < 3; i++) {
        const [a, b, c] = await Promise.all([mine, theirs, again].map(ask));
        assert.equal(claimsOf(a.token).oid, users.bengali.id);
        assert.equal(claimsOf(b.token).oid, users.reader.id);
        assert.equal(claimsOf(c.token).oid, users.bengali.id);
        assert.equal(a.source, i ? 'cache' : 'on_behalf_of');
        assert.equal(a.account_id, `${users.bengali.id}.${tid}`);
      }
    });
    assert.equal(times, 3);
    assert.deepEqual(await client.accounts(), []);
    assert.equal((await client.acquire({ scopes: SCOPES, account: `${users.bengali.id}.${tid}` })).error.code, 'no_account');
    await client.free();
  });

  test('is told what its person has to do', async () => {
    const client = await shell.client(service(apps.api));
    const assertion = await sent(users.admin);
    await standIn.consent('needed', 'api');
    const needed = await client.acquire({ flow: 'on_behalf_of', scopes: ['Mail.Read'], assertion });
    assert.deepEqual([needed.error.aadsts, needed.error.suberror, needed.error.next], [65001, 'consent_required', 'sign_in']);
    await standIn.consent('granted', 'api');
    await standIn.fault({ where: 'token', grant: 'on_behalf_of', aadsts: 50076 });
    const { error } = await client.acquire({ flow: 'on_behalf_of', scopes: SCOPES, assertion });
    assert.equal(error.next, 'sign_in');
    assert.match(error.claims, /capolids/);
    const torn = await client.acquire({ flow: 'on_behalf_of', scopes: SCOPES, assertion: `${assertion.slice(0, -8)}AAAAAAAA` });
    assert.equal(torn.error.aadsts, 50013);
    await client.free();
  });
});

// @spec S-22 S-26
describe('an authority', () => {
  const all = () => standIn.tenants.map((tenant) => tenant.id);

  test('is a tenant by its domain', async () => {
    const client = await shell.client(publicOptions({ tenant: standIn.tenants[0].domain }));
    assert.equal((await signIn(client)).tenant_id, tid);
    assert.equal((await client.must({ scopes: SCOPES })).tenant_id, tid);
    await client.free();
  });

  test('is many tenants only with a list, and lets nobody else in', async () => {
    const [fred] = Object.values(standIn.tenants[1].users);
    assert.match((await shell.ask('new', { client: 'x', ...publicOptions({ tenant: 'organizations' }) })).error.message, /tenants/);
    const strict = await shell.client(publicOptions({ tenant: 'organizations', tenants: [tid] }));
    assert.equal((await signIn(strict)).tenant_id, tid);
    const { error } = await strict.acquire({ flow: 'sign_in', scopes: SCOPES, methods: DEVICE }, walk(fred));
    assert.ok(error && error.status === 'denied', JSON.stringify(error));
    assert.equal((await strict.accounts()).length, 1);
    await strict.free();
    const open = await shell.client(publicOptions({ tenant: 'organizations', tenants: all() }));
    await signIn(open, users.admin);
    await signIn(open, fred);
    for (const [account, tenant] of [[users.admin.username, all()[0]], [fred.username, all()[1]]]) {
      for (const renew of [false, true]) {
        const result = await open.must({ scopes: SCOPES, account, renew });
        assert.deepEqual([result.tenant_id, claimsOf(result.token).tid], [tenant, tenant]);
      }
    }
    await open.free();
  });

  test('that was told its documents fetches its keys alone', async () => {
    const metadata = (await request(`${standIn.tenant}/v2.0/.well-known/openid-configuration`)).text;
    const client = await shell.client(publicOptions({ metadata }));
    const { discovery } = await counts();
    await signIn(client);
    assert.equal((await counts()).discovery, discovery);
    await client.free();
    const foreign = metadata.replaceAll(tid, standIn.tenants[1].id);
    const { error } = await shell.ask('new', { client: 'x', ...publicOptions({ metadata: foreign }) });
    assert.match(error.message, /metadata/);
  });

  test('that is none of Microsoft\'s is believed only if it is said to be ours', async () => {
    for (const authority_host of ['https://login.evil.example', 'http://login.microsoftonline.com',
      'https://login.microsoftonline.com.evil.example', 'https://login.microsoftonline.com/common', 'login.microsoftonline.com'])
      assert.ok((await shell.ask('new', { client: 'x', ...publicOptions({ authority_host }) })).error, authority_host);
    for (const authority_host of ['https://login.microsoftonline.us', 'https://login.partner.microsoftonline.cn',
      'https://contoso.ciamlogin.com'])
      await (await shell.client(publicOptions({ authority_host }))).free();
    await (await shell.client(publicOptions({ authority_host: 'https://login.corp.example', own_authority: true }))).free();
  });

  test('that cannot be reached is asked for again later', async () => {
    const client = await shell.client(publicOptions({ authority_host: 'http://127.0.0.1:9' }));
    const { error } = await client.acquire({ flow: 'sign_in', scopes: SCOPES, methods: DEVICE }, {});
    assert.deepEqual([error.status, error.next, error.http_status], ['retry', 'retry', 0]);
    await client.free();
  });
});

test('what the program can do is told, and tokens are then long', async () => {
  const client = await shell.client(publicOptions({ capabilities: ['cp1'] }));
  const { token, expires_at } = await signIn(client);
  assert.deepEqual(claimsOf(token).xms_cc, ['cp1']);
  assert.ok((expires_at - Date.now() / 1000) / 3600 > 19);
  assert.equal((await client.must({ scopes: SCOPES })).token, token);
  await standIn.emul('revoke', { user: 'admin' });
  const refused = await me(token);
  const claims = Buffer.from(/claims="([^"]+)"/.exec(refused.headers['www-authenticate'])[1], 'base64').toString();
  const { error } = await client.acquire({ scopes: SCOPES, claims });
  assert.deepEqual([error.aadsts, error.next], [50173, 'sign_in']);
  await client.free();
});

// The classifier's verdict for what Entra says, by a call of the library.
// @spec S-34
describe('a refusal of the token endpoint', () => {
  let place, made = 0;
  before(async () => {
    place = mkdtempSync(path.join(os.tmpdir(), 'acquire-'));
    const client = await shell.client(publicOptions({ cache: 'file', cache_file: path.join(place, 'cache') }));
    await standIn.emul('settings', { device_interval: 1 });
    await signIn(client);
    await client.free();
  });
  after(() => rmSync(place, { recursive: true }));

  // A client of the person who signed in, with a copy of their cache.
  async function copied() {
    const file = path.join(place, `copy-${++made}`);
    for (const suffix of ['', '.key']) writeFileSync(file + suffix, readFileSync(path.join(place, `cache${suffix}`)), { mode: 0o600 });
    return shell.client(publicOptions({ cache: 'file', cache_file: file }));
  }

  const matrix = [
    [{ aadsts: 50173 }, 'sign_in'], [{ aadsts: 50076 }, 'sign_in'], [{ aadsts: 65001 }, 'sign_in'],
    [{ aadsts: 50058 }, 'sign_in'], [{ aadsts: 50126 }, 'sign_in'], [{ aadsts: 70008 }, 'sign_in'],
    [{ aadsts: 53003 }, 'sign_in'], [{ aadsts: 50057 }, ADMIN], [{ aadsts: 50105 }, ADMIN],
    [{ aadsts: 7000222 }, ADMIN], [{ aadsts: 700016 }, ADMIN], [{ aadsts: 90002 }, 'give_up'],
    [{ error: 'temporarily_unavailable' }, 'retry'], [{ error: 'invalid_scope' }, 'give_up'],
    [{ error: 'interaction_required' }, 'sign_in'], [{ status: 429, retry_after: '60' }, 'retry'],
  ];
  for (const [fault, next] of matrix) {
    // What is the program's own fault is told each time (entra/throttle.c).
    const held = next !== 'give_up' && fault.error !== 'temporarily_unavailable';
    test(`of ${JSON.stringify(fault)} means ${next}${held ? ', and is not asked for again at once' : ''}`, async () => {
      const client = await copied();
      await standIn.fault({ where: 'token', grant: 'refresh_token', ...fault });
      const { error } = await client.acquire({ scopes: SCOPES, renew: true });
      assert.equal(error?.next, next, JSON.stringify(error));
      assert.equal(error.aadsts, fault.aadsts ?? error.aadsts);
      if (held) {
        const times = await asked('refresh_token', async () => {
          const again = await client.acquire({ scopes: SCOPES, renew: true });
          assert.equal(again.error?.next, next, JSON.stringify(again));
        });
        assert.equal(times, 0);
      }
      await client.free();
    });
  }
});

// @spec S-35 W-41
test('no secret is in a log, an argument or the environment', async (t) => {
  const place = scratch(t);
  const own = ClientShell.start();
  const client = await own.client(publicOptions({ cache: 'file', cache_file: path.join(place, 'cache') }));
  const codes = [];
  const person = walk(users.admin);
  const { token } = await client.must({ flow: 'sign_in', scopes: SCOPES, methods: DEVICE },
    { tell: (what) => { codes.push(what.user_code); return person.tell(what); } });
  await client.must({ scopes: SCOPES, renew: true });
  await standIn.fault({ where: 'token', grant: 'refresh_token', aadsts: 50173 });
  await client.acquire({ scopes: SCOPES, renew: true });
  const seen = ['cmdline', 'environ'].map((name) => readFileSync(`/proc/${own.child.pid}/${name}`, 'latin1'));
  await own.stop();
  assert.match(own.stderr, /token from: device_code/);
  for (const secret of [token, ...codes, users.admin.password, users.admin.username])
    for (const text of [own.stderr, ...seen]) assert.ok(!text.includes(secret), text);
});
