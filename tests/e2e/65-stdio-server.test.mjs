// `mcp-valet stdio`: the local server with sign-in, driven by the clients of
// both SDKs, against the stand-in tenant (lesson S-19, S-38 to S-47, S-54).
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as rest } from 'node:timers/promises';
import { Browser, form, request } from './lib/browser.mjs';
import { Desktop, decide, signInAt, typeCodeOf } from './lib/desktop.mjs';
import { Bus } from './lib/bus.mjs';
import { Person, startSession } from './lib/person.mjs';
import { StandIn } from './lib/standin.mjs';
import { KINDS } from './lib/talker.mjs';
import { isSanitized, VALET } from './lib/valet.mjs';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { launch, picture, Window } from './lib/window.mjs';

const TOOL = 'GetUserDetailsFromGraph';
const EASY = ['--consent', 'never'];
const STDIO = Object.fromEntries(Object.entries(KINDS).filter(([name]) => !/HTTP/.test(name)));
const ERAS = { 'SDK v1': KINDS['SDK v1'], 'SDK v2, pinned': KINDS['SDK v2, pinned'] };
let standIn, users, tid, person, desktop, open;

before(async () => {
  standIn = await StandIn.start();
  ({ users } = standIn);
  tid = standIn.tenants[0].id;
});
after(() => standIn?.stop());
beforeEach(async () => {
  await standIn.emul('faults', undefined, 'DELETE');
  await standIn.emul('settings', { device_interval: 1, device_code_seconds: 0, access_token_seconds: 0, graph_acrs: '' });
  await standIn.consent('granted', 'public');
  person = new Person(standIn);
  desktop = new Desktop();
  open = [];
});
afterEach(async () => {
  for (const server of open) {
    await server.close();
    assert.doesNotMatch(server.stderr, /Sanitizer|runtime error:/);
  }
  person.leave();
  desktop.leave();
});

const counts = async () => JSON.parse((await standIn.emul('log', undefined, 'GET')).text).counts;
const total = (c) => Object.entries(c).filter(([name]) => !/[.]|^control$/.test(name)).reduce((n, [, c1]) => n + c1, 0);
async function requests(work) {
  const old = await counts();
  await work();
  return total(await counts()) - total(old);
}

// One server and its client, by the SDK of this kind.
class Server {
  static async start(kind, { args = EASY, env = {}, whom = person.whom, capabilities = {}, elicit, command = VALET, before = [] } = {}) {
    const server = new Server();
    server.kind = kind;
    server.stderr = '';
    server.asked = [];
    server.errors = [];
    server.client = kind.make(capabilities);
    const all = { ...process.env, ...desktop.env, ...person.env, ...env, DISPLAY: env.DISPLAY ?? desktop.env.DISPLAY };
    server.transport = new kind.Stdio({
      command, args: [...before, 'stdio', ...args, ...whom], stderr: 'pipe',
      env: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)),
    });
    server.transport.stderr.on('data', (d) => { server.stderr += d; });
    server.client.onerror = (error) => server.errors.push(error);
    if (elicit)
      server.client.setRequestHandler(kind.isV2 ? 'elicitation/create' : ElicitRequestSchema, async ({ params }) => {
        server.asked.push(params);
        return elicit(params);
      });
    open.push(server);
    await server.client.connect(server.transport);
    return server;
  }

  call(options = {}) {
    const params = { name: TOOL, arguments: {} };
    return this.kind.isV2 ? this.client.callTool(params, { timeout: 30000, ...options })
      : this.client.callTool(params, undefined, { timeout: 30000, ...options });
  }

  // The profile that a call brings; the error's text fails the test.
  async me(options) {
    const result = await this.call(options);
    assert.ok(!result.isError, result.content[0].text);
    assert.deepEqual(JSON.parse(result.content[0].text), result.structuredContent);
    return result.structuredContent;
  }

  // The sentence of a call that has to fail.
  async fails(options) {
    const result = await this.call(options);
    assert.equal(result.isError, true, JSON.stringify(result));
    assert.match(result.content[0].text, /^Error: .*\(correlation id [0-9a-f-]{36}\)$/);
    assert.equal(result.structuredContent, undefined);
    return result.content[0].text;
  }

  async says(pattern) {
    for (const end = Date.now() + 8000; !pattern.test(this.stderr) && Date.now() < end;) await rest(10);
    assert.match(this.stderr, pattern);
  }

  async close() { await this.client.close(); }
}

const sameNames = (me, user) => assert.deepEqual([me.displayName, me.userPrincipalName], [user.display_name, user.username]);

