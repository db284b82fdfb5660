// `mcp-valet stdio -- COMMAND`: the gate in front of any local server, driven
// by the clients of both SDKs, against the stand-in tenant.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as rest } from 'node:timers/promises';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { Desktop, decide, signInAt, typeCodeOf } from './lib/desktop.mjs';
import { Person } from './lib/person.mjs';
import { StandIn } from './lib/standin.mjs';
import { KINDS } from './lib/talker.mjs';
import { BIN, VALET, isSanitized, runToEnd } from './lib/valet.mjs';
import { StdioWire, initialize, legacy, modern } from './lib/wire.mjs';

const EVERYTHING = [path.join(BIN, '..', 'e2e', 'everything')];
const NODE = [process.execPath, path.join(import.meta.dirname, 'lib', 'gated-server.mjs')];
const EASY = ['--consent', 'never'];
const STDIO = Object.fromEntries(Object.entries(KINDS).filter(([name]) => !/HTTP/.test(name)));
let standIn, users, apps, tid, person, desktop, open;

before(async () => {
  standIn = await StandIn.start();
  ({ users, apps } = standIn);
  tid = standIn.tenants[0].id;
});
after(() => standIn?.stop());
beforeEach(async () => {
  await standIn.emul('faults', undefined, 'DELETE');
  await standIn.emul('settings', { device_interval: 1, device_code_seconds: 0, access_token_seconds: 0 });
  await standIn.consent('granted', 'public');
  person = new Person(standIn);
  desktop = new Desktop();
  open = [];
});
afterEach(async () => {
  for (const gated of open) {
    await gated.close();
    assert.doesNotMatch(gated.stderr, /Sanitizer|runtime error:/);
  }
  person.leave();
  desktop.leave();
});

const environment = (more = {}) => Object.fromEntries(Object.entries({
  ...process.env, ...desktop.env, ...person.env, DISPLAY: desktop.env.DISPLAY, ...more,
}).filter(([, value]) => value !== undefined));

const isAlive = (pid) => {
  try { return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')); } catch { return false; }
};
const childrenOf = (pid) => readdirSync('/proc').filter((name) => /^\d+$/.test(name)).filter((name) => {
  try { return Number(/\) . (\d+)/.exec(readFileSync(`/proc/${name}/stat`, 'utf8'))[1]) === pid; } catch { return false; }
}).map(Number);
async function gone(...pids) {
  for (const end = Date.now() + 8000; pids.some(isAlive) && Date.now() < end;) await rest(10);
  assert.deepEqual(pids.filter(isAlive), []);
}

// A client and, behind the gate, its server.
class Gated {
  static async start(kind, { command = NODE, args = EASY, env = {}, capabilities = {}, elicit } = {}) {
    const gated = Object.assign(new Gated(), { kind, stderr: '', asked: [], errors: [], command });
    gated.client = kind.make(capabilities);
    gated.transport = new kind.Stdio({
      command: VALET, args: ['stdio', ...args, ...person.whom, '--', ...command], stderr: 'pipe', env: environment(env),
    });
    gated.transport.stderr.on('data', (d) => { gated.stderr += d; });
    gated.client.onerror = (error) => gated.errors.push(error);
    if (elicit)
      gated.client.setRequestHandler(kind.isV2 ? 'elicitation/create' : ElicitRequestSchema, async ({ params }) => {
        gated.asked.push(params);
        return elicit(params);
      });
    open.push(gated);
    await gated.client.connect(gated.transport);
    return gated;
  }

  call(name, options = {}, args = {}) {
    const params = { name, arguments: args };
    return this.kind.isV2 ? this.client.callTool(params, { timeout: 30000, ...options })
      : this.client.callTool(params, undefined, { timeout: 30000, ...options });
  }

  async text(name, options) {
    const { content, isError } = await this.call(name, options);
    assert.ok(!isError, content[0].text);
    return content[0].text;
  }

  async ask(name, options) { return JSON.parse(await this.text(name, options)); }

  async says(pattern) {
    for (const end = Date.now() + 8000; !pattern.test(this.stderr) && Date.now() < end;) await rest(10);
    assert.match(this.stderr, pattern);
  }

  async close() { await this.client.close(); }
}

const legacyOnly = Object.entries(STDIO).filter(([, kind]) => !kind.isModern);

