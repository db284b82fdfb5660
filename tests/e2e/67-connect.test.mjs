// mcp-valet connect: every stdio client of both SDKs reaches remote servers of
// every kind.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Browser } from './lib/browser.mjs';
import { Client } from './lib/client.mjs';
import { EVERYTHING } from './lib/conformance.mjs';
import { Desk } from './lib/desk.mjs';
import { does, LIMIT } from './lib/does.mjs';
import { oneEra } from './lib/one-era.mjs';
import { SdkServer } from './lib/sdk-server.mjs';
import { KINDS, Talker } from './lib/talker.mjs';
import { Bench, describeTenant, isSanitized, Program, runToEnd, VALET } from './lib/valet.mjs';

const STDIO = Object.keys(KINDS).filter((name) => !KINDS[name].path);
const talk = (name, url, ...args) => Talker.overStdio(name, VALET, ['connect', url, '--no-cache', ...args]);

function reaches(what, { names = STDIO, place = '/mcp', era, isOlder }) {
  describe(what, () => {
    const at = { isShared: true, isOlder, talkers: [] };
    let server, front;
    before(async () => {
      server = await Program.start(EVERYTHING, ['--http', '127.0.0.1:0']);
      let { href } = new URL(place, server.info.url);
      if (era) {
        front = await oneEra(era, href);
        href = front.url;
      }
      at.talkers = await Promise.all(names.map((name) => talk(name, href)));
    }, LIMIT);
    after(async () => {
      await Promise.all(at.talkers.map((talker) => talker.close()));
      front?.stop();
      await server.stop();
    });
    does(at);
  });
}

reaches('a server of both eras', {});
reaches('a server of the older transport', { names: STDIO.slice(0, 2), place: '/sse' });
reaches('a server of the older era alone', { era: 'legacy', isOlder: true });
reaches('a server of the older transport, in the newer era', { names: STDIO.slice(2), place: '/sse', isOlder: true });
reaches('a server of 2026-07-28 alone', { era: 'modern' });

async function talkFrom(desk, name, url, ...args) {
  const talker = await Talker.overStdio(name, VALET, ['connect', url, '--cache-file', desk.cache, ...args], desk.env);
  assert.equal(desk.error, undefined);
  return talker;
}

