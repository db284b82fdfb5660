// Event streams: HTTP+SSE (2024-11-05) with the real SDK and byte by byte,
// GET streams and lost streams of Streamable HTTP, what ends them, and who may
// not use them.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { hangUp, request } from './lib/browser.mjs';
import { Mcp } from './lib/client.mjs';
import { EventStream, SseMcp } from './lib/events.mjs';
import { writeCrowd } from './lib/crowd.mjs';
import { Provider, connect, connectSse } from './lib/sdk.mjs';
import { Bench, residentOf } from './lib/valet.mjs';

const revoke = (bench, client, token) => request(`${bench.url}/revoke`, {
  method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: `client_id=${client.id}&token=${token}`,
});
const bearer = (token) => ({ authorization: `Bearer ${token}` });
const streamOf = (bench, { tokens, mcp }, headers = {}) => EventStream.open(`${bench.url}/mcp`, {
  headers: { ...bearer(tokens.access_token), 'mcp-session-id': mcp.session, 'mcp-protocol-version': '2025-11-25', ...headers },
});

const MANY = { connections: 10000, connections_per_address: 10000 };
const ROOMY = { dynamic: true, per_address_per_hour: 10000 };

let bench;
before(async () => { bench = await Bench.start({ config: { limits: MANY, registration: ROOMY } }); });
after(() => bench.stop());

describe('HTTP+SSE', () => {
  for (const name of ['admin', 'reader', 'bengali'])
    test(`the SDK’s SSE client signs ${name} in and getUserDetails answers with the profile`, async () => {
      const user = bench.users[name];
      const { client } = await connectSse(bench.url, new Provider(user));
      assert.deepEqual((await client.listTools()).tools.map((t) => t.name), ['getUserDetails']);
      const result = await client.callTool({ name: 'getUserDetails', arguments: {} });
      assert.ok(!result.isError, JSON.stringify(result));
      assert.equal(result.structuredContent.displayName, user.display_name);
      await client.close();
    });

  test('several clients at once each get their own answers', async () => {
    const clients = await Promise.all(Object.values(bench.users).map(async (user) => ({ user, ...await connectSse(bench.url, new Provider(user)) })));
    await Promise.all(clients.flatMap(({ user, client }) => Array.from({ length: 10 }, async () => {
      const result = await client.callTool({ name: 'getUserDetails', arguments: {} });
      assert.equal(result.structuredContent.userPrincipalName, user.username);
    })));
    for (const { client } of clients) await client.close();
  });

  // @spec S-67 S-68 HT-07 HT-08 HT-09
  test('begins with the endpoint event, accepts with 202, answers on the stream', async () => {
    const { tokens } = await bench.signedIn();
    const sse = await new SseMcp(bench.url, tokens.access_token).open();
    assert.equal(sse.stream.headers['content-type'], 'text/event-stream');
    assert.equal(sse.stream.headers['cache-control'], 'no-store');
    assert.equal(sse.stream.headers['x-accel-buffering'], 'no');
    assert.match(sse.path, /^\/message\?sessionId=[A-Za-z0-9_-]{43}[0-9a-f]{2}$/);
    const welcome = await sse.call('initialize', { protocolVersion: '2024-11-05', capabilities: {}, clientInfo: { name: 't', version: '1' } });
    assert.equal(welcome.result.protocolVersion, '2024-11-05');
    assert.equal(await sse.post({ jsonrpc: '2.0', method: 'notifications/initialized' }), 202);
    const { result } = await sse.call('tools/call', { name: 'getUserDetails', arguments: {} });
    assert.match(result.content[0].text, /^User Details/);
    assert.equal(result.structuredContent, undefined, 'that revision does not know it');
    assert.equal(await sse.post('{'), 400);
    assert.equal(await sse.post('[]'), 400);
    assert.equal(await sse.post('x'.repeat(1100000)), 413);
    await sse.stream.cut();
    await bench.audit((l) => l.event === 'session.close' && l.reason === 'client_gone');
    assert.equal(await sse.post({ jsonrpc: '2.0', id: 9, method: 'ping' }), 404);
  });

  // @spec RS-06: a client checks that the document names the URL it was given.
  test('is a name of the first server: /sse has a document of its own, and a token for it is one for /mcp', async () => {
    const answer = await request(`${bench.url}/sse`, { headers: { accept: 'text/event-stream' } });
    assert.equal(answer.status, 401);
    const where = /resource_metadata="([^"]+)"/.exec(answer.headers['www-authenticate'])[1];
    assert.equal(JSON.parse((await request(where)).text).resource, `${bench.url}/sse`);
    const post = await request(`${bench.url}/message?sessionId=x`, { method: 'POST', body: '{}' });
    assert.ok(post.headers['www-authenticate'].includes(`resource_metadata="${where}"`), 'the same for /message');
    const client = bench.client({ path: '/sse' });
    const { access_token } = await client.login(bench.users.reader);
    await new Mcp(`${bench.url}/mcp`, access_token).open();
    const foreign = await bench.client({ path: '/sse2' }).register();
    const page = await request(foreign.authorizeUrl());
    assert.match(page.headers.location ?? page.text, /invalid_target/);
  });

  test('refuses other methods, and a reader of something else', async () => {
    const { tokens } = await bench.signedIn();
    const ask = (path, method, headers = {}) => request(bench.url + path, { method, headers: { ...bearer(tokens.access_token), ...headers }, body: method === 'POST' ? '{}' : undefined });
    assert.equal((await ask('/sse', 'POST')).status, 405);
    assert.equal((await ask('/message?sessionId=x', 'GET')).status, 405);
    assert.equal((await ask('/sse', 'GET', { accept: 'text/html' })).status, 406);
    assert.equal((await ask('/message?sessionId=x', 'POST', { 'content-type': 'application/json' })).status, 404);
    assert.equal((await ask('/message', 'POST', { 'content-type': 'application/json' })).status, 400);
    assert.equal((await ask('/message?sessionId=x', 'POST')).status, 415);
  });
});