for (const [name, kind] of Object.entries(STDIO))
  describe(`a server of the library, by ${name}`, () => {
    // @spec S-41
    test('tells what it has to everybody, and does nothing before the sign-in', async () => {
      const gated = await Gated.start(kind, { command: EVERYTHING });
      assert.ok((await gated.client.listTools()).tools.length > 5);
      assert.ok((await gated.client.listPrompts()).prompts.length > 0);
      assert.ok((await gated.client.listResources()).resources.length > 0);
      assert.deepEqual([desktop.opened, gated.stderr], [[], '']);
      const reads = gated.client.readResource({ uri: 'test://static-text' });
      const calls = gated.text('test_simple_text');
      await signInAt(await desktop.next(), users.bengali);
      assert.match(await calls, /./);
      assert.ok((await reads).contents.length);
      assert.equal(desktop.opened.length, 1);
      assert.match(await gated.text('test_simple_text'), /./);
      await gated.close();
      const next = await Gated.start(kind, { command: EVERYTHING });
      assert.match(await next.text('test_simple_text'), /./);
      assert.equal(desktop.opened.length, 1);
    });
  });

for (const [name, kind] of legacyOnly)
  describe(`a server on the SDK, by ${name}`, () => {
    test('learns who is signed in, once, before the first call', async () => {
      const gated = await Gated.start(kind);
      const first = gated.ask('who');
      await signInAt(await desktop.next(), users.bengali);
      const [who, ...others] = await first;
      assert.deepEqual(others, []);
      assert.deepEqual({ ...who, expires_at: 0 }, {
        event: 'signed_in', tenant_id: tid, account_id: `${users.bengali.id}.${tid}`, username: users.bengali.username,
        name: users.bengali.display_name, expires_at: 0,
      });
      assert.ok(who.expires_at > Date.now() / 1000 + 300);
      assert.equal((await gated.ask('who')).length, 1);
    });

    test('gets a token of the scope that was said, and nothing else of ours', async () => {
      const gated = await Gated.start(kind, {
        args: [...EASY, '--scope', apps.api.scope],
        env: { AZURE_CLIENT_SECRET: 'canary-1', MCP_VALET_X: 'canary-2', FR_API_CLIENT_SECRET: 'canary-3', MINE: 'yes' },
      });
      const first = gated.ask('who');
      await signInAt(await desktop.next(), users.admin);
      const [who] = await first;
      const claims = JSON.parse(Buffer.from(who.access_token.split('.')[1], 'base64url'));
      assert.deepEqual([claims.oid, who.token_type], [users.admin.id, 'Bearer']);
      assert.ok(apps.api.scope.includes(claims.aud), claims.aud);
      assert.ok(who.scopes);
      const env = await gated.ask('environment');
      assert.equal(env.MINE, 'yes');
      assert.doesNotMatch(JSON.stringify(env), /canary|eyJ/);
      assert.deepEqual(Object.keys(env).filter((key) => key.startsWith('MCP_VALET_')), ['MCP_VALET_IDENTITY_FD']);
      assert.doesNotMatch(JSON.stringify(await gated.ask('arguments')), /eyJ/);
    });

    test('is told of a new token before the call that needs it', async () => {
      await standIn.emul('settings', { access_token_seconds: 200 });
      const gated = await Gated.start(kind, { args: [...EASY, '--scope', apps.api.scope] });
      const first = gated.ask('who');
      await signInAt(await desktop.next(), users.admin);
      assert.equal((await first).length, 1);
      await standIn.emul('settings', { access_token_seconds: 0 });
      const [old, fresh, ...more] = await gated.ask('who');
      assert.deepEqual(more, []);
      assert.notEqual(fresh.access_token, old.access_token);
      assert.ok(fresh.expires_at > old.expires_at);
      assert.equal(desktop.opened.length, 1);
    });

    // @spec S-29 S-30
    test('hears of the next person after a logout in another process, and nobody calls before', async () => {
      const gated = await Gated.start(kind);
      const first = gated.ask('who');
      await signInAt(await desktop.next(), users.admin);
      assert.equal((await first).length, 1);
      assert.equal((await gated.ask('who')).length, 1);
      await person.does('logout', ...person.whom);
      await rest(1100); // so long the door is believed to be open
      const next = gated.ask('who');
      await signInAt(await desktop.next(), users.reader);
      assert.deepEqual((await next).map((who) => who.username), [users.admin.username, users.reader.username]);
    });

    test('may have its token in a variable, which is there before it is', async () => {
      await person.signedIn(users.reader);
      const gated = await Gated.start(kind, { args: [...EASY, '--scope', 'User.Read', '--token-env', 'TOKEN'] });
      const env = await gated.ask('environment');
      assert.equal(JSON.parse(Buffer.from(env.TOKEN.split('.')[1], 'base64url')).oid, users.reader.id);
      assert.equal((await gated.ask('who'))[0].access_token, env.TOKEN);
      assert.equal(desktop.opened.length, 0);
    });

    test('has its progress behind ours', async () => {
      const gated = await Gated.start(kind, { args: [...EASY, '--device-code'] });
      const told = [];
      let typed;
      const result = await gated.ask('progress', {
        onprogress: ({ progress, message }) => {
          told.push(progress);
          if (message?.includes('code')) typed ??= typeCodeOf(message, users.admin);
        },
      });
      assert.equal(result, 'done');
      await typed;
      assert.ok(told.length >= 4, told);
      assert.deepEqual(told.slice(-3), [0, 1, 2]);
      for (let i = 1; i < told.length; i++) assert.ok(told[i] > told[i - 1], told);
    });

    test('does not hear of a call that was taken back while it waited', async () => {
      const gated = await Gated.start(kind);
      const controller = new AbortController();
      const call = gated.ask('pid', { signal: controller.signal });
      const url = await desktop.next();
      controller.abort();
      await assert.rejects(call);
      const next = gated.ask('who');
      await signInAt(await desktop.next(), users.admin).catch(() => {});
      assert.equal((await next).length, 1);
      assert.ok(url);
      assert.deepEqual(gated.errors, []);
    });

    test('that prints what is no message is not ended for it', async () => {
      const gated = await Gated.start(kind);
      const first = gated.ask('garbage');
      await signInAt(await desktop.next(), users.admin);
      assert.equal(await first, 'and an answer');
      await gated.says(/a line of the server was dropped/);
      assert.equal((await gated.ask('who')).length, 1);
      assert.deepEqual(gated.errors, []);
    });

    test('that dies is told to who still waits, and so is its code', async () => {
      const gated = await Gated.start(kind);
      const first = gated.ask('pid');
      await signInAt(await desktop.next(), users.admin);
      await first;
      const never = assert.rejects(gated.ask('never'), /The server has ended/);
      await assert.rejects(gated.ask('die'), /The server has ended|[Cc]onnection closed/);
      await never;
      await gated.says(/the server has ended with code 3/);
    });
  });