for (const [name, kind] of Object.entries(STDIO))
  describe(`with ${name}`, () => {
    // @spec S-40 S-41 S-25
    test('lists one tool, and asks nobody anything', async () => {
      let tools;
      assert.equal(await requests(async () => {
        const server = await Server.start(kind);
        ({ tools } = await server.client.listTools());
        assert.equal(server.client.getServerVersion().name, 'mcp-valet');
        assert.equal(server.stderr, '');
      }), 0);
      assert.deepEqual(tools.map((t) => t.name), [TOOL]);
      const [tool] = tools;
      assert.deepEqual(tool.inputSchema, { type: 'object', properties: {}, additionalProperties: false });
      assert.deepEqual(Object.keys(tool.outputSchema.properties), ['displayName', 'mail', 'userPrincipalName']);
      assert.deepEqual([tool.annotations.readOnlyHint, tool.annotations.idempotentHint, tool.annotations.openWorldHint], [true, true, true]);
      assert.ok(!existsSync(person.cache));
    });

    // @spec S-41 S-44
    test('asks the person to sign in once; then calls are silent, and so is the next process', async () => {
      const server = await Server.start(kind);
      const first = server.me();
      await signInAt(await desktop.next(), users.bengali);
      const me = await first;
      sameNames(me, users.bengali);
      assert.deepEqual(Object.keys(me).sort(), ['displayName', 'mail', 'userPrincipalName']);
      assert.deepEqual(await server.me(), me);
      await server.close();
      const again = await Server.start(kind);
      assert.deepEqual(await again.me(), me);
      assert.equal(desktop.opened.length, 1);
      assert.ok(!server.stderr.includes(users.bengali.username) && !server.stderr.includes(users.bengali.display_name), server.stderr);
    });

    // @spec S-41: on standard error and in the progress of the call, which goes on.
    test('tells the device code on standard error and in the call\'s progress', async () => {
      const server = await Server.start(kind, { args: [...EASY, '--device-code'] });
      const told = [];
      const first = server.me({ onprogress: (p) => told.push(p), resetTimeoutOnProgress: true });
      await server.says(/type the code/);
      if (name in ERAS) await rest(4500); // told again while nobody comes
      for (const end = Date.now() + 8000; !/type the code/.test(told.at(-1)?.message) && Date.now() < end;) await rest(10);
      const text = told.at(-1).message;
      assert.match(text, /^To sign in, open http\S+ on any device and type the code \S+ there$/);
      assert.ok(server.stderr.includes(text));
      assert.ok(told.length >= (name in ERAS ? 2 : 1) && told.every((p, i) => !i || p.progress > told[i - 1].progress), JSON.stringify(told));
      await typeCodeOf(text, users.reader);
      sameNames(await first, users.reader);
      assert.equal(desktop.opened.length, 0);
    });

    // @spec S-47
    test('a call that is cancelled takes the prompt back', async () => {
      const server = await Server.start(kind);
      const stop = new AbortController();
      const first = server.call({ signal: stop.signal });
      const start = await desktop.next();
      stop.abort();
      await assert.rejects(first);
      await rest(300);
      await assert.rejects(request(start), 'the port is closed');
      const second = server.me();
      await signInAt(await desktop.next(), users.admin);
      sameNames(await second, users.admin);
    });
  });

for (const [name, kind] of Object.entries(ERAS))
  describe(`addresses that ${name} opens`, () => {
    const capabilities = { elicitation: { url: {} } };

    test('are opened by it, and the call goes on when the person has signed in', async () => {
      let start;
      const server = await Server.start(kind, {
        capabilities, elicit: async ({ url }) => { start = url; void signInAt(url, users.admin); return { action: 'accept' }; },
      });
      sameNames(await server.me(), users.admin);
      assert.match(start, /^http:\/\/localhost:\d+\/start\/[\w-]+$/);
      assert.deepEqual(server.asked.map((a) => a.mode), ['url']);
      assert.equal(desktop.opened.length, 0);
      await server.me();
      assert.equal(server.asked.length, 1);
    });

    test('that the person signs in at before the client says so are as good', async () => {
      const server = await Server.start(kind, {
        capabilities, elicit: async ({ url }) => { await signInAt(url, users.reader); await rest(500); return { action: 'accept' }; },
      });
      sameNames(await server.me(), users.reader);
    });

    test('may be declined: the call fails, and the next one asks again', async () => {
      let action = 'decline';
      const server = await Server.start(kind, {
        capabilities, elicit: async ({ url }) => { if (action === 'accept') void signInAt(url, users.admin); return { action }; },
      });
      assert.match(await server.fails(), /the person declined to sign in/);
      action = 'cancel';
      assert.match(await server.fails(), /the person declined to sign in/);
      action = 'accept';
      await server.me();
      assert.equal(server.asked.length, 3);
    });

    // @spec W-40
    test('are opened once for calls that come together', async () => {
      const server = await Server.start(kind, {
        capabilities, elicit: async ({ url }) => { await rest(200); void signInAt(url, users.admin); return { action: 'accept' }; },
      });
      for (const me of await Promise.all(Array.from({ length: 5 }, () => server.me()))) sameNames(me, users.admin);
      assert.equal(server.asked.length, 1);
    });

    // From 2026-07-28 on nobody knows whether the client will come again.
    if (!kind.isModern)
      test('are taken back with the call', async () => {
        const server = await Server.start(kind, { capabilities, elicit: () => new Promise(() => {}) });
        const stop = new AbortController();
        const first = server.call({ signal: stop.signal });
        while (!server.asked.length) await rest(10);
        stop.abort();
        await assert.rejects(first);
        await rest(300);
        await assert.rejects(request(server.asked[0].url));
      });
  });

