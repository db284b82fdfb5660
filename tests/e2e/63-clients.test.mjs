// The official SDKs, v1 and v2, in both eras and over all transports, at once
// against one server written with valet/mcp.h (examples/everything.c). Every
// client does all there is to do; what it gets is the same.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { EVERYTHING } from './lib/conformance.mjs';
import { does, LIMIT } from './lib/does.mjs';
import { Provider } from './lib/sdk.mjs';
import { KINDS, Talker } from './lib/talker.mjs';
import { Bench, isSanitized, Program } from './lib/valet.mjs';

const quiet = async (server) => {
  assert.deepEqual(await server.stop(), { code: 0, signal: null }, server.stderr);
  assert.doesNotMatch(server.stderr, /Sanitizer|runtime error:/);
};

describe('without sign-in, every client', () => {
  const at = { isShared: true, talkers: [] };
  let server;
  before(async () => {
    server = await Program.start(EVERYTHING, ['--http', '127.0.0.1:0']);
    const { origin } = new URL(server.info.url);
    at.talkers = await Promise.all(Object.keys(KINDS).map((name) => Talker.overHttp(name, origin)));
  }, LIMIT);
  after(async () => {
    await Promise.all(at.talkers.map((talker) => talker.close()));
    await quiet(server);
  });
  does(at);
});

describe('with sign-in, every client', () => {
  const at = { isShared: true, talkers: [] };
  let bench;
  before(async () => {
    bench = await Bench.start({ serve: false, config: { servers: undefined } });
    bench.server = await Program.start(EVERYTHING, ['--config', bench.writeConfig()]);
    const { origin } = new URL(bench.server.info.url);
    const users = Object.values(bench.users);
    at.talkers = await Promise.all(Object.keys(KINDS)
      .map((name, i) => Talker.overHttp(name, origin, new Provider(users[i % users.length]))));
  }, LIMIT);
  after(async () => {
    await Promise.all(at.talkers.map((talker) => talker.close()));
    await bench.stop();
  });
  does(at);

  test('is named in the audit trail, with what it took back', async () => {
    const hit = await bench.audit((line) => line.event === 'tool.cancel' && line.tool === 'slow_compute');
    assert.match(hit.user, /^[0-9a-f-]{36}$/);
    const users = new Set((await bench.audit()).filter((line) => line.event === 'tool.end').map((line) => line.user));
    assert.equal(users.size, 3);
  });
});

describe('over stdio, every client', () => {
  const at = { isShared: false, talkers: [] };
  before(async () => {
    const names = Object.keys(KINDS).filter((name) => !KINDS[name].path);
    at.talkers = await Promise.all(names.map((name) => Talker.overStdio(name, EVERYTHING)));
  }, LIMIT);
  does(at);

  // @spec ST-06
  test('lets go, and the server it started ends within a second', LIMIT, async () => {
    await Promise.all(at.talkers.map(async (talker) => {
      const { pid } = talker, ms = isSanitized(pid) ? 4000 : 1000, began = Date.now();
      await talker.close();
      assert.ok(Date.now() - began < ms, `${talker.name}: ${Date.now() - began} ms`);
      assert.throws(() => readFileSync(`/proc/${pid}/status`));
    }));
  });
});
