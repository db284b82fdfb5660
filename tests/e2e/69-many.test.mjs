// Many processes of a person at once, and processes that are killed at any
// moment: one sign-in serves all, nothing hangs, nothing is left behind, and
// standard output has whole lines.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { EVERYTHING } from './lib/conformance.mjs';
import { Desk } from './lib/desk.mjs';
import { Stdio } from './lib/stdio.mjs';
import { Bench, Program } from './lib/valet.mjs';

const LIMIT = { timeout: 120000 };
const EIGHT = Array.from({ length: 8 }, (_, i) => i);
const pause = (ms) => new Promise((r) => setTimeout(r, ms));

describe('eight that connect at once', () => {
  let bench, desk, args;
  before(async () => {
    bench = await Bench.start({ config: { tokens: { access_lifetime: '8s' } } });
    desk = new Desk();
    args = ['connect', `${bench.url}/mcp`, '--cache-file', desk.cache];
  }, LIMIT);
  after(async () => {
    desk?.stop();
    await bench?.stop();
  });
  const count = async (event) => (await bench.audit()).filter((line) => line.event === event && line.outcome !== 'refused').length;

  test('have one window, one registration, one sign-in, and one refresh for each end of a token', LIMIT, async () => {
    const all = EIGHT.map(() => new Stdio(args, desk.env));
    await Promise.all(all.map((one) => one.open()));
    for (const one of all)
      assert.match(JSON.stringify(await one.call('getUserDetails')), /admin/i);
    assert.equal(desk.opened.length, 1);
    assert.equal(await count('client.register'), 1);
    assert.equal(await count('code.redeem'), 1);
    // Two ends of the token later, asked by all of them all the time.
    const begin = await count('token.refresh');
    const end = Date.now() + 17000;
    while (Date.now() < end) {
      await Promise.all(all.map((one) => one.call('getUserDetails')));
      await pause(250);
    }
    const refreshes = await count('token.refresh') - begin;
    assert.ok(refreshes >= 2 && refreshes <= 3, `${refreshes} refreshes`);
    assert.equal(await count('token.reuse'), 0);
    assert.equal(desk.opened.length, 1);
    for (const one of all) assert.equal((await one.close()).code, 0);
  });
});

// What a process has started, and what is left of it.
const childrenOf = (pid) => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
const statusOf = (pid) => { try { return readFileSync(`/proc/${pid}/status`, 'utf8'); } catch { return ''; } };
const isZombie = (pid) => /^State:\s*Z/m.test(statusOf(pid));
const isChildOf = (pid, parent) => new RegExp(`^PPid:\\s*${parent}$`, 'm').test(statusOf(pid));
// One that ended without its parent is for the system's first process to take.
const isThere = (pid) => existsSync(`/proc/${pid}`) && !(isZombie(pid) && isChildOf(pid, 1));

describe('whoever is killed at any moment', () => {
  const TIMES = 500;
  let server;
  before(async () => { server = await Program.start(EVERYTHING, ['--http', '127.0.0.1:0']); }, LIMIT);
  after(async () => { await server.stop(); });

  const kinds = {
    connect: (url = server.info.url) => ['connect', new URL('/mcp', url).href, '--no-cache', '--quiet'],
    stdio: () => ['stdio', '--consent', 'never'],
    'the gate': () => ['stdio', '--consent', 'never', '--', EVERYTHING],
  };
  const tools = { connect: 'test_simple_text', stdio: 'GetUserDetailsFromGraph', 'the gate': 'test_simple_text' };
  // Who dies: the program itself, its client (in one of three ways), or the
  // server behind it, which is a child or, behind connect, on its own.
  const ways = {
    kill: (one) => one.child.kill('SIGKILL'),
    term: (one) => one.child.kill('SIGTERM'),
    eof: (one) => one.child.stdin.end(),
    deaf: (one) => one.child.stdout.destroy(),
    gone: (one) => { one.child.stdin.destroy(); one.child.stdout.destroy(); },
    behind: (one, remote) => {
      const [child] = childrenOf(one.child.pid);
      if (remote) remote.child.kill('SIGKILL');
      else if (child) process.kill(child, 'SIGKILL');
      else one.child.stdin.end();
    },
  };

  async function once(kind, way, random) {
    const remote = kind === 'connect' && way === 'behind' ? await Program.start(EVERYTHING, ['--http', '127.0.0.1:0']) : undefined;
    const one = new Stdio(kinds[kind](remote?.info.url), { MCP_VALET_CACHE_FILE: '/nonexistent/cache' });
    const busy = (async () => {
      await one.open();
      for (;;) {
        await one.ask('tools/list', {});
        await one.ask('tools/call', { name: tools[kind], arguments: {} });
      }
    })();
    busy.catch(() => {});
    await pause(random * 60);
    let children = [];
    try { children = childrenOf(one.child.pid); } catch { /* it is gone already */ }
    try { ways[way](one, remote); } catch { /* likewise */ }
    // A client that only stopped reading is noticed at the next message.
    if (way === 'deaf') one.send({ id: 'more', method: 'ping' });
    if (way === 'deaf') setTimeout(() => one.child.stdin.end(), 300);
    if (way === 'behind') setTimeout(() => one.child.stdin.end(), 50);
    await one.ends(way);
    await remote?.stop();
    if (way !== 'deaf' && way !== 'gone' && way !== 'kill') assert.equal(one.text, '', `half a line on standard output: ${one.text}`);
    for (const end = Date.now() + 5000; children.some(isThere) && Date.now() < end;) await pause(10);
    assert.deepEqual(children.filter(isThere), [], `${kind} left processes behind after ${way}`);
    assert.doesNotMatch(one.stderr, /Sanitizer|runtime error:/);
  }

  test(`${TIMES} times: no hang, no zombie, no half line`, { timeout: 170000 }, async () => {
    let seed = 20261129;
    const random = () => { seed = (seed * 1103515245 + 12345) % 2 ** 31; return seed / 2 ** 31; };
    const jobs = Array.from({ length: TIMES }, (_, i) =>
      [Object.keys(kinds)[i % 3], Object.keys(ways)[Math.floor(random() * 6)], random()]);
    const worker = async () => {
      for (let job; (job = jobs.pop());) await once(...job);
    };
    await Promise.all(EIGHT.map(worker));
    assert.deepEqual(readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && isChildOf(pid, process.pid) && isZombie(pid)), []);
  });
});