describe('the sign-in', () => {
  const kind = KINDS['SDK v1'];
  const signedIn = async (user, options) => {
    const server = await Server.start(kind, options);
    const first = server.me();
    await signInAt(await desktop.next(), user);
    await first;
    return server;
  };

  // @spec S-31 W-40
  test('is one for calls that come together', async () => {
    const server = await Server.start(kind);
    const calls = Promise.all(Array.from({ length: 8 }, () => server.me()));
    await rest(300);
    const late = server.me();
    await signInAt(await desktop.next(), users.admin);
    for (const me of [...await calls, await late]) sameNames(me, users.admin);
    assert.equal(desktop.opened.length, 1);
  });

  test('stays when one of the calls that wait is taken back', async () => {
    const server = await Server.start(kind);
    const stop = new AbortController();
    const first = server.call({ signal: stop.signal });
    const second = server.me();
    const start = await desktop.next();
    stop.abort();
    await assert.rejects(first);
    await signInAt(start, users.admin);
    sameNames(await second, users.admin);
    assert.equal(desktop.opened.length, 1);
  });

  test('has its time, and says so when it is over', async () => {
    const server = await Server.start(kind, { args: [...EASY, '--timeout', '1'] });
    const failing = server.fails();
    const start = await desktop.next();
    assert.match(await failing, /nobody signed in within the time/);
    await assert.rejects(request(start));
  });

  // @spec S-08
  test('is asked for again when the session was revoked', async () => {
    const server = await signedIn(users.reader);
    assert.equal((await standIn.emul('revoke', { user: 'reader' })).status, 200);
    const again = server.me();
    await signInAt(await desktop.next(), users.reader);
    sameNames(await again, users.reader);
    assert.equal(desktop.opened.length, 2);
  });

  // @spec S-29 S-30: however good the token at hand still is.
  for (const place of ['an encrypted file', 'the Secret Service'])
    test(`is asked for again after a logout in another process (${place})`, async (t) => {
      const own = new Person(standIn, place === 'the Secret Service' ? { place: [] } : {});
      t.after(() => own.leave());
      if (place === 'the Secret Service') {
        const bus = await startSession(own);
        t.after(() => bus.stop());
      }
      const server = await signedIn(users.reader, { env: own.env, whom: own.whom });
      sameNames(await server.me(), users.reader);
      await own.does('token', '--scope', 'Mail.Read', ...own.whom); // changes the cache, and nobody's session
      sameNames(await server.me(), users.reader);
      assert.equal(desktop.opened.length, 1);
      await own.does('logout', ...own.whom);
      const again = server.me();
      await signInAt(await desktop.next(), users.admin);
      sameNames(await again, users.admin);
      sameNames(await server.me(), users.admin);
      assert.equal(desktop.opened.length, 2);
    });

  test('is asked for again when the cache is gone', async () => {
    const server = await signedIn(users.reader);
    await server.me();
    rmSync(person.cache);
    const again = server.me();
    await signInAt(await desktop.next(), users.reader);
    await again;
    assert.equal(desktop.opened.length, 2);
  });

  // @spec S-27 S-32
  test('is the broker\'s where there is one: silently with its own account, and before any browser', async (t) => {
    await person.signedIn(users.admin);
    const token = person.path('token');
    writeFileSync(token, (await person.token()).accessToken);
    await person.does('logout');
    const bus = await Bus.start(person.home);
    t.after(() => bus.stop());
    const broker = await bus.broker(['--token-file', token,
      '--account', `${users.admin.id}.${tid},${users.admin.username},${users.admin.display_name},${tid}`]);
    const server = await Server.start(kind, { env: bus.env });
    sameNames(await server.me(), users.admin);
    assert.ok(broker.calls.some(([method]) => /silent/i.test(method)), JSON.stringify(broker.calls));
    assert.equal(desktop.opened.length, 0);
  });

  test('is kept in the Secret Service as well', async (t) => {
    const own = new Person(standIn, { place: [] });
    t.after(() => own.leave());
    const bus = await startSession(own);
    t.after(() => bus.stop());
    for (let i = 0; i < 2; i++) {
      const server = await Server.start(kind, { env: own.env, whom: own.whom });
      const call = server.me();
      if (i === 0) await signInAt(await desktop.next(), users.reader);
      sameNames(await call, users.reader);
      await server.close();
    }
    assert.equal(desktop.opened.length, 1);
    assert.ok(!existsSync(own.cache));
  });

  // @spec W-37
  test('is not begun where it could not be kept', async () => {
    const server = await Server.start(kind, { whom: person.whom.slice(0, 6) });
    assert.match(await server.fails(), /Secret Service.*mcp-valet login --cache-file FILE/);
    assert.equal(desktop.opened.length, 0);
  });

  // @spec S-34
  test('is not asked for because something passing is wrong', async () => {
    await standIn.emul('settings', { access_token_seconds: 200 });
    const server = await signedIn(users.admin);
    await standIn.fault({ where: 'token', status: 503, count: 0 });
    assert.match(await server.fails(), /try again/);
    await standIn.emul('faults', undefined, 'DELETE');
    await (await Server.start(kind)).me();
    assert.equal(desktop.opened.length, 1);
  });

  // @spec S-30 W-38
  test('of two people is refused until it is said who is meant', async () => {
    await person.signedIn(users.admin);
    await person.signedIn(users.reader);
    const server = await Server.start(kind);
    const text = await server.fails();
    assert.match(text, /mcp-valet accounts/);
    assert.match(text, /--account NAME/);
    const chosen = await Server.start(kind, { args: [...EASY, '--account', users.reader.username] });
    sameNames(await chosen.me(), users.reader);
    assert.equal(desktop.opened.length, 0);
  });

  test('declined at Entra ID is an error', async () => {
    await standIn.consent('needed', 'public');
    const server = await Server.start(kind);
    const failing = server.fails();
    await signInAt(await desktop.next(), users.reader, 'cancel');
    assert.match(await failing, /declined to sign in/);
  });
});

