// mcp-valet connect: every stdio client of both SDKs reaches remote servers of
// every kind.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { EVERYTHING } from './lib/conformance.mjs';
import { Desk } from './lib/desk.mjs';
import { does, LIMIT } from './lib/does.mjs';
import { oneEra } from './lib/one-era.mjs';
import { KINDS, Talker } from './lib/talker.mjs';
import { Program, runToEnd, VALET } from './lib/valet.mjs';

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
});

describe('a server that is not there', () => {
  test('is told to the client in an answer, and the client may ask again', LIMIT, async () => {
    await Promise.all(STDIO.map((name) =>
      assert.rejects(talk(name, 'http://127.0.0.1:9/mcp'), name === 'SDK v2, pinned' ? /did not offer/ : /127\.0\.0\.1|reach|connect/i)));
  });
});
