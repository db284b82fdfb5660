// Where the secrets of `mcp-valet connect` are, and where they are not; and
// somebody at the files.
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, existsSync, readFileSync, readdirSync, renameSync, statSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Canaries } from './lib/canary.mjs';
import { Connector, pause, Person, refused, Town } from './lib/town.mjs';
import { runToEnd, VALET } from './lib/valet.mjs';

const LIMIT = { timeout: 120000 };

describe('a run in which every secret is known', () => {
  const canaries = new Canaries();
  let town, person, connector, environment, forms = '';
  const clean = (text, what, only) => assert.deepEqual(canaries.find(text, only), [], what);
  before(async () => {
    town = await Town.start({ over: {
      // A refusal of each kind, with the secret in the stranger's own words.
      '/mcp': (ask, at) => (ask.body.includes('"refuse"') ? [500, {}, `${ask.headers.authorization} is not right`]
        : ask.body.includes('"rpc"') ? [200, {}, { jsonrpc: '2.0', id: JSON.parse(ask.body).id, error: { code: -32000, message: 'no' } }] : at.mcp(ask)),
    } });
    town.lifetime = 4;
    person = new Person();
    connector = new Connector(town.url, person);
    assert.ok((await connector.open()).result);
    assert.equal(await connector.hello(), 'hello to you');
    await connector.ask('tools/call', { name: 'rpc', arguments: {} });
    await pause(4500);
    assert.equal(await connector.hello(), 'hello to you'); // renewed
    for (const [text, name] of town.secrets) canaries.add(name, text);
    environment = readdirSync(person.home).filter((name) => /^started\./.test(name)).map((name) => readFileSync(path.join(person.home, name), 'latin1')).join('\n');
    forms = town.log.map(({ body }) => body).join('\n');
  }, LIMIT);
  after(async () => { await connector.close(); await town.stop(); person.stop(); });

  test('it has seen all of them, and the search finds them', () => {
    const names = new Set(canaries.values.values());
    for (const name of ['access token', 'refresh token', 'code', 'verifier', 'state', 'client secret']) assert.ok(names.has(name), name);
    assert.ok(canaries.find(forms).length);
    assert.ok(town.asked('/token').length >= 2);
  });

  // @spec W-61 W-80
  test('W-61 W-80: none is on standard error, nor in what the client is told', () => {
    clean(connector.stderr, 'stderr');
    clean(connector.stdout, 'stdout');
  });

  test('none is in arguments or environment, ours or of what we start; nothing of ours is open there', () => {
    clean(readFileSync(`/proc/${connector.pid}/cmdline`), 'cmdline');
    try {
      clean(readFileSync(`/proc/${connector.pid}/environ`), 'environ');
    } catch (error) { assert.equal(error.code, 'EACCES'); }
    assert.match(environment, /^HOME=/m);
    clean(environment, "the browser's environment");
    clean(person.opened.join('\n'), "the browser's arguments");
    for (const [, fd, to] of environment.matchAll(/ (\d+) -> (.*)$/gm)) if (fd > 2) assert.match(to, /^\/(dev\/null$|proc|tmp.*(xdg-open|started))/, `${fd} is ${to}`);
    assert.match(readFileSync(`/proc/${connector.pid}/limits`, 'utf8'), /^Max core file size\s+0\s+0\s/m);
  });

  // @spec CL-17 CL-18
  test('CL-17: none is in a URL but code and state where the protocol puts them', () => {
    for (const ask of town.log) {
      const url = new URL(ask.target, town.origin);
      if (ask.path === '/authorize') url.searchParams.delete('state');
      clean(url.href, `${ask.method} ${ask.path}`);
      clean(ask.headers.referer ?? '', 'referer');
    }
    for (const page of person.pages) clean(page.text, `a page at ${page.url}`, (name) => name !== 'state');
  });

  // @spec CL-18 W-17
  test('CL-18 W-17: none is in a file in clear, and each file is for its owner alone', () => {
    const names = readdirSync(person.home).filter((name) => name.startsWith('cache'));
    assert.ok(names.includes('cache.connect') && names.includes('cache.connect.key'), names.join());
    for (const name of names) {
      clean(readFileSync(path.join(person.home, name)), name);
      assert.equal(statSync(path.join(person.home, name)).mode & 0o777, 0o600, name);
    }
  });

  test('nor do they go back to the client in what a stranger repeats', async () => {
    const answer = await connector.ask('tools/call', { name: 'refuse', arguments: {} });
    assert.ok(answer.error, JSON.stringify(answer));
    for (const [text, name] of town.secrets) canaries.add(name, text);
    clean(JSON.stringify(answer), 'an answer');
    clean(connector.stderr, 'stderr');
  });
});