describe('what Graph says', () => {
  const kind = KINDS['SDK v2, pinned'];
  beforeEach(() => person.signedIn(users.admin));

  // @spec W-42
  test('is as much as was chosen', async () => {
    const all = await (await Server.start(kind, { args: [...EASY, '--select', 'all'] })).me();
    for (const name of ['id', 'businessPhones', 'surname', 'displayName']) assert.ok(name in all, name);
    assert.ok(!('@odata.context' in all));
    const few = await (await Server.start(kind, { args: [...EASY, '--select', 'jobTitle,id'] })).me();
    assert.deepEqual(Object.keys(few).sort(), ['id', 'jobTitle']);
  });

  // @spec S-45 S-46
  test('that is nothing, or no answer at all, is an error that is safe to show', async () => {
    const server = await Server.start(kind);
    await server.me();
    for (const [fault, pattern] of [
      [{ answer: 'html', status: 200 }, /no data about the user/],
      [{ status: 403 }, /does not allow reading the profile/],
      [{ answer: 'truncated' }, /not available|no data/]]) {
      await standIn.fault({ where: 'graph', count: 0, ...fault });
      assert.match(await server.fails(), pattern, JSON.stringify(fault));
      await standIn.emul('faults', undefined, 'DELETE');
    }
  });

  // @spec S-08
  test('that wants more of the person brings them to the sign-in with just that', async () => {
    const server = await Server.start(kind);
    await server.me();
    await standIn.emul('settings', { graph_acrs: 'c1' });
    const again = server.me();
    await signInAt(await desktop.next(), users.admin);
    sameNames(await again, users.admin);
  });

  // @spec S-47
  test('is not waited for when nobody waits for the call', async () => {
    const server = await Server.start(kind);
    await standIn.fault({ where: 'graph', delay_ms: 20000, count: 1 });
    const stop = new AbortController();
    const call = server.call({ signal: stop.signal });
    await rest(300);
    stop.abort();
    await assert.rejects(call);
    await server.me();
  });

  test('is remembered only where that was asked for', async () => {
    const graph = async () => (await counts()).graph_me ?? 0;
    for (const [args, expected] of [[[], 3], [['--cache-ttl', '60'], 1]]) {
      const server = await Server.start(kind, { args: [...EASY, ...args] });
      const old = await graph();
      for (let i = 0; i < 3; i++) await server.me();
      assert.equal(await graph() - old, expected, args);
    }
  });
});

