// One process, several workers: connections are spread over them, sessions
// are reached from everywhere, and an end is heard by all.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { readdirSync, readFileSync } from 'node:fs';
import { hangUp, request } from './lib/browser.mjs';
import { EventStream, SseMcp } from './lib/events.mjs';
import { Bench } from './lib/valet.mjs';

const WORKERS = 4;
const home = (id) => parseInt(id.slice(-2), 16);

let bench;
before(async () => { bench = await Bench.start({ config: { workers: WORKERS, registration: { dynamic: true, per_address_per_hour: 10000 } } }); });
after(() => bench.stop());

// JSON-RPC on a connection of its own, which is kept.
class Wire {
  constructor(token, at = bench) { Object.assign(this, { token, at, agent: new http.Agent({ keepAlive: true, maxSockets: 1 }) }); }

  send(message, { method = 'POST', session = this.session } = {}) {
    return new Promise((resolve, reject) => {
      const req = http.request(`${this.at.url}/mcp`, {
        method, agent: this.agent,
        headers: {
          authorization: `Bearer ${this.token}`, 'content-type': 'application/json', accept: 'application/json, text/event-stream',
          ...(session && { 'mcp-session-id': session }),
        },
      }, (answer) => {
        let text = '';
        answer.on('data', (d) => { text += d; });
        answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, text }));
      });
      req.on('error', reject);
      req.end(message && JSON.stringify(message));
    });
  }

  async open() {
    const answer = await this.send({ jsonrpc: '2.0', id: 0, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } } });
    assert.equal(answer.status, 200, answer.text);
    this.session = answer.headers['mcp-session-id'];
    return this;
  }

  close() { this.agent.destroy(); }
}

const PING = { jsonrpc: '2.0', id: 1, method: 'ping' };

test('as many threads as configured', () => {
  const names = readdirSync(`/proc/${bench.server.pid}/task`).map((tid) => readFileSync(`/proc/${bench.server.pid}/task/${tid}/comm`, 'utf8').trim());
  assert.equal(names.filter((n) => /^worker-/.test(n)).length, WORKERS - 1, `${names}`);
});

test('connections are spread evenly', async () => {
  const { tokens } = await bench.signedIn();
  const wires = await Promise.all(Array.from({ length: 80 }, () => new Wire(tokens.access_token).open()));
  const counts = Array(WORKERS).fill(0);
  for (const wire of wires) counts[home(wire.session)]++;
  assert.ok(Math.min(...counts) >= 80 / WORKERS - 6, `sessions by worker: ${counts}`);
  for (const wire of wires) wire.close();
});

describe('a session', () => {
  test('is reached over connections of every worker, which stay with it', async () => {
    const { tokens } = await bench.signedIn();
    const wires = await Promise.all(Array.from({ length: 16 }, () => new Wire(tokens.access_token).open()));
    for (const wire of wires)
      for (const { session } of wires) {
        const answer = await wire.send(PING, { session });
        assert.equal(answer.status, 200, answer.text);
      }
    const all = await Promise.all(wires.flatMap((wire) => wires.map(({ session }) => wire.send({ jsonrpc: '2.0', id: 2, method: 'tools/list' }, { session }))));
    for (const answer of all) assert.equal(answer.status, 200);
    // A worker that does not exist, and a session that does not.
    const id = wires[0].session;
    assert.equal((await wires[0].send(PING, { session: `${id.slice(0, -2)}3f` })).status, 404);
    assert.equal((await wires[0].send(PING, { session: id.slice(0, -2) + ((home(id) + 1) % WORKERS).toString(16).padStart(2, '0') })).status, 404);
    assert.equal((await wires[0].send(undefined, { method: 'DELETE' })).status, 204);
    for (const wire of wires) assert.equal((await wire.send(PING, { session: id })).status, 404);
    for (const wire of wires) wire.close();
  });

  // @spec W-02
  test('of another worker is still nobody else’s', async () => {
    const alice = await bench.signedIn(bench.users.admin), mallory = await bench.signedIn(bench.users.reader);
    const hers = await Promise.all(Array.from({ length: 8 }, () => new Wire(alice.tokens.access_token).open()));
    const wire = new Wire(mallory.tokens.access_token);
    for (const { session } of hers) assert.equal((await wire.send(PING, { session })).status, 404);
    for (const w of [...hers, wire]) w.close();
  });

  test('of HTTP+SSE takes messages over every connection', async () => {
    const { tokens } = await bench.signedIn();
    const streams = await Promise.all(Array.from({ length: 8 }, () => new SseMcp(bench.url, tokens.access_token).open()));
    assert.ok(new Set(streams.map((s) => home(s.path))).size > 1, 'on several workers');
    await Promise.all(streams.flatMap((s) => Array.from({ length: 20 }, (_, i) => s.call('ping', undefined, `p${i}`))));
    for (const s of streams) await s.stream.cut();
  });
});