// @spec ST-05 ST-06
// @spec CL-21 W-43
test('the person is asked for each server that a program starts behind the gate, and sees which', async () => {
  await person.signedIn(users.admin);
  const kind = KINDS['SDK v1'];
  for (const [command, args] of [[NODE, []], [NODE, ['--scope', 'User.Read']], [EVERYTHING, []]]) {
    const call = (await Gated.start(kind, { command, args })).client.callTool({ name: 'nothing' });
    call.catch(() => {});
    const page = await decide(await desktop.next(), 'allow');
    assert.ok(page.text.includes(command.at(-1)), page.text);
    await call.catch(() => {});
  }
  await (await Gated.start(kind, { args: [] })).client.callTool({ name: 'nothing' }).catch(() => {});
  assert.equal(desktop.opened.length, 3);
  assert.equal((await person.does('allow')).trim().split('\n').length, 3);
});

describe('the end', () => {
  for (const [name, kind] of legacyOnly.slice(0, 1))
    test(`by ${name} leaves nobody behind`, async () => {
      const gated = await Gated.start(kind);
      const { pid } = gated.transport;
      const [server] = childrenOf(pid);
      await gated.close();
      await gone(pid, server);
    });

  // @spec ST-03 ST-05: clients may leave standard error alone.
  test('comes, and calls are answered, when the server has filled a standard error that nobody reads', async () => {
    const fifo = person.path('stderr');
    execFileSync('mkfifo', [fifo]);
    const stderr = openSync(fifo, 'r+');
    const wire = new StdioWire(VALET, ['stdio', '--', 'sh', '-c',
      'yes >&2 & sleep 0.3; for i in 1 2 3 4 5 6; do echo garbage; done; exec cat'], { stderr });
    await rest(800);
    wire.line(legacy('ping', '', '5'));
    await wire.find((line) => line.includes('"id":5'), { ms: 5000 });
    assert.deepEqual(await wire.stop(), { code: 0, signal: null });
    closeSync(stderr);
  });

  // @spec ST-05: whatever it does, the client hears of it soon.
  for (const [what, script, code, said] of [
    ['that closes its output and lives on', 'exec 1>&-; sleep 60', 1, /has closed its output/],
    ['that ends at once', 'exit 7', 7, /ended with code 7/],
    ['that goes and leaves another on its pipes', 'sleep 60 2>&- & exit 0', 0, /^$/]])
    test(`comes with a server ${what}`, async () => {
      const wire = new StdioWire(VALET, ['stdio', '--', 'sh', '-c', script]);
      const since = Date.now();
      wire.line(legacy('ping', '', '1'));
      assert.deepEqual(await wire.exited, { code, signal: null });
      assert.ok(Date.now() - since < 6000);
      assert.match(wire.stderr, said);
      for (const line of wire.lines) assert.equal(JSON.parse(line).id, 1, line);
    });

  test('of a server that goes is also that of what it has started', async () => {
    const wire = new StdioWire(VALET, ['stdio', '--', 'sh', '-c', 'sleep 60 >&- 2>&- & echo "{\\"pid\\":$!}"; exec cat']);
    const { pid } = JSON.parse(await wire.find((line) => line.includes('pid')));
    assert.ok(isAlive(pid));
    await wire.stop();
    await gone(pid);
  });

  test('of a server that does not go comes by itself', async () => {
    const wire = new StdioWire(VALET, ['stdio', '--', 'sh', '-c', 'trap "" TERM; echo {}; while :; do sleep 0.1; done']);
    await wire.find((line) => line === '{}');
    const [server] = childrenOf(wire.pid);
    const since = Date.now();
    wire.child.stdin.end();
    assert.deepEqual(await wire.exited, { code: 0, signal: null });
    assert.ok(Date.now() - since < 3900, 'longer than clients wait');
    await gone(server);
  });

  for (const [whose, kill, expected] of [
    ['the gate, politely', (gate) => process.kill(gate, 'SIGTERM'), { code: 0, signal: null }],
    ['the gate', (gate) => process.kill(gate, 'SIGKILL'), { code: null, signal: 'SIGKILL' }],
    ['the server', (_, server) => process.kill(server, 'SIGKILL'), { code: 137, signal: null }]])
    test(`by a kill of ${whose} leaves no half line and nobody behind, 35 times`, async () => {
      for (let i = 0; i < 35; i++) {
        const wire = new StdioWire(VALET, ['stdio', '--', ...EVERYTHING]);
        wire.line(initialize('2025-11-25'));
        await wire.find((line) => line.includes('"id":"hello"'));
        const [server] = childrenOf(wire.pid);
        for (let n = 0; n < 40; n++) wire.line(legacy(n % 2 ? 'tools/list' : 'ping', '', `${n}`));
        await rest(Math.random() * 6);
        kill(wire.pid, server);
        assert.deepEqual(await wire.exited, expected);
        await gone(server);
        for (const line of wire.lines) JSON.parse(line);
        if (expected.code !== null) assert.equal(wire.part, '');
      }
    });
});