// @spec S-54 W-43
describe('the program that starts it', () => {
  const kind = KINDS['SDK v1'];
  const node = realpathSync(process.execPath);
  const file = () => path.join(person.home, '.config/mcp-valet/programs.json');
  beforeEach(() => person.signedIn(users.admin));

  test('has to be allowed by the person once', async () => {
    const server = await Server.start(kind, { args: [] });
    const told = [];
    const first = server.me({ onprogress: (p) => told.push(p.message) });
    const url = await desktop.next();
    assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/program\/[\w-]{43}$/);
    const page = await decide(url, 'allow');
    assert.ok(page.text.includes(node) && page.text.includes(users.admin.username), page.text);
    sameNames(await first, users.admin);
    await server.me();
    await server.close();
    assert.ok(told.some((text) => /allow this program/.test(text)), told);
    assert.ok(!told.join().includes(url) && !server.stderr.includes(url));
    assert.equal(statSync(file()).mode & 0o777, 0o600);
    await (await Server.start(kind, { args: [] })).me();
    assert.equal(desktop.opened.length, 1);
    const [allowed] = Object.keys(JSON.parse(readFileSync(file(), 'utf8')));
    assert.ok(allowed.startsWith(`'${node} `), allowed);
    assert.equal(await person.does('allow', '--list'), `${allowed}\n`);
    await person.does('allow', '--forget', allowed.slice(1, -1));
    assert.equal(await person.does('allow'), '');
    const third = (await Server.start(kind, { args: [] })).me();
    await decide(await desktop.next(), 'allow');
    await third;
  });

  // @spec CL-21
  test('is asked about again when it wants more than it was allowed', async () => {
    const ask = async (args, expected) => {
      const call = (await Server.start(kind, { args })).me();
      const page = await decide(await desktop.next(), 'allow');
      await call;
      for (const text of expected) assert.ok(page.text.includes(text), page.text);
    };
    await ask([], ['User.Read']);
    await ask(['--scope', 'User.Read', '--scope', 'openid'], ['User.Read', 'openid']);
    await ask(['--account', users.admin.username], [users.admin.username]);
    for (const args of [[], ['--scope', 'User.Read', '--scope', 'openid'], ['--account', users.admin.username]])
      await (await Server.start(kind, { args })).me();
    assert.equal(desktop.opened.length, 3);
    const list = (await person.does('allow')).trim().split('\n');
    assert.ok(list[1].endsWith(' --scope User.Read --scope openid') && list[2].endsWith(` --account ${users.admin.username}`), list);
    await person.does('allow', '--forget', list[0].slice(1, -1));
    assert.equal(await person.does('allow'), '');
  });

  test('that is forgotten has to be allowed again, by a server that runs already', async () => {
    const server = await Server.start(kind, { args: [] });
    const first = server.me();
    await decide(await desktop.next(), 'allow');
    await first;
    await person.does('allow', '/usr/bin/true'); // another one: nobody is asked
    await server.me();
    assert.equal(desktop.opened.length, 1);
    const allowed = Object.keys(JSON.parse(readFileSync(file(), 'utf8'))).find((name) => name.startsWith(`'${node} `));
    await person.does('allow', '--forget', allowed.slice(1, -1));
    const failing = server.fails();
    await decide(await desktop.next(), 'deny');
    assert.match(await failing, /did not allow this program/);
  });

  test('that was denied gets nothing, and is not asked about again by this process', async () => {
    const server = await Server.start(kind, { args: [] });
    const calls = [server.fails(), server.fails()];
    await decide(await desktop.next(), 'deny');
    for (const text of await Promise.all(calls)) assert.match(text, /did not allow this program/);
    assert.match(await server.fails(), /did not allow this program/);
    assert.equal(desktop.opened.length, 1);
    assert.ok(!existsSync(file()));
    await server.says(/^mcp-valet: consent: .*: denied by the person$/m);
    const other = await Server.start(kind, { args: [] });
    const call = other.me();
    await decide(await desktop.next(), 'allow');
    await call;
  });

  test('is asked about each time where that was chosen', async () => {
    for (let i = 0; i < 2; i++) {
      const server = await Server.start(kind, { args: ['--consent', 'always'] });
      const call = server.me();
      await decide(await desktop.next(), 'allow');
      await call;
      await server.me();
    }
    assert.equal(desktop.opened.length, 2);
    assert.ok(!existsSync(file()));
  });

  test('is told how to be allowed where nobody can be asked', async () => {
    const env = { DISPLAY: '', WAYLAND_DISPLAY: '' };
    const server = await Server.start(kind, { args: [], env });
    assert.match(await server.fails(), /mcp-valet allow /);
    await server.says(/to allow this program: mcp-valet allow '[^']+'/);
    const [, program] = /mcp-valet allow '([^']+)'/.exec(server.stderr);
    await person.does('allow', program);
    await server.me();
    await (await Server.start(kind, { args: [], env })).me();
  });

  test('is not the shell in between, but who called that', async () => {
    const server = await Server.start(kind, {
      command: '/bin/sh', before: ['-c', '"$0" "$@"; exit $?', VALET], args: [],
    });
    const call = server.me();
    const page = await decide(await desktop.next(), 'allow');
    await call;
    assert.ok(page.text.includes(node), page.text);
  });

  test('comes before the sign-in', async () => {
    const fresh = new Person(standIn);
    const whom = [...fresh.whom.slice(0, -1), person.path('other-cache')];
    const server = await Server.start(kind, { args: [], whom });
    const call = server.me();
    await decide(await desktop.next(), 'allow');
    await signInAt(await desktop.next(), users.reader);
    sameNames(await call, users.reader);
    fresh.leave();
  });

  test('cannot answer for the person by chance: strangers change nothing', async () => {
    const server = await Server.start(kind, { args: [] });
    const call = server.me();
    const url = await desktop.next();
    const { origin, host } = new URL(url);
    const send = (headers, fields) => request(`${origin}/answer`, {
      method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers }, body: form(fields) });
    assert.equal((await send({}, { csrf: 'x', decision: 'allow' })).status, 400, 'before it was shown');
    assert.equal((await request(url, { headers: { host: 'evil.example' } })).status, 403);
    assert.equal((await request(`${origin}/program/${'A'.repeat(43)}`)).status, 404);
    assert.equal((await request(url, { method: 'PUT' })).status, 405);
    const page = await new Browser().open(url);
    assert.match(page.headers['content-security-policy'], /default-src 'none'/);
    assert.equal((await request(url)).status, 410, 'once');
    const { csrf } = page.fields;
    for (const [headers, fields] of [
      [{}, { decision: 'allow' }], [{}, { csrf: 'x', decision: 'allow' }], [{}, { csrf, decision: 'approve' }],
      [{ origin: 'https://evil.example' }, { csrf, decision: 'allow' }],
      [{ 'sec-fetch-site': 'cross-site' }, { csrf, decision: 'allow' }],
      [{ origin: 'null' }, { csrf, decision: 'allow' }],
      [{ 'content-type': 'text/plain' }, { csrf, decision: 'allow' }]])
      assert.equal((await send(headers, fields)).status, 400, JSON.stringify([headers, fields]));
    assert.equal((await send({ host: 'localhost' }, { csrf, decision: 'allow' })).status, 403, host);
    await page.submit({ decision: 'allow' });
    await call;
  });

  test('in Chromium the page says who asks, and works', async (t) => {
    const chrome = await launch();
    t.after(() => chrome.close());
    const window = await Window.open(chrome);
    const server = await Server.start(kind, { args: [] });
    const call = server.me();
    const tab = await window.tab();
    await tab.goto(await desktop.next());
    await tab.getByText('May this program use your sign-in?').waitFor();
    await picture(tab, 'stdio-consent');
    await tab.getByRole('button', { name: 'Allow' }).click();
    await tab.getByText('You can close this window').waitFor();
    await picture(tab, 'stdio-consent-done');
    sameNames(await call, users.admin);
    assert.deepEqual(window.complaints, []);
  });
});

