// The commands of a person at a shell: login, token, accounts, logout, against
// the stand-in tenant.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, realpathSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { Browser, request } from './lib/browser.mjs';
import { Canaries, Eavesdropper } from './lib/canary.mjs';
import { Person, startSession, typeCode } from './lib/person.mjs';
import { StandIn } from './lib/standin.mjs';
import { BIN, Program, runToEnd, VALET } from './lib/valet.mjs';

let standIn, users, apps, tid, person;

before(async () => {
  standIn = await StandIn.start();
  ({ users, apps } = standIn);
  tid = standIn.tenants[0].id;
});
after(() => standIn?.stop());
beforeEach(async () => {
  await standIn.emul('faults', undefined, 'DELETE');
  await standIn.emul('settings', { device_interval: 1, device_code_seconds: 0, access_token_seconds: 0, graph_acrs: '' });
  person = new Person(standIn);
});
afterEach(() => {
  // What a sanitizer found fails the test that started the program.
  assert.doesNotMatch(person.said, /Sanitizer|runtime error:/);
  person.leave();
});

const claimsOf = (jwt) => JSON.parse(Buffer.from(jwt.split('.')[1], 'base64url'));
const counts = async () => JSON.parse((await standIn.emul('log', undefined, 'GET')).text).counts;
// How many requests there were meanwhile: in all, and for refresh tokens.
async function requests(work) {
  const sum = (c) => Object.entries(c).filter(([name]) => !/[.]|^control$/.test(name)).reduce((n, [, c1]) => n + c1, 0);
  const old = await counts();
  await work();
  const now = await counts();
  const grant = 'token.refresh_token';
  return { all: sum(now) - sum(old), refresh: (now[grant] ?? 0) - (old[grant] ?? 0) };
}
const mode = (file) => (statSync(file).mode & 0o7777).toString(8);
const mustSignIn = /^mcp-valet: to sign in: (mcp-valet login .*)$/m;