describe('byte by byte', () => {
  const started = [];
  const start = (...command) => {
    started.push(new StdioWire(VALET, ['stdio', ...EASY, ...person.whom, '--', ...command]));
    return started.at(-1);
  };
  // One that a failed test left would keep the tests from ending.
  afterEach(() => { for (const { child } of started.splice(0)) child.kill('SIGKILL'); });

  // @spec D3 D5
  test('nothing gets in by a second reading', async () => {
    const wire = start('cat');
    wire.line('{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}');
    wire.line('{"jsonrpc":"2.0","id":2,"method":"ping","Method":"tools/call"}');
    wire.line('[{"jsonrpc":"2.0","id":3,"method":"ping"},{"jsonrpc":"2.0","id":4,"method":"tools/call"}]');
    wire.line('{"jsonrpc":"2.0","id":5,"method":"ping","params":{"a":\r{"jsonrpc":"2.0","id":6,"method":"tools/call"}\r}}');
    wire.line('{ "jsonrpc":"2.0", "id":7, "method":"ping", "params":{"x":1.50} }');
    await wire.find((line) => line.includes('1.50'));
    assert.deepEqual(wire.lines.filter((line) => !/"error"/.test(line)), [
      '{"jsonrpc":"2.0","id":5,"method":"ping","params":{"a": {"jsonrpc":"2.0","id":6,"method":"tools/call"} }}',
      '{ "jsonrpc":"2.0", "id":7, "method":"ping", "params":{"x":1.50} }']);
    assert.equal(wire.lines.length, 5);
    await wire.stop();
  });

  // @spec ST-04
  test('a batch of 2025-03-26 waits whole, and is answered whole', async () => {
    await person.signedIn(users.admin);
    const wire = start(...EVERYTHING);
    wire.line(initialize('2025-03-26'));
    await wire.find((line) => line.includes('"id":"hello"'));
    wire.line('{"jsonrpc":"2.0","method":"notifications/initialized"}');
    wire.line(`[${legacy('ping', '', '1')},${legacy('tools/call', '"name":"test_simple_text","arguments":{}', '2')}]`);
    const answer = JSON.parse(await wire.find((line) => line.startsWith('[')));
    assert.deepEqual(answer.map(({ id }) => id).sort(), [1, 2]);
    assert.ok(answer.every(({ result }) => result));
    await wire.stop();
  });

  test('a line without an end is dropped, and what nobody asked for harms nobody', async () => {
    const script = 'const { createInterface } = require("readline");'
      + ' process.stdout.write("x".repeat(2 ** 24) + "\\n");'
      + ' for (const id of [1, "1", null, 1e400, { a: 1 }, 5]) console.log(JSON.stringify({ jsonrpc: "2.0", id, result: {} }));'
      + ' createInterface({ input: process.stdin }).on("line", (l) => console.log(JSON.stringify({ jsonrpc: "2.0", id: JSON.parse(l).id, result: { real: true } })));';
    const wire = start(process.execPath, '-e', script);
    await wire.find((line) => line.includes('"id":5'));
    wire.line(legacy('ping', '', '77'));
    await wire.find((line) => line.includes('"id":77') && line.includes('real'));
    assert.match(wire.stderr, /dropped: it is longer than 8 MiB/);
    const size = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${wire.pid}/status`, 'utf8'))[1]);
    assert.ok(isSanitized(wire.pid) || size < 40000, `${size} kB`);
    await wire.stop();
  });

  test('an answer of several megabytes comes through to a client that is slow', async () => {
    const big = 'process.stdin.once("data", () => { for (let i = 0; i < 30; i++)'
      + ' console.log(JSON.stringify({ jsonrpc: "2.0", method: "notifications/x", params: { i, x: "y".repeat(1e6) } })); })';
    const wire = start(process.execPath, '-e', big);
    wire.child.stdout.pause();
    wire.line(legacy('ping'));
    await rest(500);
    const size = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${wire.pid}/status`, 'utf8'))[1]);
    assert.ok(size < 40000, `${size} kB`);
    wire.child.stdout.resume();
    await wire.find((line) => line.includes('"i":29'), { ms: 30000 });
    assert.equal(wire.lines.length, 30);
    await wire.stop();
  });
});