describe('a server that wants a sign-in', () => {
  let server, desk, url;
  before(async () => {
    server = await Program.start(VALET, ['serve', '--dev', '--listen', '127.0.0.1:0']);
    url = new URL('/mcp', server.info.url).href;
    desk = new Desk();
  }, LIMIT);
  after(async () => {
    desk.stop();
    await server.stop();
  });
  const asks = async (name) => {
    const talker = await talkFrom(desk, name, url);
    assert.match(await talker.ask('getUserDetails'), /admin/i);
    await talker.close();
  };

  test('is asked by a person once, and then silently, by whatever process', LIMIT, async () => {
    await asks('SDK v1');
    assert.equal(desk.opened.length, 1);
    for (const name of STDIO) await asks(name);
    assert.equal(desk.opened.length, 1);
  });

  test('is signed in to again when it was forgotten', LIMIT, async () => {
    const args = ['connect', url, '--cache-file', desk.cache, '--forget'];
    const end = await runToEnd(VALET, args, { env: desk.env });
    assert.deepEqual([end.code, end.stdout], [0, ''], end.stderr);
    assert.equal((await runToEnd(VALET, args, { env: desk.env })).code, 1);
    await asks('SDK v2, pinned');
    assert.equal(desk.opened.length, 2);
  });

  test('is signed in to beforehand at a shell, for the clients that come later', LIMIT, async () => {
    const before = desk.opened.length, args = ['connect', url, '--cache-file', desk.cache];
    await runToEnd(VALET, [...args, '--forget'], { env: desk.env });
    const first = await runToEnd(VALET, [...args, '--sign-in'], { env: desk.env });
    assert.deepEqual([first.code, first.stdout], [0, `Signed in to ${url}.\n`], first.stderr);
    assert.match(first.stderr, /http:\/\/127\.0\.0\.1:\d+\//);
    const again = await runToEnd(VALET, [...args, '--sign-in'], { env: desk.env });
    assert.deepEqual([again.code, again.stdout, again.stderr], [0, `Signed in to ${url} already.\n`, '']);
    await asks('SDK v1');
    assert.equal(desk.opened.length, before + 1);
  });

  test('is not said to be signed in to when the person says no, or it could not be kept', LIMIT, async () => {
    const opened = desk.opened.length, args = ['connect', url, '--sign-in', '--cache-file'];
    const nowhere = await runToEnd(VALET, [...args, '/nowhere/cache'], { env: desk.env });
    assert.deepEqual([nowhere.code, nowhere.stdout], [1, ''], nowhere.stderr);
    assert.match(nowhere.stderr, /^mcp-valet: .*\/nowhere/);
    assert.equal(desk.opened.length, opened);
    const { signIn } = desk;
    desk.signIn = async (address) => {
      const page = await (await new Browser().open(address)).follow();
      await (await page.submit({ decision: 'deny' })).follow();
    };
    const no = await runToEnd(VALET, [...args, `${desk.cache}-of-another`], { env: desk.env });
    desk.signIn = signIn;
    assert.deepEqual([no.code, no.stdout], [1, ''], no.stderr);
    assert.match(no.stderr, /access_denied/);
  });

  // Where there is no person.
  test('takes a token that was given, in a file or in a variable, and nobody is asked', LIMIT, async () => {
    const before = desk.opened.length;
    const { access_token: token } = await new Client(new URL(url).origin).login(describeTenant().users.reader);
    const file = path.join(desk.home, 'token');
    writeFileSync(file, `${token}\n`, { mode: 0o600 });
    for (const [args, env] of [[['--token-file', file], {}], [['--token-env', 'GIVEN'], { GIVEN: token }]]) {
      const talker = await Talker.overStdio('SDK v1', VALET, ['connect', url, ...args], { ...desk.env, ...env });
      assert.match(await talker.ask('getUserDetails'), /reader/i);
      await talker.close();
    }
    assert.equal(desk.opened.length, before);
    await assert.rejects(Talker.overStdio('SDK v1', VALET, ['connect', url, '--token-env', 'GIVEN'], { ...desk.env, GIVEN: 'no-token' }),
      /refuses the token that was given/);
  });

  test('is told how to keep the sign-in where there is no Secret Service', LIMIT, async () => {
    const env = { ...desk.env, DBUS_SESSION_BUS_ADDRESS: '', XDG_RUNTIME_DIR: '' };
    await assert.rejects(Talker.overStdio('SDK v1', VALET, ['connect', url], env), /--cache-file FILE/);
  });
});

// Tokens, registration and session are worth nothing any more.
describe('a server that has lost its memory', () => {
  test('is signed in to again, once, and clients that were connected go on', LIMIT, async () => {
    const bench = await Bench.start();
    const desk = new Desk();
    try {
      const url = `${bench.url}/mcp`;
      const talkers = [await talkFrom(desk, 'SDK v1', url), await talkFrom(desk, 'SDK v2, pinned', url)];
      for (const talker of talkers) assert.match(await talker.ask('getUserDetails'), /admin/i);
      assert.equal(desk.opened.length, 1);
      await bench.server.stop();
      for (const file of readdirSync(bench.folder)) if (file.startsWith('store.db')) rmSync(bench.path(file));
      await bench.serve();
      assert.equal(`${bench.url}/mcp`, url);
      for (const text of await Promise.all(talkers.map((talker) => talker.ask('getUserDetails')))) assert.match(text, /admin/i);
      assert.equal(desk.opened.length, 2);
      for (const talker of talkers) await talker.close();
    } finally {
      desk.stop();
      await bench.stop();
    }
  });
});

describe('a server that is not there', () => {
  test('is told to the person who wants to sign in to it', LIMIT, async () => {
    const end = await runToEnd(VALET, ['connect', 'http://127.0.0.1:9/mcp', '--sign-in', '--cache-file', '/nowhere/cache']);
    assert.deepEqual([end.code, end.stdout], [1, ''], end.stderr);
    assert.match(end.stderr, /127\.0\.0\.1/);
  });

  test('is told to the client in an answer, and the client may ask again', LIMIT, async () => {
    await Promise.all(STDIO.map((name) =>
      assert.rejects(talk(name, 'http://127.0.0.1:9/mcp'), name === 'SDK v2, pinned' ? /did not offer/ : /127\.0\.0\.1|reach|connect/i)));
  });
});

describe('a server that wants no sign-in', () => {
  test('is said to want none, whatever it speaks', LIMIT, async () => {
    const server = await Program.start(EVERYTHING, ['--http', '127.0.0.1:0']);
    const front = await oneEra('modern', new URL('/mcp', server.info.url).href);
    try {
      for (const url of [new URL('/mcp', server.info.url).href, new URL('/sse', server.info.url).href, front.url]) {
        const end = await runToEnd(VALET, ['connect', url, '--sign-in', '--cache-file', '/nowhere/cache']);
        assert.deepEqual([end.code, end.stdout, end.stderr], [0, `${url} wants no sign-in.\n`, '']);
      }
    } finally {
      front.stop();
      await server.stop();
    }
  });
});

describe('a server of the SDK that knows only the older era', () => {
  let server;
  before(async () => { server = await SdkServer.start(); });
  after(() => server.stop());

  for (const place of ['/mcp', '/sse'])
    test(`answers, and asks, at ${place}`, LIMIT, async () => {
      await Promise.all(STDIO.map(async (name) => {
        const talker = await talk(name, server.origin + place);
        assert.equal(await talker.ask('greet', { name }), `Hello, ${name}!`);
        assert.equal(await talker.ask('ask'), `accept ${name}`);
        await talker.close();
      }));
    });

  // @spec HT-31 HT-32
  test('may forget a session, which is begun again; it is ended at the end', LIMIT, async () => {
    const talkers = await Promise.all(STDIO.map((name) => talk(name, `${server.origin}/mcp`)));
    for (let i = 0; i < 2; i++) {
      server.forget();
      await Promise.all(talkers.map(async (talker) => {
        const words = await Promise.all([1, 2, 3].map((n) => talker.ask('greet', { name: `${n}` })));
        assert.deepEqual(words, ['Hello, 1!', 'Hello, 2!', 'Hello, 3!']);
      }));
    }
    const before = server.deleted;
    await Promise.all(talkers.map((talker) => talker.close()));
    assert.equal(server.deleted, before + talkers.length);
  });
});

describe('its life', () => {
  let server, url;
  before(async () => {
    server = await Program.start(EVERYTHING, ['--http', '127.0.0.1:0']);
    url = new URL('/mcp', server.info.url).href;
  }, LIMIT);
  after(() => server.stop());
  const say = (program, message) => program.child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  // With a call under way.
  const begin = async () => {
    const program = Program.start(VALET, ['connect', url, '--no-cache'], { ready: false });
    program.child.stdin.on('error', () => {});
    say(program, {
      id: 0, method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'e2e', version: '1' } },
    });
    for (let i = 0; !program.stdout; i++) {
      assert.ok(i < 500, program.stderr);
      await new Promise((r) => { setTimeout(r, 10); });
    }
    say(program, { method: 'notifications/initialized' });
    say(program, { id: 1, method: 'tools/call', params: { name: 'slow_compute', arguments: { seconds: 60 } } });
    await new Promise((r) => { setTimeout(r, 100); });
    return program;
  };

  // @spec ST-06
  for (const [what, end] of [
    ['its input ends', (program) => program.child.stdin.end()],
    ['it gets SIGTERM', (program) => program.child.kill('SIGTERM')],
    ['it gets SIGINT', (program) => program.child.kill('SIGINT')],
    ['nobody reads it any more', (program) => {
      program.child.stdout.destroy();
      say(program, { id: 2, method: 'ping' });
    }]])
    test(`ends with 0 when ${what}, whatever is under way`, LIMIT, async () => {
      const program = await begin(), most = isSanitized(program.pid) ? 4000 : 1500, began = Date.now();
      end(program);
      assert.deepEqual(await program.exited, { code: 0, signal: null }, program.stderr);
      assert.ok(Date.now() - began < most, `${Date.now() - began} ms`);
      assert.equal(program.stderr, '');
      for (const line of program.stdout.split('\n').slice(0, -1)) assert.equal(JSON.parse(line).jsonrpc, '2.0');
    });

  // @spec CL-16 CL-17
  test('a given token is sent, from a file or a variable, and no other is asked for', LIMIT, async () => {
    const seen = [], folder = mkdtempSync(path.join(os.tmpdir(), 'valet-connect-')), file = path.join(folder, 'token');
    const wall = http.createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
    });
    await new Promise((resolve) => { wall.listen(0, '127.0.0.1', resolve); });
    writeFileSync(file, 'token-of-a-file\n', { mode: 0o600 });
    try {
      for (const [args, env, token] of [
        [['--token-file', file], {}, 'token-of-a-file'],
        [['--token-env', 'A_TOKEN'], { A_TOKEN: 'token-of-a-variable' }, 'token-of-a-variable']]) {
        seen.length = 0;
        const there = `http://127.0.0.1:${wall.address().port}/mcp`;
        await assert.rejects(Talker.overStdio('SDK v1', VALET, ['connect', there, ...args], env), (error) => {
          assert.doesNotMatch(error.message, /token-of/);
          return true;
        });
        assert.deepEqual(new Set(seen), new Set([`Bearer ${token}`]));
      }
    } finally {
      rmSync(folder, { recursive: true });
      wall.closeAllConnections();
      wall.close();
    }
  });
});
