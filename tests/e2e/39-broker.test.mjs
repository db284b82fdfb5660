// The identity broker on a session bus of the test's own: first of the ways to
// sign in, asked again silently, passed over where it cannot serve (lesson
// S-27, S-28, S-32; entra-wire 1.13).
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Browser } from './lib/browser.mjs';
import { Bus } from './lib/bus.mjs';
import { ClientShell } from './lib/client-shell.mjs';
import { StandIn } from './lib/standin.mjs';

const SCOPES = ['User.Read'];
const BROKER = 1, BROWSER = 2, DEVICE = 4, ALL = 0;
let standIn, users, tid, folder, bus;

before(async () => {
  standIn = await StandIn.start();
  ({ users } = standIn);
  tid = standIn.tenants[0].id;
  await standIn.emul('settings', { device_interval: 1 });
  folder = mkdtempSync(path.join(os.tmpdir(), 'broker-'));
  bus = await Bus.start(folder);
});
after(async () => {
  await bus?.stop();
  await standIn?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const account = (user, tenant = tid) => ['--account', `${user.id}.${tid},${user.username},${user.display_name},${tenant}`];
const options = () => ({ kind: 'public', client_id: standIn.apps.public.id, tenant: tid,
  authority_host: standIn.base, cache: 'memory' });
const signIn = (extra = {}) => ({ flow: 'sign_in', scopes: SCOPES, methods: ALL, open: 'system', ...extra });

// A program on this desktop without a screen, with this broker.
async function desktop(t, args, more = {}) {
  const broker = args && await bus.broker(args);
  const shell = ClientShell.start({ ...bus.env, DISPLAY: '', WAYLAND_DISPLAY: '' });
  t.after(async () => {
    await shell.stop();
    await broker?.end();
  });
  return { broker, shell, client: await shell.client({ ...options(), ...more }) };
}

// A person who types the code, and what they were told.
function person() {
  const told = [];
  return { told, tell: async (what) => {
    told.push(what);
    if (!what.user_code) return;
    const page = await (await new Browser().open(what.url)).follow();
    const entered = await page.submit({ otc: what.user_code });
    await (await entered.submit({ username: users.admin.username, password: users.admin.password }))
      .submit({ choice: 'continue' });
  } };
}

describe('a broker', () => {
  for (const shape of [[], ['--old'], ['--folded']]) {
    test(`signs people in before anything else${shape.length ? `, as ${shape[0].slice(2)} ones speak` : ''}`, async (t) => {
      const { broker, shell, client } = await desktop(t, [...account(users.bengali), '--token', 'of-the-broker', ...shape]);
      const asked = person();
      const hint = shape[0] === '--old' ? { account: `${users.bengali.id}.${tid}` } : {};
      const result = await client.must(signIn(hint), asked);
      assert.deepEqual([result.source, result.token], ['broker', 'of-the-broker']);
      assert.deepEqual(asked.told, []);
      assert.match(shell.stderr, /token from: broker/);
      const interactive = broker.calls.find(([method]) => method === 'acquireTokenInteractively')[1];
      assert.equal(interactive.authParameters.clientId, standIn.apps.public.id);
      assert.equal(interactive.authParameters.authority, standIn.tenant);
      assert.ok(interactive.authParameters.requestedScopes.includes('User.Read'));
      // @spec W-39: no window of another program is named as its owner.
      assert.equal(interactive.authParameters.uxContextHandle, -1);
    });
  }

  // @spec S-32
  test('is asked silently from then on, and after a restart of its own', async (t) => {
    const { broker, client } = await desktop(t, [...account(users.bengali), '--token', 'first']);
    await client.must(signIn());
    const silent = await client.must({ scopes: SCOPES, renew: true });
    assert.deepEqual([silent.source, silent.token, silent.username], ['broker', 'first', users.bengali.username]);
    assert.deepEqual((await client.accounts()).map((a) => [a.username, a.name]), [[users.bengali.username, users.bengali.display_name]]);
    await broker.end();
    const gone = await client.acquire({ scopes: SCOPES, renew: true });
    assert.deepEqual([gone.error.code, gone.error.next], ['no_tokens', 'sign_in']);
    const next = await bus.broker([...account(users.bengali), '--token', 'second']);
    t.after(() => next.end());
    assert.equal((await client.must({ scopes: SCOPES, renew: true })).token, 'second');
    assert.ok(next.calls.some(([method]) => method === 'acquireTokenSilently'));
  });

  // @spec S-32
  test('lends its own account only if it is asked to', async (t) => {
    const { broker, client } = await desktop(t, account(users.reader));
    const plain = await client.acquire({ scopes: SCOPES });
    assert.equal(plain.error.code, 'no_account');
    assert.deepEqual(broker.calls, []);
    const lent = await client.must({ scopes: SCOPES, methods: BROKER });
    assert.deepEqual([lent.source, lent.username], ['broker', users.reader.username]);
    await client.signOut(users.reader.username);
    assert.equal((await client.acquire({ scopes: SCOPES })).error.next, 'sign_in');
  });

  test('whose person says no is not followed by another question', async (t) => {
    const { client } = await desktop(t, [...account(users.admin), '--interactive-error', '8']);
    const asked = person();
    const { error } = await client.acquire(signIn(), asked);
    assert.equal(error.next, 'sign_in', JSON.stringify(error));
    assert.deepEqual(asked.told, []);
  });

  test('is asked each time, and nothing is written that is kept already', async (t) => {
    const file = path.join(folder, 'written-once');
    const { broker, client } = await desktop(t, account(users.bengali), { cache: 'file', cache_file: file });
    await client.must(signIn());
    const kept = readFileSync(file);
    for (let i = 0; i < 2; i++) {
      assert.equal((await client.must({ scopes: SCOPES })).source, 'broker');
      assert.ok(readFileSync(file).equals(kept));
    }
    assert.equal(broker.calls.filter(([method]) => method === 'acquireTokenSilently').length, 2);
  });

  // Whoever shares the cache has signed them out; the broker still knows them.
  test('does not sign in again who has signed out elsewhere', async (t) => {
    const kept = { cache: 'file', cache_file: path.join(folder, 'kept') };
    const { shell, client } = await desktop(t, account(users.bengali), kept);
    await client.must(signIn());
    await client.must({ scopes: SCOPES, renew: true });
    const other = await shell.client({ ...options(), ...kept });
    assert.equal((await other.accounts()).length, 1);
    await other.signOut(users.bengali.username);
    const { error } = await client.acquire({ scopes: SCOPES, renew: true });
    assert.equal(error?.next, 'sign_in');
    assert.deepEqual(await other.accounts(), []);
  });

  // @spec S-32
  test('lends its account to a client of many tenants', async (t) => {
    const { client } = await desktop(t, account(users.reader), { tenant: 'organizations', tenants: [tid] });
    const lent = await client.must({ scopes: SCOPES, methods: BROKER });
    assert.deepEqual([lent.source, lent.username], ['broker', users.reader.username]);
  });

  test('is told what the program can do', async (t) => {
    const { broker, client } = await desktop(t, account(users.bengali), { capabilities: ['cp1'] });
    await client.must(signIn({ claims: '{"access_token":{"nbf":{"essential":true}}}' }));
    await client.must({ scopes: SCOPES });
    const asked = broker.calls.filter(([method]) => method.startsWith('acquireToken')).map(([, what]) => JSON.parse(what.authParameters.decodedClaims ?? '{}'));
    assert.deepEqual(asked, [
      { access_token: { nbf: { essential: true }, xms_cc: { values: ['cp1'] } } },
      { access_token: { xms_cc: { values: ['cp1'] } } }]);
  });

  test('that tells Entra\'s number is judged by it', async (t) => {
    const { client } = await desktop(t, [...account(users.admin),
      '--interactive-error', '2,invalid_grant,message_only,AADSTS50105: not assigned']);
    const { error } = await client.acquire(signIn({ methods: BROKER }), {});
    assert.deepEqual([error.aadsts, error.next], [50105, 'ask_an_administrator'], JSON.stringify(error));
  });

  // @spec S-22
  test('of a person of another tenant does not get them in', async (t) => {
    const { client } = await desktop(t, account(users.admin, standIn.tenants[1].id));
    const { error } = await client.acquire(signIn({ methods: BROKER }), {});
    assert.ok(error, 'a person of another tenant got in');
    assert.deepEqual(await client.accounts(), []);
  });

  test('is taken back when the caller loses patience', async (t) => {
    const { broker, client } = await desktop(t, [...account(users.admin), '--waits']);
    const call = client.acquire(signIn({ methods: BROKER }), {});
    while (!broker.calls.length) await new Promise((r) => { setTimeout(r, 10); });
    await client.cancel(call.id);
    for (let i = 0; !broker.calls.some(([method]) => method === 'cancelInteractiveFlow'); i++) {
      assert.ok(i < 500, 'it was not cancelled');
      await new Promise((r) => { setTimeout(r, 10); });
    }
  });
});

// @spec S-27 S-28 W-36
describe('where no broker can serve', () => {
  test('the next way is taken, and each is told and logged', async (t) => {
    const { shell, client } = await desktop(t);
    const asked = person();
    const result = await client.must(signIn(), asked);
    assert.deepEqual([result.source, result.username], ['device_code', users.admin.username]);
    assert.deepEqual(asked.told.map((what) => what.method), [BROKER, BROWSER, DEVICE]);
    assert.ok(asked.told[0].failed && asked.told[1].failed && asked.told[2].user_code);
    for (const line of [/no sign-in by broker: /, /no sign-in by browser: /, /token from: device_code/]) assert.match(shell.stderr, line);
  });

  test('one that was asked for alone says why not', async (t) => {
    const { client } = await desktop(t);
    const { error } = await client.acquire(signIn({ methods: BROKER }), {});
    assert.deepEqual([error.code, error.next], ['no_broker', 'give_up']);
  });

  test('and was asked for alone, all that it said is told', async (t) => {
    const { client } = await desktop(t, [...account(users.admin), '--interactive-error', '9,invalid_client,,AADSTS50011: no such address']);
    const { error } = await client.acquire(signIn({ methods: BROKER }), {});
    assert.deepEqual([error.next, error.aadsts, error.oauth], ['ask_an_administrator', 50011, 'invalid_client'], JSON.stringify(error));
  });

  const faults = { 'makes no sense': ['--answer', 'acquireTokenInteractively', '{}'], dies: ['--dies', 'acquireTokenInteractively'],
    'does not answer': ['--mute', 'getAccounts'], 'may not be talked to': ['--dbus-error', 'org.freedesktop.DBus.Error.AccessDenied'] };
  for (const [why, fault] of Object.entries(faults)) {
    test(`because it ${why}, the next way is taken too`, async (t) => {
      const { client } = await desktop(t, [...account(users.admin), ...fault]);
      const asked = person();
      const { error, source } = await client.acquire(signIn(), asked);
      assert.equal(source, 'device_code', JSON.stringify([error, asked.told]));
    });
  }
});