describe('a person who has signed in', () => {
  test('gets tokens from the cache, of whom and for how long', async () => {
    const line = await person.signedIn(users.bengali);
    assert.equal(line, `${users.bengali.display_name} (${users.bengali.username}) is signed in to tenant ${tid} ` +
      `by device code; kept in ${person.cache}.\n`);
    const times = await requests(async () => {
      const token = await person.token();
      assert.deepEqual(Object.keys(token), ['accessToken', 'expiresOn', 'expires_on', 'tenant', 'tokenType']);
      const claims = claimsOf(token.accessToken);
      assert.deepEqual([claims.oid, claims.tid, token.tenant, token.tokenType], [users.bengali.id, tid, tid, 'Bearer']);
      assert.ok(Math.abs(claims.exp - token.expires_on) < 60);
      assert.match(token.expiresOn, /^\d{4}(-\d\d){2} \d\d(:\d\d){2}\.000000$/);
      assert.equal(new Date(token.expiresOn).getTime(), token.expires_on * 1000);
      assert.equal(await person.does('token', '--scope=User.Read', '--output', 'plain'), `${token.accessToken}\n`);
    });
    assert.equal(times.all, 0);
    const me = await request(`${standIn.base}/v1.0/me`, { headers: { authorization: `Bearer ${(await person.token()).accessToken}` } });
    assert.equal(JSON.parse(me.text).id, users.bengali.id);
  });

  test('need not say again whom to ask, wherever they are', async () => {
    process.chdir(person.home);
    await person.signedIn(users.admin, [...person.whom.slice(0, -1), 'cache']);
    process.chdir('/');
    assert.deepEqual(person.settings, { tenant: tid, client_id: apps.public.id, authority_host: standIn.base,
      cache_file: realpathSync(person.cache) });
    assert.equal((await person.token()).tenant, tid);
    assert.equal(mode(person.settingsFile), '600');
    assert.equal(mode(path.dirname(person.settingsFile)), '700');
    for (const file of [person.cache, `${person.cache}.key`]) assert.equal(mode(file), '600');
  });

  test('by a domain is asked nothing more either', async () => {
    const { domain } = standIn.tenants[0];
    await person.signedIn(users.admin, ['--tenant', domain, ...person.whom.slice(2)]);
    assert.equal(person.settings.tenant, tid);
    assert.equal((await requests(() => person.token())).all, 0);
  });

  test('is told in JSON who it was', async () => {
    const told = JSON.parse(await person.signedIn(users.reader, [...person.whom, '--output=json']));
    assert.deepEqual(told, { id: `${users.reader.id}.${tid}`, username: users.reader.username,
      name: users.reader.display_name, tenant: tid, method: 'device_code', kept: person.cache });
    const [account, ...others] = JSON.parse(await person.does('accounts', '--output', 'json'));
    assert.deepEqual(others, []);
    assert.deepEqual(account, { id: told.id, username: told.username, name: told.name, tenant: tid });
  });

  test('gets a new token when the old one ends, and when they ask for it', async () => {
    await standIn.emul('settings', { access_token_seconds: 200 });
    await person.signedIn(users.admin);
    await standIn.emul('settings', { access_token_seconds: 0 });
    const tokens = [];
    assert.equal((await requests(async () => {
      for (let i = 0; i < 3; i++) tokens.push((await person.token()).accessToken);
    })).refresh, 1);
    assert.equal(new Set(tokens).size, 1);
    assert.equal((await requests(async () => tokens.push((await person.token('--renew')).accessToken))).refresh, 1);
    assert.notEqual(tokens[3], tokens[0]);
    // And for what else they consented to.
    const other = JSON.parse(await person.does('token', '--scope', `${apps.api.scope}`));
    assert.notEqual(claimsOf(other.accessToken).aud, claimsOf(tokens[0]).aud);
  });

  // @spec S-31
  test('asks once in eight processes', async () => {
    await standIn.emul('settings', { access_token_seconds: 200 });
    await person.signedIn(users.admin);
    await standIn.emul('settings', { access_token_seconds: 0 });
    let tokens;
    const times = await requests(async () => {
      tokens = await Promise.all(Array.from({ length: 8 }, () => person.token()));
    });
    assert.equal(times.refresh, 1);
    assert.equal(new Set(tokens.map((t) => t.accessToken)).size, 1);
  });

  test('is told to sign in again when they may no longer', async () => {
    await person.signedIn(users.admin);
    await standIn.emul('revoke', { user: users.admin.username });
    const said = await person.fails(1, 'token', '--scope', 'User.Read', '--renew');
    assert.match(said, /AADSTS50173/);
    assert.match(said, /correlation id [0-9a-f-]{36}/);
    assert.equal(mustSignIn.exec(said)[1], 'mcp-valet login --scope User.Read');
    assert.ok(!person.said.includes('as by the last sign-in'), person.said);
    await person.signedIn(users.admin, []);
    assert.ok(person.said.includes(`\n${standIn.base} is asked, as by the last sign-in`), person.said);
    assert.equal((await person.token()).tenant, tid);
  });
});

