// libvalet as a product: what is installed compiles by itself, links both ways,
// and its examples do against the stand-in what they say.
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { Browser } from './lib/browser.mjs';
import { Provider, connect } from './lib/sdk.mjs';
import { example, examples, Installed, notInstallable, ROOT } from './lib/installed.mjs';
import { OIDC, StandIn } from './lib/standin.mjs';
import { Bench, Program } from './lib/valet.mjs';

const C = ['-std=c11', '-std=c17'].map((standard) => ['-x', 'c', standard]);
const CPP = [['-x', 'c++', '-std=c++17']];
const compilers = Object.entries({ gcc: C, 'g++': CPP, 'clang-14': [...C, ...CPP] })
  .filter(([name]) => spawnSync(name, ['--version']).status === 0);

// @spec S-116
test('every function of entra.h has its counterpart in docs/msal.md, which names no other', () => {
  const read = (name) => readFileSync(path.join(ROOT, name), 'utf8');
  const header = read('include/valet/entra.h').replace(/^ \*.*$|^typedef [^;{]*;/gm, '');
  const page = read('docs/msal.md');
  const functions = (text) => [...new Set(text.match(/\bvalet_\w+(?=\()/g))].filter((name) => !/^valet_(entra|validate)$/.test(name)).sort();
  assert.deepEqual(functions(page), functions(header));
  for (const name of page.match(/\bVALET_\w+/g)) assert.match(header, new RegExp(`\\b${name}\\b`));
});

describe('the installed libvalet', { skip: notInstallable }, () => {
  let installed, standIn, programs;
  before(async () => {
    installed = new Installed();
    programs = Object.fromEntries(examples().map((name) => [name, installed.build(example(name))]));
    standIn = await StandIn.start();
  });
  after(async () => {
    await standIn?.stop();
    installed?.done();
  });

  test('has headers that stand alone, in C and in C++', () => {
    const folder = path.join(installed.prefix, 'include/valet');
    const headers = readdirSync(folder);
    assert.ok(headers.includes('status.h') && headers.includes('validate.h'));
    for (const header of headers.map((name) => `valet/${name}`))
      for (const [compiler, languages] of compilers) for (const language of languages)
        installed.compile(compiler, [...language, `-I${path.dirname(folder)}`, '-fsyntax-only'], '/dev/null',
          '-include', header, '-include', header); // twice: the guard works
  });

  test('is asked for by its SONAME, and needs what valet.pc says', () => {
    for (const program of Object.values(programs)) assert.ok(installed.needed(program).includes('libvalet.so.0'), program);
    const packages = installed.pkgConfig('--print-requires-private').filter((word) => /^[a-z]/.test(word));
    // yaml-0.1 is libyaml-0.so.2.
    const wanted = packages.map((name) => `lib${name.replace(/^lib/, '').replace(/(-\d+)\..*/, '$1')}.so`);
    // The loader has the variables that each thread has of its own.
    const needed = installed.needed(installed.find('libvalet.so.0')).filter((name) => !/^(libc\.so|ld-)/.test(name));
    assert.deepEqual(needed.map((name) => name.replace(/\.so\..*/, '.so')), wanted.sort());
  });

  test('is found by CMake, shared and static', () => {
    const shared = installed.buildByCMake('shared');
    const bundled = installed.buildByCMake('static');
    for (const name of examples()) {
      assert.ok(installed.needed(path.join(shared, name)).includes('libvalet.so.0'), name);
      assert.ok(!installed.needed(path.join(bundled, name)).includes('libvalet.so.0'), name);
    }
  });

  test('finds its modules where it was moved, and looks nowhere around a static program', () => {
    const file = path.join(ROOT, 'tests/e2e/programs/default_cache.c');
    const env = { ...installed.env, HOME: installed.folder, DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nowhere' };
    const run = (program) => execFileSync(program, { encoding: 'utf8', env, timeout: 20000 });
    const shared = installed.build(file);
    assert.match(run(shared), /^there is no Secret Service on the session bus/);
    renameSync(installed.find('keep_secret_service.so'), installed.path('keep_secret_service.so'));
    assert.match(run(shared), /^the Secret Service needs a module: /);
    // Beside this one lies what is no module: to load it is an error of its own.
    const bundled = installed.buildStatic(file);
    mkdirSync(installed.path('mcp-valet/modules'), { recursive: true });
    writeFileSync(installed.path('mcp-valet/modules/keep_secret_service.so'), '');
    assert.doesNotMatch(run(bundled), new RegExp(installed.folder));
  });

  describe('validate_token', () => {
    let token;
    before(async () => {
      ({ access_token: token } = await standIn.tokens(
        { scope: `${OIDC} ${standIn.apps.api.scope}` }, { user: standIn.users.reader }));
    });
    const validate = (text, env = {}, program = programs.validate_token) => {
      const { status, stdout, stderr } = spawnSync(program, { input: text, encoding: 'utf8', timeout: 20000,
        env: { ...installed.env, VALET_TENANT: standIn.tenants[0].id, VALET_AUDIENCE: standIn.apps.api.id,
          VALET_AUTHORITY: standIn.base, ...env } });
      return { status, stdout, stderr };
    };
    const isGood = ({ status, stdout, stderr }) => {
      const { id, tenant, display_name: name } = standIn.users.reader;
      assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
      assert.equal(stdout, `person ${id} of tenant ${tenant} by client ${standIn.apps.web.id}\nname: ${name}\n`
        + 'scopes: access_as_user\n');
    };

    test('tells whose token it is', () => isGood(validate(`${token}\n`)));
    test('does the same with the static library, without the other', () =>
      isGood(validate(token, { LD_LIBRARY_PATH: '' }, installed.buildStatic(example('validate_token')))));
    test('refuses what is no good token, and says why to its log alone', () => {
      assert.deepEqual(validate(token, { VALET_SCOPE: 'Orders.Read' }).status, 1);
      const changed = validate(`${token}x`);
      assert.equal(changed.status, 1);
      assert.match(changed.stderr, /^(signature|malformed): /);
      assert.equal(changed.stdout, '');
      assert.match(validate('x'.repeat(19000)).stderr, /^too_long: /);
    });
    test('tells wrong settings and an issuer that is not there', () => {
      assert.match(validate(token, { VALET_TENANT: 'common' }).stderr, /^settings: /);
      assert.equal(validate(token, { VALET_TENANT: 'common' }).status, 2);
      const away = validate(token, { VALET_AUTHORITY: 'http://127.0.0.1:9' });
      assert.deepEqual([away.status, away.stderr.split(':')[0]], [3, 'keys_unavailable']);
    });
  });

  test('stdio_server has a tool, a resource and a prompt for the client that starts it', async () => {
    const client = new Client({ name: 'e2e', version: '1' });
    await client.connect(new StdioClientTransport({ command: programs.stdio_server, env: installed.env }));
    const { structuredContent: disk, content } = await client.callTool({ name: 'disk_space', arguments: {} });
    assert.ok(disk.free_bytes > 0);
    assert.deepEqual(JSON.parse(content[0].text), disk);
    const away = await client.callTool({ name: 'disk_space', arguments: { path: '/nowhere' } });
    assert.deepEqual([away.isError, away.content[0].text], [true, 'No such path.']);
    const { contents } = await client.readResource({ uri: 'computer://load' });
    assert.match(contents[0].text, /^\d+\.\d\d \d+\.\d\d \d+\.\d\d$/);
    const { messages } = await client.getPrompt({ name: 'diagnose', arguments: { symptom: 'It is slow.' } });
    assert.equal(messages[0].content.text, 'It is slow.');
    await client.close();
  });

  // @spec S-01
  test('http_server lets all read the board, and those pin notes who may', async () => {
    const bench = await Bench.start({ serve: false, config: { servers: undefined } });
    const serve = async (changes, use) => {
      const server = bench.server = await Program.start(programs.http_server, [bench.writeConfig(changes)], { env: installed.env });
      const { client } = await connect(new URL(server.info.url).origin, new Provider(bench.users.reader));
      await use(client, (name, args = {}) => client.callTool({ name, arguments: args }));
      await client.close();
      return server;
    };
    try {
      const first = await serve({}, async (client, call) => {
        assert.deepEqual((await client.listTools()).tools.map(({ name }) => name), ['read_board']);
        assert.equal((await call('read_board')).content[0].text, 'There is nothing on it.');
        await assert.rejects(call('pin', { text: 'x' }), { code: 403 });
      });
      assert.equal((await first.stop()).code, 0, 'with keys that it made itself');
      const second = await serve({ open_scopes: ['board.write'] }, async (client, call) => {
        for (const text of ['one', 'two']) assert.ok(!(await call('pin', { text })).isError);
        assert.equal((await call('pin', { text: '' })).isError, true);
        assert.deepEqual((await call('read_board')).content.map(({ text }) => text), ['one', 'two']);
      });
      await second.says(new RegExp(`: ${bench.users.reader.id} of [0-9a-f-]{36} pinned a note`));
    } finally {
      await bench.stop();
    }
  });

  // The page for who writes a server: its program, and all that it shows in C.
  test('docs/mcp-server.md builds, and its program greets over stdio and signed in', async () => {
    const page = readFileSync(path.join(ROOT, 'docs/mcp-server.md'), 'utf8');
    const blocks = [...page.matchAll(/^```c\n([^]*?)^```$/gm)].map(([, text]) => text);
    assert.ok(blocks.length > 3);
    writeFileSync(installed.path('hello.c'), blocks[0]);
    writeFileSync(installed.path('page.c'), blocks.join(''));
    const hello = installed.build(installed.path('hello.c'));
    installed.compile('cc', ['-std=c11', '-Wno-unused-function', '-fsyntax-only', ...installed.pkgConfig('--cflags')], installed.path('page.c'));
    const header = readFileSync(path.join(ROOT, 'include/valet/mcp.h'), 'utf8');
    for (const [name] of page.matchAll(/\bvalet_mcp_\w+(?=\(\)|\b(?!\())|\bVALET_MCP_\w+/g)) assert.match(header, new RegExp(`\\b${name}\\b`));

    const greets = async (client) => {
      const call = (args) => client.callTool({ name: 'greet', arguments: args });
      assert.equal((await call({ name: 'Ada' })).content[0].text, 'Hello, Ada!');
      assert.equal((await call({})).isError, true);
      await client.close();
    };
    const client = new Client({ name: 'e2e', version: '1' });
    await client.connect(new StdioClientTransport({ command: hello, env: installed.env }));
    await greets(client);
    // As the page's configuration has it, but for ports and paths.
    const bench = await Bench.start({ serve: false, config: { servers: undefined } });
    const server = spawn(hello, [bench.writeConfig()], { env: installed.env });
    const ended = once(server, 'close');
    try {
      const url = await new Promise((resolve) => {
        let text = '';
        server.stderr.on('data', (data) => {
          const [, found] = /^serving at (\S+)$/m.exec(text += data) ?? [];
          if (found) resolve(found);
        });
      });
      await greets((await connect(new URL(url).origin, new Provider(bench.users.reader))).client);
      server.kill();
      assert.deepEqual(await ended, [0, null]);
    } finally {
      server.kill();
      await bench.stop();
    }
  });

  const settings = (app, extra) => ({ ...installed.env, HOME: installed.folder, VALET_TENANT: standIn.tenants[0].id,
    VALET_AUTHORITY: standIn.base, VALET_CLIENT_ID: standIn.apps[app].id, ...extra });
  const start = (name, args, app, extra) => {
    const program = { child: spawn(programs[name], args, { env: settings(app, extra) }), stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr']) program.child[stream].on('data', (d) => { program[stream] += d; });
    program.exited = once(program.child, 'close').then(([code]) => code);
    // What it has said, once it is this.
    program.says = async (stream, pattern) => {
      for (; !pattern.test(program[stream]); await once(program.child[stream], 'data', { signal: AbortSignal.timeout(20000) }));
      return pattern.exec(program[stream]);
    };
    return program;
  };

  describe('acquire_token', () => {
    const acquire = (extra) => start('acquire_token', [standIn.apps.api.scope], 'public', extra);
    // The other device.
    const approve = async (url, code, { username, password }) => {
      const page = await (await new Browser().open(url)).follow();
      const asked = await (await page.submit({ otc: code })).submit({ username, password });
      await asked.submit({ choice: 'continue' });
    };

    test('signs a person in by a code, and is silent from then on', async () => {
      const { reader } = standIn.users;
      const cache = { VALET_CACHE_FILE: installed.path('cache') };
      await standIn.emul('settings', { device_interval: 1 });
      const first = acquire(cache);
      const [, url, code] = await first.says('stderr', /open (\S+) on any device and type (\S+)\n/);
      await approve(url, code, reader);
      assert.equal(await first.exited, 0, first.stderr);
      assert.match(first.stderr, new RegExp(`a token of ${reader.username}, from device_code\\n$`));
      const second = acquire(cache);
      assert.equal(await second.exited, 0, second.stderr);
      assert.equal(second.stderr, `a token of ${reader.username}, from cache\n`);
      assert.equal(second.stdout, first.stdout);
      const { status, stdout } = spawnSync(programs.validate_token, { input: first.stdout, encoding: 'utf8',
        env: settings('public', { VALET_AUDIENCE: standIn.apps.api.id }) });
      assert.deepEqual([status, stdout.split(' by ')[0]], [0, `person ${reader.id} of tenant ${reader.tenant}`]);
    });
    test('says what is wrong, and what to do', async () => {
      const unset = acquire({ VALET_CLIENT_ID: undefined });
      assert.equal(await unset.exited, 2);
      assert.match(unset.stderr, /^settings: /);
      const unknown = acquire({ VALET_CLIENT_ID: standIn.tenants[1].id });
      assert.equal(await unknown.exited, 1);
      assert.match(unknown.stderr, /AADSTS700016.*; next: ask_an_administrator\n$/);
      assert.equal(unset.stdout + unknown.stdout, '');
    });
  });

  describe('daemon', () => {
    const SCOPE = 'https://graph.microsoft.com/.default';
    const keep = (name, pem) => {
      const file = installed.path(name);
      writeFileSync(file, pem, { mode: 0o600 });
      return { VALET_CERTIFICATE_FILE: file };
    };
    const certificate = async (app) => {
      const { certificate: pem, key } = JSON.parse((await standIn.emul('certificate', { app })).text);
      return keep(`${app}.pem`, pem + key);
    };

    test('works round after round with one token, and ends on SIGTERM', async () => {
      const daemon = start('daemon', [SCOPE, '10'], 'daemon', await certificate('daemon'));
      await daemon.says('stdout', /^work for \S+, token from app\n(work for \S+, token from cache\n){2}/);
      daemon.child.kill('SIGTERM');
      assert.equal(await daemon.exited, 0, daemon.stderr);
      assert.equal(daemon.stderr, '');
    });
    test('gives up when asking again does not help', async () => {
      const stranger = start('daemon', [SCOPE, '10'], 'daemon', await certificate('web'));
      assert.equal(await stranger.exited, 1);
      assert.match(stranger.stderr, /next: ask_an_administrator\n$/);
      const none = start('daemon', [SCOPE], 'daemon');
      assert.equal(await none.exited, 2);
      assert.match(none.stderr, /^settings: /);
    });
  });
});