describe('what is kept', () => {
  let town;
  before(async () => { town = await Town.start(); });
  after(async () => { await town.stop(); });
  const pages = () => town.asked('/authorize').length;
  async function once(person, options) {
    const connector = new Connector(town.url, person, options);
    try {
      const answer = await connector.open();
      return { answer, said: answer.result && await connector.hello(), stderr: connector.stderr };
    } finally { await connector.close(); }
  }

  test('is of one person: another home signs in by itself, and a file of another is refused', LIMIT, async () => {
    const [alice, bob] = [new Person(), new Person()];
    const from = pages();
    await once(alice);
    await once(bob);
    await once(alice);
    assert.equal(pages() - from, 2);
    const used = new Set(town.asked('/mcp').map((ask) => ask.headers.authorization));
    assert.ok(used.size >= 3, 'two tokens, and none');
    // Bob's document in the place of Alice's; her key does not open it.
    copyFileSync(`${bob.cache}.connect`, `${alice.cache}.connect`);
    const { answer } = await once(alice);
    refused(answer, /changed|another/);
    assert.deepEqual(readFileSync(`${alice.cache}.connect`), readFileSync(`${bob.cache}.connect`), 'nothing was written over');
    assert.equal(pages() - from, 2, 'and nobody was asked');
    [alice, bob].forEach((person) => person.stop());
  });

  test('is not another document with a good seal', LIMIT, async () => {
    const person = new Person();
    await once(person);
    // A document of an older day may be put back: it is the person's own. One
    // of another place of theirs is sealed with another key.
    const env = { MCP_VALET_CACHE_FILE: path.join(person.home, 'other') };
    await once(person, { args: ['--no-cache'], env });
    copyFileSync(`${person.cache}.connect`, path.join(person.home, 'third.connect'));
    copyFileSync(`${person.cache}.connect.key`, path.join(person.home, 'third.connect.key'));
    chmodSync(path.join(person.home, 'third.connect.key'), 0o600);
    const from = pages();
    const third = Object.assign(Object.create(person), { cache: path.join(person.home, 'third') });
    assert.equal((await once(third)).said, 'hello to you');
    assert.equal(pages(), from);
    // Half of it, none of it, one bit of it.
    const whole = readFileSync(`${person.cache}.connect`);
    for (const bad of [whole.subarray(0, whole.length / 2), Buffer.from('{}'), Buffer.from(whole).fill(whole[40] ^ 1, 40, 41), Buffer.alloc(0)]) {
      writeFileSync(`${person.cache}.connect`, bad);
      refused((await once(person)).answer, /changed|another|read/);
      assert.deepEqual(readFileSync(`${person.cache}.connect`), bad);
    }
    assert.equal(pages(), from);
    person.stop();
  });

  test('is refused when others may read or write it, or it is a link', LIMIT, async () => {
    const person = new Person();
    await once(person);
    const from = pages();
    for (const end of ['', '.key', '.lock']) {
      const file = `${person.cache}.connect${end}`;
      chmodSync(file, 0o644);
      refused((await once(person)).answer);
      chmodSync(file, 0o600);
      renameSync(file, `${file}.real`);
      symlinkSync(`${file}.real`, file);
      refused((await once(person)).answer, /link|not a file of ours/);
      unlinkSync(file);
      renameSync(`${file}.real`, file);
    }
    // A link where the turn is taken, to a file that must not be emptied.
    const [turn] = readdirSync(person.home).filter((name) => name.endsWith('.turn'));
    assert.ok(turn);
    const victim = path.join(person.home, 'victim');
    writeFileSync(victim, 'mine', { mode: 0o600 });
    unlinkSync(path.join(person.home, turn));
    symlinkSync(victim, path.join(person.home, turn));
    town.live.clear();
    town.refresh.clear();
    refused((await once(person)).answer, /link/);
    assert.equal(readFileSync(victim, 'utf8'), 'mine');
    assert.equal(pages(), from);
    chmodSync(person.home, 0o777);
    refused((await once(person)).answer, /written by others/);
    chmodSync(person.home, 0o700);
    person.stop();
  });

  test('is noticed to be gone by who runs: forgotten, removed, signed in to anew', LIMIT, async () => {
    const person = new Person();
    const connector = new Connector(town.url, person);
    await connector.open();
    const from = pages();
    assert.equal(await connector.hello(), 'hello to you');
    assert.equal((await runToEnd(VALET, ['connect', town.url, '--cache-file', person.cache, '--forget'], { env: person.env })).code, 0);
    await pause(1500);
    assert.equal(await connector.hello(), 'hello to you');
    assert.equal(pages() - from, 1, 'asked again after it was forgotten');
    for (const name of readdirSync(person.home)) if (/^cache\.connect(\.key)?$/.test(name)) unlinkSync(path.join(person.home, name));
    await pause(1500);
    assert.equal(await connector.hello(), 'hello to you');
    assert.equal(pages() - from, 2, 'asked again after it was removed');
    // Another process signs in as somebody else: from then on it is them.
    await runToEnd(VALET, ['connect', town.url, '--cache-file', person.cache, '--forget'], { env: person.env });
    assert.ok((await once(person)).answer.result);
    await pause(1500);
    const before = pages();
    assert.equal(await connector.hello(), 'hello to you');
    assert.equal(pages(), before);
    assert.equal(town.asked('/mcp').at(-1).headers.authorization, `Bearer ${[...town.live].at(-1)}`);
    await connector.close();
    person.stop();
  });

  test('is nowhere, where there is no keyring: that is said, and nothing stands in for it', LIMIT, async () => {
    const person = new Person();
    const from = pages();
    const { answer } = await once(person, { args: ['--secret-service'] });
    refused(answer, /Secret Service|bus/);
    assert.equal(pages(), from);
    assert.ok(!existsSync(`${person.cache}.connect`));
    person.stop();
  });
});