// @spec S-27 S-28 S-50
describe('the way to sign in', () => {
  // A desktop whose browser is this function, which gets the address.
  async function byBrowser(args, walk) {
    writeFileSync(person.path('xdg-open'), '#!/bin/sh\nprintf %s "$1" > "$HOME/new" && mv "$HOME/new" "$HOME/opened"\n');
    chmodSync(person.path('xdg-open'), 0o755);
    Object.assign(person.env, { DISPLAY: ':99', PATH: `${person.home}:/usr/bin:/bin` });
    const program = person.begin(...person.whom, ...args);
    try {
      await program.says(/Waiting/);
      for (let i = 0; !existsSync(person.path('opened')); i++) {
        assert.ok(i < 500, 'nothing was opened');
        await new Promise((r) => { setTimeout(r, 10); });
      }
      await walk(readFileSync(person.path('opened'), 'utf8'));
      await program.exited;
      return program;
    } finally {
      await program.stop();
    }
  }

  test('is the browser where there is a screen', async () => {
    const program = await byBrowser([], async (url) => {
      const page = await (await new Browser().open(url)).follow();
      await (await page.submit({ username: users.reader.username, password: users.reader.password })).submit({});
    });
    assert.match(program.stdout, /is signed in to tenant \S+ by browser; kept in/, program.stderr);
    assert.match(program.stderr, /asked to open this page:\n\n +http:\/\/localhost:\d+\//);
    assert.equal(claimsOf((await person.token()).accessToken).oid, users.reader.id);
  });

  test('is a code where there is none, and it is said why', async () => {
    const end = await person.signIn(users.admin, person.whom, { way: [] });
    assert.equal(end.code, 0, end.stderr);
    assert.match(end.stderr, /^Not by broker: there is no session bus.*\nNot by browser: there is no screen/m);
    assert.match(end.stdout, /by device code/);
  });

  test('that is forced is gone or nothing is done', async () => {
    for (const [way, why] of [['--browser', 'no screen'], ['--broker', 'no session bus']]) {
      const said = await person.fails(1, 'login', way, ...person.whom);
      assert.match(said, new RegExp(`^mcp-valet: there is ${why}[^\\n]*\\n$`));
    }
  });
});

describe('what Entra ID refuses', () => {
  const renew = (code = 1) => person.fails(code, 'token', '--scope', 'User.Read', '--renew');

  test('says what to do next', async () => {
    await person.signedIn(users.admin);
    for (const [fault, said] of [
      [{ status: 429, retry_after: 120, count: 9 }, /try again in 1[12]\d s$/m],
      [{ aadsts: 90094 }, /AADSTS90094[^]*an administrator of the tenant has to/],
      [{ aadsts: 7000218 }, /AADSTS7000218[^]*allow public client flows/],
      [{ aadsts: 70011 }, /AADSTS70011[^]*asking again does not help/]]) {
      await standIn.fault({ where: 'token', ...fault });
      assert.match(await renew(), said);
      await standIn.emul('faults', undefined, 'DELETE');
    }
  });

  test('for want of a claim is met by the very command that is printed', async () => {
    const claims = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}';
    await person.signedIn(users.admin);
    await standIn.fault({ where: 'token', grant: 'refresh_token', aadsts: 50076, claims });
    const [, command] = mustSignIn.exec(await renew());
    assert.ok(command.endsWith(` --claims '${claims}'`), command);
    const shell = Program.start('sh', ['-c', `exec ${command} --device-code`],
      { env: { ...person.env, PATH: `${BIN}:${process.env.PATH}` }, ready: false });
    await shell.says(/Waiting/);
    await typeCode(shell.stderr, users.admin);
    assert.equal((await shell.exited).code, 0, shell.stderr);
    assert.equal((await person.token()).tenant, tid);
  });

  test('ends a sign-in: declined, come too late, another application', async () => {
    const declined = await person.signIn(users.admin, person.whom, { end: { choice: 'cancel' } });
    assert.deepEqual([declined.code, declined.stdout], [1, '']);
    assert.match(declined.stderr, /^mcp-valet: ./m);
    await standIn.emul('settings', { device_code_seconds: 2 });
    const late = await person.run('login', '--device-code', ...person.whom);
    assert.equal(late.code, 1);
    assert.match(late.stderr, /there are [012] seconds for it/);
    const wrong = ['--client-id', '11111111-2222-4333-8444-555555555555'];
    assert.match(await person.fails(1, 'login', '--device-code', ...person.whom, ...wrong), /AADSTS700016[^]*right tenant\?/);
    assert.ok(!existsSync(person.settingsFile));
  });

  test('is no sign-in of another person than the one who was meant', async () => {
    const end = await person.signIn(users.reader, [...person.whom, '--account', users.admin.username]);
    assert.deepEqual([end.code, end.stdout], [1, ''], end.stderr);
    assert.match(end.stderr, /another account has signed in/);
    assert.equal((await person.run('accounts', ...person.whom)).stdout, '');
  });

  test('is not waited for after Ctrl-C', async () => {
    const program = person.begin('--device-code', ...person.whom);
    await program.says(/Waiting/);
    assert.deepEqual(await program.stop('SIGINT'), { code: null, signal: 'SIGINT' });
  });
});