// @spec S-14 W-11
test('a revocation reaches every worker within two seconds: tokens, sessions, streams', async () => {
  // A server of its own, whose workers have about as many connections each.
  const own = await Bench.start({ config: { workers: WORKERS } });
  const { client, tokens } = await own.signedIn();
  hangUp();
  const wires = await Promise.all(Array.from({ length: 16 }, () => new Wire(tokens.access_token, own).open()));
  assert.equal(new Set(wires.map((w) => home(w.session))).size, WORKERS, 'all workers know the token');
  const streams = await Promise.all(wires.map((w) => EventStream.open(`${own.url}/mcp`, { headers: { authorization: `Bearer ${tokens.access_token}`, 'mcp-session-id': w.session } })));
  const revoked = await request(`${own.url}/revoke`, {
    method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: `client_id=${client.id}&token=${tokens.refresh_token}`,
  });
  assert.equal(revoked.status, 200);
  const begun = Date.now();
  await Promise.all(streams.map((s) => s.endsWithin(2000)));
  while ((await Promise.all(wires.map((w) => w.send(PING)))).some((a) => a.status !== 401))
    assert.ok(Date.now() - begun < 2000, 'a worker still takes the token');
  for (const w of wires) w.close();
  await own.stop();
});

test('registration and limits are those of all workers together', async () => {
  const own = await Bench.start({ config: { workers: WORKERS, registration: { dynamic: true, per_address_per_hour: 5 } } });
  try {
    const statuses = await Promise.all(Array.from({ length: 20 }, () => request(`${own.url}/register`, {
      method: 'POST', agent: false, headers: { 'content-type': 'application/json', connection: 'close' },
      body: JSON.stringify({ client_name: 'x', redirect_uris: ['http://127.0.0.1/cb'], token_endpoint_auth_method: 'none' }),
    }).then((a) => a.status)));
    assert.equal(statuses.filter((s) => s === 201).length, 5, `${statuses}`);
  } finally {
    await own.stop();
  }
});

// Everything at once; under ThreadSanitizer this is what finds a race.
test('sign-ins, calls, streams, refreshes and revocations on all workers at once', async () => {
  const person = async (i) => {
    const user = Object.values(bench.users)[i % 3];
    const { client, tokens, mcp } = await bench.signedIn(user);
    const sse = await new SseMcp(bench.url, tokens.access_token).open();
    const get = await EventStream.open(`${bench.url}/mcp`, { headers: { authorization: `Bearer ${tokens.access_token}`, 'mcp-session-id': mcp.session } });
    const wires = await Promise.all(Array.from({ length: 3 }, () => new Wire(tokens.access_token).open()));
    const profiles = await Promise.all([mcp.tool('getUserDetails'), sse.call('tools/call', { name: 'getUserDetails' }),
      ...wires.map((w, j) => w.send({ jsonrpc: '2.0', id: 9, method: 'tools/call', params: { name: 'getUserDetails' } }, { session: wires[(j + 1) % 3].session }).then((a) => JSON.parse(a.text)))]);
    for (const { result } of profiles) assert.match(result.content[0].text, new RegExp(user.username));
    const fresh = JSON.parse((await client.refresh(tokens.refresh_token)).text);
    assert.ok((await sse.call('ping', undefined, 'again')).result);
    await request(`${bench.url}/revoke`, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: `client_id=${client.id}&token=${fresh.refresh_token}` });
    await Promise.all([sse.stream.endsWithin(2000), get.endsWithin(2000)]);
    for (const w of wires) w.close();
  };
  for (let round = 0; round < 3; round++) await Promise.all(Array.from({ length: 8 }, (_, i) => person(i)));
});

test('SIGTERM in the middle of calls on all workers ends it with 0', async () => {
  const own = await Bench.start({ config: { workers: WORKERS } });
  const { tokens } = await own.signedIn();
  const streams = await Promise.all(Array.from({ length: 20 }, () => new SseMcp(own.url, tokens.access_token).open()));
  const calls = streams.map((s) => s.call('tools/call', { name: 'getUserDetails', arguments: {} }).catch(() => {}));
  assert.equal((await own.server.stop()).code, 0, own.server.stderr);
  await Promise.all(calls);
  await own.stop();
});

test('SIGTERM and SIGINT at the same moment end it at once, with 0', async () => {
  const own = await Bench.start({ config: { workers: WORKERS } });
  const { tokens } = await own.signedIn();
  await new SseMcp(own.url, tokens.access_token).open();
  for (const signal of ['SIGSTOP', 'SIGTERM', 'SIGINT', 'SIGCONT']) own.server.child.kill(signal);
  assert.equal((await own.server.exited).code, 0, own.server.stderr);
  await own.stop();
});