describe('chain 1: one person’s stream is nobody else’s', () => {
  // @spec W-01
  test('W-01 chain 1: ten thousand interleaved calls of two people, and no foreign byte', async () => {
    const people = await Promise.all(['admin', 'reader'].map(async (name) => {
      const { tokens } = await bench.signedIn(bench.users[name]);
      const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
      return { name, agent, sse: await new SseMcp(bench.url, tokens.access_token).open(), user: bench.users[name], sent: 0 };
    }));
    const CALLS = 5000, AT_ONCE = 8;
    await Promise.all(people.flatMap((p) => Array.from({ length: AT_ONCE }, async () => {
      while (p.sent < CALLS) {
        const n = p.sent++;
        const profile = n % 100 === 0;
        const message = { jsonrpc: '2.0', id: `${p.name}-${n}`, method: profile ? 'tools/call' : 'ping', ...(profile && { params: { name: 'getUserDetails' } }) };
        assert.equal(await p.sse.post(message, { agent: p.agent }), 202);
      }
    })));
    for (const p of people) {
      await p.sse.stream.find(() => p.sse.stream.events.length >= CALLS + 1);
      const answers = p.sse.stream.events.slice(1).map((e) => JSON.parse(e.data));
      assert.equal(new Set(answers.map((a) => a.id)).size, CALLS, 'every call was answered once');
      assert.equal(answers.length, CALLS);
      for (const a of answers) {
        assert.ok(a.id.startsWith(`${p.name}-`), `a foreign answer: ${a.id}`);
        if (a.result.structuredContent) assert.equal(a.result.structuredContent.userPrincipalName, p.user.username);
      }
      await p.sse.stream.cut();
      p.agent.destroy();
    }
  });

  // @spec W-02 S-68
  test('W-02 chain 1: a message for somebody else’s stream is 404 like for one that does not exist, and an audit line', async () => {
    const alice = await bench.signedIn(bench.users.admin), mallory = await bench.signedIn(bench.users.reader);
    const sameUser = await bench.signedIn(bench.users.admin);
    const sse = await new SseMcp(bench.url, alice.tokens.access_token).open();
    const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'getUserDetails' } };
    const forged = sse.path.replace(/.{4}(..)$/, 'AAAA$1');
    for (const { tokens } of [mallory, sameUser]) {
      assert.equal(await sse.post(call, { token: tokens.access_token }), 404);
      assert.equal(await sse.post(call, { token: tokens.access_token, path: forged }), 404);
    }
    assert.equal(await sse.post(call, { token: 'x' }), 401);
    const attempts = (await bench.audit()).filter((l) => l.event === 'session.hijack_attempt');
    assert.ok(attempts.some((l) => l.reason === 'not_the_owner' && l.user !== undefined), JSON.stringify(attempts));
    assert.equal(sse.stream.events.length, 1, 'nothing came on the stream');
    // And nobody reads along: another's GET with her session's id.
    assert.equal((await streamOf(bench, { tokens: mallory.tokens, mcp: alice.mcp })).status, 404);
    await sse.stream.cut();
  });
});