// @spec S-30 W-38
describe('two people', () => {
  const id = (user, tenant = tid) => `${user.id}.${tenant}`;
  const shell = (command, input) => new Promise((resolve) => {
    const child = spawn('script', ['-qec', command, '/dev/null'], { env: { ...process.env, ...person.env } });
    let out = '';
    child.stdout.on('data', (d) => {
      out += d;
      if (/\? $/.test(out)) child.stdin.write(input);
    });
    child.once('close', (code) => resolve({ code, out }));
  });

  test('are never mixed up: one has to be said', async () => {
    await person.signedIn(users.admin);
    await person.signedIn(users.reader, []);
    const said = await person.fails(1, 'token', '--scope', 'User.Read');
    for (const text of [users.admin.username, id(users.admin), users.reader.username, id(users.reader), '--account'])
      assert.ok(said.includes(text), text);
    for (const user of [users.admin, users.reader])
      for (const name of [user.username, user.username.toUpperCase(), id(user)])
        assert.equal(claimsOf((await person.token('--account', name)).accessToken).oid, user.id);
    assert.match(await person.fails(1, 'token', '--scope', 'User.Read', '--account', 'nobody@contoso.example'),
      /not signed in[^]*mcp-valet login --account nobody@contoso.example --scope User.Read/);
    const rude = await person.fails(1, 'token', '--scope', 'User.Read', '--account', 'a\x1b[31m\nb\u202e');
    assert.match(rude, /mcp-valet login --account 'a\?\[31m\?b\?+' --scope User.Read\n$/);
    for (const args of ['accounts', 'accounts --output json', 'token --scope User.Read --account ' + users.admin.username]) {
      const full = await runToEnd('sh', ['-c', `exec "${VALET}" ${args} >/dev/full`], { env: person.env });
      assert.equal(full.code, 1, args);
      assert.match(full.stderr, /cannot write to standard output/);
    }
    // With no standard output at all, or nothing, no token goes anywhere else.
    for (const closed of ['>&-', '<&- >&-', '<&- >&- 2>&-']) {
      const args = `token --scope User.Read --account ${users.admin.username}`;
      const end = await runToEnd('sh', ['-c', `"${VALET}" ${args} ${closed}`], { env: person.env });
      assert.deepEqual([end.code, end.stdout], [1, ''], closed);
      if (!closed.includes('2>')) assert.match(end.stderr, /^mcp-valet: cannot write to standard output: Bad file/, closed);
    }
    const table = await person.does('accounts');
    assert.match(table, /^USERNAME +NAME +TENANT +ID\n/);
    assert.equal(table.split('\n').length, 4);
  });

  test('are asked for by number at a terminal', async () => {
    await person.signedIn(users.admin);
    await person.signedIn(users.reader, []);
    const list = JSON.parse(await person.does('accounts', '--output', 'json'));
    const second = await shell(`${VALET} token --scope User.Read --output plain`, '2\n');
    assert.equal(second.code, 0, second.out);
    const token = second.out.trim().split('\n').pop().trim();
    assert.equal(`${claimsOf(token).oid}.${tid}`, list[1].id);
    for (const answer of ['3\n', '0\n', 'x\n', '\n']) {
      const end = await shell(`${VALET} token --scope User.Read`, answer);
      assert.equal(end.code, 1, end.out);
      assert.doesNotMatch(end.out, /accessToken/);
    }
  });

  test('sign out one by one, or all at once', async () => {
    const old = await person.fails(1, 'logout', ...person.whom);
    assert.match(old, /nobody is signed in/);
    await person.signedIn(users.admin);
    await person.signedIn(users.reader, []);
    assert.match(await person.fails(1, 'logout'), new RegExp(id(users.reader)));
    const end = await person.run('logout', '--account', users.admin.username);
    assert.deepEqual([end.code, end.stdout], [0, '']);
    assert.match(end.stderr, /browser's own session goes on/);
    assert.equal(claimsOf((await person.token()).accessToken).oid, users.reader.id);
    await person.does('logout');
    assert.match(await person.fails(1, 'token', '--scope', 'User.Read'), mustSignIn);
    await person.signedIn(users.admin, []);
    await person.signedIn(users.reader, []);
    await person.does('logout', '--all');
    await person.does('logout', '--all');
    assert.equal(await person.does('accounts', '--output', 'json'), '[]\n');
  });

  test('of two tenants do not meet', async () => {
    const other = standIn.tenants[1];
    const [fred] = Object.values(other.users);
    await person.signedIn(users.admin);
    await person.signedIn(fred, ['--tenant', other.id]);
    assert.equal(claimsOf((await person.token()).accessToken).oid, fred.id);
    for (const [user, tenant] of [[users.admin, tid], [fred, other.id]]) {
      const token = await person.token('--tenant', tenant);
      const claims = claimsOf(token.accessToken);
      assert.deepEqual([token.tenant, claims.tid, claims.oid], [tenant, tenant, user.id]);
    }
    assert.match(await person.fails(1, 'token', '--scope', 'User.Read', '--tenant', tid, '--account', fred.username),
      /not signed in/);
  });
});

describe('whom to ask', () => {
  // @spec S-21 W-35
  test('is said by an option, else by the environment, else by the last sign-in', async () => {
    const missing = await person.fails(2, 'token', '--scope', 'User.Read');
    for (const text of ['--client-id', 'AZURE_CLIENT_ID', 'mcp-valet login']) assert.ok(missing.includes(text), text);
    assert.match(await person.fails(2, 'accounts', '--client-id', apps.public.id), /the tenant[^]*--tenant[^]*AZURE_TENANT_ID/);
    const env = { AZURE_TENANT_ID: tid, AZURE_CLIENT_ID: apps.public.id, AZURE_AUTHORITY_HOST: `${standIn.base}/`,
      MCP_VALET_CACHE_FILE: person.cache };
    Object.assign(person.env, env);
    await person.signedIn(users.admin, []);
    for (const name of Object.keys(env)) person.env[name] = undefined;
    assert.equal((await person.token()).tenant, tid);
    person.env.AZURE_TENANT_ID = standIn.tenants[1].id;
    await person.fails(1, 'token', '--scope', 'User.Read');
    assert.equal((await person.token('--tenant', tid)).tenant, tid);
    person.env.AZURE_TENANT_ID = '';
    assert.equal((await person.token()).tenant, tid);
  });

  test('is nothing that is compiled in', () => {
    // But for the tenant of all personal accounts, and the sample's made-up id.
    const known = ['9188040d-6c67-4c5b-b112-36a304b66dad', '11111111-2222-4333-8444-555555555555'];
    const ids = readFileSync(VALET, 'latin1').match(/[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/gi) ?? [];
    assert.deepEqual(ids.filter((id) => !known.includes(id)), []);
  });

  test('is not read from settings that are damaged or not theirs alone', async () => {
    await person.signedIn(users.admin);
    const good = readFileSync(person.settingsFile, 'utf8');
    for (const bad of ['', '{', '[]', '{"tenant":1}', '{"tenant":""}', good.replace('}', ',"more":"x"}'),
      good.replace('}', `,"tenant":"${tid}"}`), `{"tenant":"${'x'.repeat(20000)}"}`]) {
      writeFileSync(person.settingsFile, bad);
      const said = await person.fails(2, 'token', '--scope', 'User.Read');
      assert.ok(said.includes(person.settingsFile), said);
    }
    writeFileSync(person.settingsFile, good);
    chmodSync(person.settingsFile, 0o644);
    assert.match(await person.fails(2, 'accounts'), /login\.json/);
    chmodSync(person.settingsFile, 0o600);
    renameSync(person.settingsFile, person.path('elsewhere'));
    symlinkSync(person.path('elsewhere'), person.settingsFile);
    assert.match(await person.fails(2, 'accounts'), /login\.json/);
  });
});

describe('the cache', () => {
  // @spec S-29
  test('is no file that a link leads to or others may read', async () => {
    await person.signedIn(users.admin);
    chmodSync(person.cache, 0o640);
    assert.match(await person.fails(1, 'token', '--scope', 'User.Read'), /cache/);
    chmodSync(person.cache, 0o600);
    renameSync(person.cache, person.path('elsewhere'));
    symlinkSync(person.path('elsewhere'), person.cache);
    for (const args of [['token', '--scope', 'User.Read'], ['accounts'], ['logout', '--all'], ['login', '--device-code']])
      assert.match(await person.fails(1, ...args), /cache/, args[0]);
  });

  // @spec W-37 S-29
  test('is in the Secret Service, and where there is none nothing else is used', async () => {
    const own = new Person(standIn, { place: [] });
    try {
      const said = await own.fails(1, 'login', '--device-code', ...own.whom);
      assert.match(said, /no session bus, so no Secret Service[^]*--cache-file FILE/);
      const session = await startSession(own);
      try {
        assert.match(await own.signedIn(users.admin, own.whom), /kept in the Secret Service\.$/m);
        assert.deepEqual(Object.keys(own.settings), ['tenant', 'client_id', 'authority_host']);
        assert.equal((await requests(() => own.token())).all, 0);
        await own.fails(1, 'token', '--scope', 'User.Read', '--cache-file', own.cache);
        await own.does('logout');
        await own.fails(1, 'token', '--scope', 'User.Read');
      } finally {
        await session.stop();
      }
    } finally {
      own.leave();
    }
  });

  test('in a file is left for the Secret Service by a word', async () => {
    await person.signedIn(users.admin);
    assert.match(await person.fails(1, 'token', '--scope', 'User.Read', '--secret-service'), /no Secret Service/);
    await person.fails(2, 'token', '--scope', 'User.Read', '--secret-service', '--cache-file', person.cache);
  });
});

// @spec S-29 W-37
describe('a cache file', () => {
  test('that could not keep anything ends login before anybody is asked', async () => {
    symlinkSync('/dev/null', `${person.cache}.key`);
    const said = await person.fails(1, 'login', '--device-code', ...person.whom);
    assert.match(said, /cache\.key/);
    assert.doesNotMatch(said, /type this code/);
  });

  test('that was damaged says how to begin anew', async () => {
    await person.signedIn(users.admin);
    writeFileSync(person.cache, 'no cache at all', { mode: 0o600 });
    for (const command of [['token', '--scope', 'User.Read'], ['accounts'], ['logout', '--all']])
      assert.match(await person.fails(1, ...command), /remove it and its key \(.*cache\.key\)/);
  });
});

// A core file would have the device code in it, or tokens; there is none,
// whatever the shell allows.
// @spec S-56
test('login that is killed by a signal leaves no core file', async () => {
  const crash = async (command) => {
    const program = Program.start('sh', ['-c', 'ulimit -c unlimited; exec "$0" "$@"', ...command],
      { env: person.env, cwd: person.home, ready: false });
    if (command[0] === VALET) await program.says(/Waiting/);
    process.kill(program.pid, 'SIGABRT');
    assert.equal((await program.exited).signal, 'SIGABRT');
    return readdirSync(person.home).filter((name) => /^core/.test(name));
  };
  assert.deepEqual(await crash([VALET, 'login', '--device-code', ...person.whom]), []);
});

// @spec W-41 S-56
test('no token or device code is where others see it', async () => {
  const canaries = new Canaries();
  const tap = await Eavesdropper.start(standIn.base, canaries);
  const seen = [];
  const look = ({ pid }) => {
    seen.push(readFileSync(`/proc/${pid}/cmdline`), readFileSync(`/proc/${pid}/environ`));
    assert.match(readFileSync(`/proc/${pid}/limits`, 'utf8'), /^Max core file size\s+0\s+0\s/m);
  };
  try {
    const whom = [...person.whom, '--authority-host', tap.url];
    const end = await person.signIn(users.admin, whom, { meanwhile: look });
    assert.equal(end.code, 0, end.stderr);
    seen.push(end.stdout);
    const token = await person.token('--renew');
    await standIn.emul('revoke', { user: users.admin.username });
    for (const fault of [{ aadsts: 50076 }, { answer: 'html' }]) {
      await standIn.fault({ where: 'token', count: 9, ...fault });
      await person.run('token', '--scope', 'User.Read', '--renew');
      await standIn.emul('faults', undefined, 'DELETE');
    }
    await person.run('token', '--scope', 'User.Read', '--renew');
    assert.ok(tap.seen >= 5, `${tap.seen}`);
    assert.notDeepEqual(canaries.find(token.accessToken), []);
    for (const file of [person.settingsFile, person.cache, `${person.cache}.key`]) seen.push(readFileSync(file));
    for (const bytes of [...seen, person.said, await person.does('accounts'), await person.does('accounts', '--output=json')])
      assert.deepEqual(canaries.find(bytes), []);
  } finally {
    await tap.stop();
  }
});