// @spec HT-68
describe('a client that opens addresses', () => {
  const CAN = { elicitation: { url: {} } };
  for (const [name, kind] of Object.entries(STDIO)) {
    const command = kind.isModern ? EVERYTHING : NODE;
    const tool = kind.isModern ? 'test_simple_text' : 'pid';
    test(`is asked to (${name})`, async () => {
      let signs;
      const gated = await Gated.start(kind, {
        command, capabilities: CAN,
        elicit: ({ url }) => { signs = signInAt(url, users.admin); return { action: 'accept' }; },
      });
      assert.match(await gated.text(tool), /./);
      await signs;
      assert.deepEqual(gated.asked.map(({ mode }) => mode), ['url']);
      assert.deepEqual(desktop.opened, []);
      assert.match(await gated.text(tool), /./);
      assert.equal(gated.asked.length, 1);
    });

    test(`that declines gets nothing (${name})`, async () => {
      const gated = await Gated.start(kind, { command, capabilities: CAN, elicit: () => ({ action: 'decline' }) });
      const result = await gated.call(tool);
      assert.equal(result.isError, true);
      assert.match(result.content[0].text, /declined/);
      assert.deepEqual(desktop.opened, []);
    });
  }
});

describe('the person', () => {
  // @spec S-54 W-43
  test('is asked whether this program may, and a no keeps it out', async () => {
    await person.signedIn(users.admin);
    const gated = await Gated.start(KINDS['SDK v1'], { args: [] });
    const call = gated.call('pid');
    await decide(await desktop.next(), 'deny');
    const result = await call;
    assert.equal(result.isError, true);
    assert.match(result.content[0].text, /program/);
  });

  test('who has not signed in is told how, where a variable is to hold the token', async () => {
    const end = await runToEnd(VALET, ['stdio', '--scope', 'User.Read', '--token-env', 'TOKEN', ...person.whom, '--', 'cat'],
      { env: environment() });
    assert.deepEqual([end.code, end.stdout], [1, '']);
    assert.match(end.stderr, /mcp-valet login/);
  });

  test('is told what is wrong with the command', async () => {
    for (const [args, code, said] of [
      [['--'], 2, /behind the --/],
      [['--token-env', 'T', '--', 'cat'], 2, /--scope/],
      [['--scope', 'a', '--token-env', 'A-B', '--', 'cat'], 2, /A-B is no name/],
      [['--nonsense', '--', 'cat'], 2, /unknown argument: --nonsense/],
      [['--', 'no-such-server-here', '--nonsense'], 1, /cannot start no-such-server-here/]]) {
      const end = await runToEnd(VALET, ['stdio', ...args], { env: environment() });
      assert.deepEqual([end.code, end.stdout], [code, ''], end.stderr);
      assert.match(end.stderr, said);
    }
  });
});