describe('the process', () => {
  const begun = [];
  // One that a failed test left would keep the tests from ending.
  afterEach(() => { for (const { child } of begun.splice(0)) child.kill('SIGKILL'); });
  const INITIALIZE = { jsonrpc: '2.0', id: 1, method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } } };
  const CALL = { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: TOOL, arguments: {} } };

  function begin({ args = EASY, env = {}, whom = person.whom } = {}) {
    const all = { ...process.env, ...desktop.env, ...person.env, DISPLAY: desktop.env.DISPLAY, ...env };
    const child = spawn(VALET, ['stdio', ...args, ...whom], {
      env: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) });
    const run = { child, stdout: '', stderr: '' };
    begun.push(run);
    child.stdout.on('data', (d) => { run.stdout += d; });
    child.stderr.on('data', (d) => { run.stderr += d; });
    child.stdin.on('error', () => {});
    run.send = (...messages) => child.stdin.write(messages.map((m) => `${JSON.stringify(m)}\n`).join(''));
    run.exited = new Promise((resolve) => { child.once('close', (code, signal) => resolve({ code, signal })); });
    run.lines = async (count) => {
      for (let i = 0; run.stdout.split('\n').length <= count && i < 1000; i++) await rest(10);
      return run.stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line));
    };
    return run;
  }

  test('serves and says what is missing when it was started without a configuration; once there is one, it works', async () => {
    const run = begin({ whom: [] });
    run.send(INITIALIZE, { jsonrpc: '2.0', method: 'notifications/initialized' }, { jsonrpc: '2.0', id: 3, method: 'tools/list' }, CALL);
    const answers = await run.lines(3);
    assert.equal(answers.find((a) => a.id === 3).result.tools.length, 1);
    const { result } = answers.find((a) => a.id === 2);
    assert.equal(result.isError, true);
    assert.match(result.content[0].text, /^Error: the application's \(client\) id is not known: .*mcp-valet login/);
    await person.signedIn(users.admin);
    run.send({ ...CALL, id: 4 });
    sameNames((await run.lines(4)).find((a) => a.id === 4).result.structuredContent, users.admin);
    run.child.stdin.end();
    assert.deepEqual(await run.exited, { code: 0, signal: null });
  });

  // TLS, the HTTP client and the key store begin with the first call; libcurl
  // does not even then.
  test('is small as long as nobody calls: one thread, none of the big libraries at work', async () => {
    await person.signedIn(users.admin);
    const run = begin();
    run.send(INITIALIZE, { jsonrpc: '2.0', method: 'notifications/initialized' }, { jsonrpc: '2.0', id: 3, method: 'tools/list' });
    await run.lines(2);
    const proc = (name) => readFileSync(`/proc/${run.child.pid}/${name}`, 'utf8');
    assert.match(proc('status'), /^Threads:\s+1$/m);
    assert.doesNotMatch(proc('maps'), /libcurl|libsecret|libsystemd|libpcre/);
    const kb = (name) => Number(new RegExp(`^${name}: *(\\d+)`, 'm').exec(proc('smaps_rollup'))[1]);
    assert.ok(isSanitized(run.child.pid) || kb('Private_Dirty') + kb('Private_Clean') < 4096, proc('smaps_rollup'));
    run.send(CALL);
    await run.lines(3);
    assert.doesNotMatch(proc('maps'), /libcurl/, 'by a client of our own');
    run.child.stdin.end();
    await run.exited;
  });

  // @spec S-19
  for (const [what, end] of [
    ['the end of its input', (run) => run.child.stdin.end()],
    ['SIGTERM', (run) => run.child.kill('SIGTERM')],
    ['SIGINT', (run) => run.child.kill('SIGINT')],
    ['a reader that has gone', (run) => { run.child.stdout.destroy(); run.send({ jsonrpc: '2.0', id: 9, method: 'ping' }); }]])
    test(`ends with ${what}, also while the person is asked`, async () => {
      const run = begin();
      run.send(INITIALIZE, CALL);
      const start = await desktop.next();
      const began = Date.now();
      end(run);
      assert.deepEqual(await run.exited, { code: 0, signal: null }, run.stderr);
      assert.ok(Date.now() - began < 5000);
      await assert.rejects(request(start));
    });

  // Either side may go at any moment: the other does not hang, nothing is left,
  // and what was written is whole lines.
  test('leaves nothing behind when one side goes at any moment', async () => {
    await person.signedIn(users.admin);
    const rounds = Number(process.env.VALET_ROUNDS ?? 60);
    const ways = [
      (run) => run.child.kill('SIGKILL'), (run) => run.child.kill('SIGTERM'), (run) => run.child.stdin.end(),
      (run) => { run.child.stdout.destroy(); run.child.stdin.destroy(); }, (run) => run.child.stdin.write('{"jsonrpc":"2.0","id":') && run.child.stdin.end()];
    const one = async (i) => {
      const run = begin({ args: i % 2 ? EASY : [...EASY, '--account', 'nobody@contoso.example', '--browser'] });
      run.send(INITIALIZE, ...Array.from({ length: 5 }, (_, n) => ({ ...CALL, id: n + 2 })));
      await rest(Math.random() * 120);
      const began = Date.now();
      ways[i % ways.length](run);
      const { code, signal } = await run.exited;
      assert.ok(Date.now() - began < 6000, `way ${i % ways.length} took ${Date.now() - began} ms`);
      // Before it has begun to serve, a signal ends it like any program.
      const tooEarly = signal === 'SIGTERM' && run.stdout === '';
      if (i % ways.length && !tooEarly) assert.deepEqual([code, signal], [0, null], run.stderr);
      const lines = run.stdout.split('\n');
      if (i % ways.length !== 3) assert.equal(lines.pop(), '', 'half a line');
      else lines.pop();
      for (const line of lines) assert.equal(JSON.parse(line).jsonrpc, '2.0');
    };
    for (let i = 0; i < rounds; i += 4) await Promise.all([0, 1, 2, 3].map((n) => one(i + n)));
  });

  // @spec S-38 ST-02
  test('writes nothing but messages to standard output, whatever fails', async () => {
    await person.signedIn(users.admin);
    const run = begin({ args: ['--timeout', '1'] }); // the program is not allowed, and nobody answers
    run.send(INITIALIZE, CALL);
    await desktop.next();
    run.child.stdin.write('no json\n{"jsonrpc":"2.0","id":7}\n\n[]\n');
    await rest(1500);
    await standIn.fault({ where: 'any', answer: 'reset', count: 0 });
    run.send({ ...CALL, id: 8 });
    await rest(1500);
    run.child.stdin.end();
    await run.exited;
    for (const line of run.stdout.split('\n').slice(0, -1)) assert.equal(JSON.parse(line).jsonrpc, '2.0', line);
    assert.ok(run.stdout.endsWith('\n'));
    for (const line of run.stderr.split('\n').slice(0, -1)) assert.match(line, /^mcp-valet: /);
  });

  test('refuses what is no option, and what makes no sense', async () => {
    for (const [args, pattern] of [
      [['--consent', 'maybe'], /first-use, always or never/], [['--timeout', '1h'], /number of seconds/],
      [['--select', 'a b'], /--select is all/], [['--graph-url', 'https://evil.example'], /--graph-url: /],
      [['--browser', '--device-code'], /only one of/], [['--nonsense'], /unknown argument/]])
      assert.match(await person.fails(2, 'stdio', ...args), pattern);
  });

  // @spec S-42: the Graph of the authority's own cloud, or none.
  // @spec S-42
  for (const [what, host, graph, said] of [
    ['the Graph of another cloud', 'https://login.microsoftonline.us', 'https://graph.microsoft.com',
      /graph\.microsoft\.com is of another cloud than https:\/\/login\.microsoftonline\.us/],
    ['a port of this machine', 'https://login.microsoftonline.com', 'http://127.0.0.1:9',
      /127\.0\.0\.1:9 is on this machine: tokens of https:\/\/login\.microsoftonline\.com are not sent there/]])
    test(`sends no token to ${what}`, async () => {
      const run = begin({ args: [...EASY, '--graph-url', graph], whom: [...person.whom, '--authority-host', host] });
      run.send(INITIALIZE, CALL);
      const { result } = (await run.lines(2)).find((a) => a.id === 2);
      assert.match(result.content[0].text, said);
      run.child.stdin.end();
      await run.exited;
    });

  test('allows programs by their paths, and none that runs others', async () => {
    const bash = realpathSync('/bin/bash');
    assert.equal(await person.does('allow', '/usr/bin/../bin/true'), `${realpathSync('/usr/bin/true')} is allowed\n`);
    for (const [args, code, pattern] of [
      [['/nowhere/at all', 'x'], 2, /unknown argument/], [['/bin/cat', '--'], 2, /which server/], [['--scope', 'a'], 2, /which program/],
      [['--forget', '/bin/cat', '--scope', 'a'], 2, /the program alone/], [['nowhere'], 2, /no program/], [[bash], 2, /runs other programs/],
      [[process.execPath], 2, /runs other programs/], [['--forget'], 2, /which program/], [['--forget', '/bin/cat'], 1, /was not allowed/],
      [['--list', '/bin/cat'], 2, /takes no program/]])
      assert.match(await person.fails(code, 'allow', ...args), pattern, args);
    assert.equal(await person.does('allow', '/bin/true', '--scope', 'a b', '--', 'npx', 'it'), `${realpathSync('/usr/bin/true')} --scope 'a b' -- npx it is allowed\n`);
    await person.does('allow', '--forget', '/usr/bin/true');
    assert.equal(await person.does('allow', '--list'), '');
  });

  test('keeps no list of programs that others can change, or that leads elsewhere', async () => {
    await person.signedIn(users.admin);
    await person.does('allow', VALET);
    const list = path.join(person.home, '.config/mcp-valet/programs.json');
    chmodSync(list, 0o644);
    assert.match(await person.fails(1, 'allow'), /programs\.json/);
    const run = begin({ args: [] });
    run.send(INITIALIZE, CALL);
    const { result } = (await run.lines(2)).find((a) => a.id === 2);
    assert.match(result.content[0].text, /programs\.json/);
    run.child.stdin.end();
    await run.exited;
    assert.equal(desktop.opened.length, 0);
  });
});