describe('a stream of Streamable HTTP', () => {
  // @spec HT-21 HT-22 HT-27
  test('is opened by GET, begins with an event to come back with, and carries no answers', async () => {
    const who = await bench.signedIn();
    const stream = await streamOf(bench, who);
    assert.equal(stream.status, 200);
    assert.deepEqual(await stream.find((e) => e.id), { id: '0-1', data: '' });
    assert.ok((await who.mcp.tool('getUserDetails')).result.structuredContent);
    assert.equal(stream.events.length, 1);
    await stream.cut();
    assert.ok((await who.mcp.tool('getUserDetails')).result.structuredContent, 'the session outlives its stream');
  });

  // @spec HT-20 HT-26
  test('of a call that takes long can be lost and found: the answer is there', async () => {
    const who = await bench.signedIn();
    const fault = { where: 'graph', delay_ms: 4000 };
    await request(`${bench.tenant.info.authority}/_emul/faults`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(fault) });
    const lost = await EventStream.open(`${bench.url}/mcp`, {
      method: 'POST',
      headers: { ...bearer(who.tokens.access_token), 'mcp-session-id': who.mcp.session, 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 77, method: 'tools/call', params: { name: 'getUserDetails' } }),
    });
    const { id } = await lost.find((e) => e.id);
    await lost.cut();
    const found = await streamOf(bench, who, { 'last-event-id': id });
    const event = await found.find((e) => e.event === 'message');
    assert.equal(JSON.parse(event.data).id, 77);
    assert.ok(JSON.parse(event.data).result.structuredContent);
    await found.endsWithin(5000);
    // Once more, and by nobody else.
    const again = await streamOf(bench, who, { 'last-event-id': id });
    assert.deepEqual(await again.find((e) => e.event === 'message'), event);
    const mallory = await bench.signedIn(bench.users.reader);
    assert.equal((await streamOf(bench, { tokens: mallory.tokens, mcp: who.mcp }, { 'last-event-id': id })).status, 404);
    const own = await streamOf(bench, mallory, { 'last-event-id': id });
    await own.endsWithin(5000);
    assert.deepEqual([own.status, own.events], [204, []], 'numbers are of a session'); // 204: do not come back
    assert.equal((await streamOf(bench, who, { 'last-event-id': 'x' })).status, 400);
  });
});

// @spec HT-26: readers come back for as long as they are let.
test('the SDK asks for a GET stream once, also after a call that was taken back', async () => {
  const own = await Bench.start();
  try {
    let gets = 0;
    const counting = (url, init) => { gets += (init?.method ?? 'GET') === 'GET' && String(url).endsWith('/mcp'); return fetch(url, init); };
    const { client } = await connect(own.url, new Provider(own.users.admin), { fetch: counting });
    await client.listTools();
    await request(`${own.tenant.info.authority}/_emul/faults`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ where: 'graph', delay_ms: 5000 }) });
    const taken = new AbortController();
    setTimeout(() => taken.abort(), 3500);
    await assert.rejects(client.callTool({ name: 'getUserDetails', arguments: {} }, undefined, { signal: taken.signal }));
    await new Promise((r) => setTimeout(r, 6000));
    // The session's own stream; once more for the call's; and perhaps the first again.
    assert.ok(gets <= 4, `${gets} GETs in ten seconds`);
    await client.close();
  } finally {
    await own.stop();
  }
});

describe('an open stream', () => {
  // @spec W-11 S-14
  test('ends with its token family, within two seconds of the revocation', async () => {
    const who = await bench.signedIn(), other = await bench.signedIn();
    const sse = await new SseMcp(bench.url, who.tokens.access_token).open();
    const get = await streamOf(bench, who), others = await streamOf(bench, other);
    assert.equal((await revoke(bench, who.client, who.tokens.refresh_token)).status, 200);
    await Promise.all([sse.stream.endsWithin(2000), get.endsWithin(2000)]);
    assert.ok(!others.isOver);
    await bench.audit((l) => l.event === 'session.close' && l.reason === 'family_end');
    await others.cut();
  });

  test('ends when its token expires; a newer token of the family prolongs it', async () => {
    const short = await Bench.start({ config: { tokens: { access_lifetime: '3s' } } });
    try {
      const who = await short.signedIn();
      const get = await streamOf(short, who);
      const sse = await new SseMcp(short.url, who.tokens.access_token).open();
      await new Promise((r) => setTimeout(r, 1500));
      sse.token = JSON.parse((await who.client.refresh(who.tokens.refresh_token)).text).access_token;
      assert.ok((await sse.call('tools/list')).result.tools);
      await get.endsWithin(3000);
      assert.ok(!sse.stream.isOver, 'it was prolonged');
      await sse.stream.endsWithin(4000);
      await short.audit((l) => l.event === 'session.close' && l.reason === 'token_expire');
    } finally {
      await short.stop();
    }
  });

  test('does not hold up the end of the server', async () => {
    const own = await Bench.start();
    const who = await own.signedIn();
    const get = await streamOf(own, who);
    const sse = await new SseMcp(own.url, who.tokens.access_token).open();
    const begun = Date.now();
    assert.equal((await own.server.stop()).code, 0);
    await Promise.all([get.ended, sse.stream.ended]);
    assert.ok(Date.now() - begun < 5000, 'the drain did not wait for them');
    await own.stop();
  });
});