test('a call of 2026-07-28 that is refused is a result of its revision', async () => {
  const wire = new StdioWire(VALET, ['stdio', ...EASY, '--', ...EVERYTHING]);
  wire.line(modern('tools/call', '"name":"test_simple_text","arguments":{}', '7'));
  const { result } = JSON.parse(await wire.find((line) => line.includes('"id":7')));
  assert.deepEqual([result.resultType, result.isError], ['complete', true]);
  assert.match(result.content[0].text, /client/);
  await wire.stop();
});

// The examples of docs/local-gate.md, each with the rest of a server around it.
describe('a server written after the manual', () => {
  const page = readFileSync(path.join(import.meta.dirname, '..', '..', 'docs', 'local-gate.md'), 'utf8');
  const example = (language) => new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(page)[1];
  const servers = {
    python: ['python3', '-c', `${example('python')}
import sys
for line in sys.stdin:
    print(json.dumps({"jsonrpc": "2.0", "id": json.loads(line)["id"], "result": signed_in()}), flush=True)
`],
    js: [process.execPath, '--input-type=module', '-e', `${example('js')}
import { createInterface } from 'node:readline';
for await (const line of createInterface({ input: process.stdin }))
  console.log(JSON.stringify({ jsonrpc: '2.0', id: JSON.parse(line).id, result: signedIn() ?? null }));
`],
  };
  for (const [language, command] of Object.entries(servers))
    test(`in ${language} knows who is signed in`, async () => {
      await person.signedIn(users.bengali);
      const wire = new StdioWire(VALET, ['stdio', ...EASY, '--scope', 'User.Read', ...person.whom, '--', ...command]);
      const ask = async (method, id) => {
        wire.line(legacy(method, '', id));
        return JSON.parse(await wire.find((line) => line.includes(`"id": ${id}`) || line.includes(`"id":${id},`))).result;
      };
      assert.equal(await ask('ping', 1), null);
      for (const id of [2, 3]) {
        const who = await ask('tools/call', id);
        assert.deepEqual([who.username, who.name], [users.bengali.username, users.bengali.display_name]);
        assert.match(who.access_token, /^eyJ/);
      }
      assert.deepEqual(await wire.stop(), { code: 0, signal: null });
    });
});