// @spec S-67: what a reader leaves lying is bounded, and holds up nobody else.
test('a stream that is not read takes no more messages until it is read again', async () => {
  const who = await bench.signedIn(), other = await bench.signedIn();
  const sse = await new SseMcp(bench.url, who.tokens.access_token).open();
  const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
  sse.stream.answer.pause();
  const resident = () => residentOf(bench.server.pid);
  const before = resident();
  const message = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
  let status = 202, sent = 0;
  while (status === 202 && sent < 40000) {
    const statuses = await Promise.all(Array.from({ length: 40 }, () => sse.post(message, { agent })));
    status = statuses.find((s) => s !== 202) ?? 202;
    sent += 40;
  }
  assert.equal(status, 503, `after ${sent} messages`);
  assert.ok(resident() - before < 20000, `${resident() - before} kB more`);
  assert.ok((await other.mcp.tool('getUserDetails')).result.structuredContent, 'others are served');
  sse.stream.answer.resume();
  await sse.stream.find(() => sse.stream.events.length > 100);
  agent.destroy();
  await sse.stream.cut();
});

// One person may not have so many sessions.
async function crowded(count, t) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'valet-crowd-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const crowd = writeCrowd(path.join(folder, 'people.yaml'), count);
  const bench = await Bench.start({ tenantArgs: ['--data', path.join(folder, 'people.yaml')], config: { limits: MANY, registration: ROOMY } });
  t.after(() => bench.stop());
  return Object.assign(bench, { crowd });
}

// @spec W-03 S-67
test('five thousand streams, half of them cut at random: nothing is left behind', async (t) => {
  const COUNT = 5000, GROUP = 100, PEOPLE = 12;
  const bench = await crowded(PEOPLE, t);
  const files = () => readdirSync(`/proc/${bench.server.pid}/fd`).length;
  // Kept connections to the stand-in are no leak: there are at most so many.
  const atRest = files() + 16;
  const streams = [];
  // One client may have a hundred sessions of a user.
  for (let i = 0; i < COUNT / GROUP; i++) {
    const { tokens } = await bench.signedIn(bench.crowd[i % PEOPLE]);
    streams.push(...await Promise.all(Array.from({ length: GROUP }, () => new SseMcp(bench.url, tokens.access_token).open())));
  }
  hangUp(); // connections of the sign-ins
  assert.ok(files() >= COUNT);
  const cut = streams.filter(() => Math.random() < 0.5);
  await Promise.all(cut.map((s) => s.stream.cut()));
  const left = streams.filter((s) => !cut.includes(s));
  for (let tries = 0; files() > atRest + left.length && tries < 100; tries++) await new Promise((r) => setTimeout(r, 100));
  assert.ok(files() <= atRest + left.length, `${files()} files, ${atRest} at rest, ${left.length} streams`);
  const tried = left.filter((_, i) => i % 50 === 0);
  await Promise.all(tried.map(async (s) => assert.ok((await s.call('ping')).result)));
  for (const s of cut.slice(0, 20)) assert.equal(await s.post({ jsonrpc: '2.0', id: 1, method: 'ping' }), 404);
  await Promise.all(left.map((s) => s.stream.cut()));
  for (let tries = 0; files() > atRest && tries < 100; tries++) await new Promise((r) => setTimeout(r, 100));
  assert.ok(files() <= atRest, `${files()} files, before ${atRest}`);
  const lines = readFileSync(bench.auditFile, 'utf8').split('\n').filter((l) => l.includes('"session.'));
  const count = (event) => lines.filter((l) => JSON.parse(l).event === event).length;
  const open = count('session.open') - count('session.close');
  assert.ok(open >= 0 && open < 200, `${open} sessions are open`);
});
