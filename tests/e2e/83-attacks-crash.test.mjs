// Chain 9: what is malformed, abrupt, slow or too much. Nothing of it is
// answered as if it were good, and the server lives, leaks nothing and ends
// cleanly. The sanitizer build (VALET_BIN) makes this test see more.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import net from 'node:net';
import { after, before, describe, test } from 'node:test';
import { Bench } from './lib/valet.mjs';
import { ROOMY, ask, exchange, rawRequest } from './lib/attack.mjs';
import { bodies, broken, smuggling } from './lib/malformed.mjs';

let bench, admin;
before(async () => {
  bench = await Bench.start({ config: ROOMY });
  admin = await bench.signedIn();
  await admin.mcp.tool('getUserDetails');
});
after(() => bench.stop());

const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
const bytesOf = (text) => Buffer.from(text.replaceAll('PORT', String(bench.port)), 'latin1');
const mcpHead = (more = []) => ['Content-Type: application/json', `Authorization: Bearer ${admin.tokens.access_token}`,
  `Mcp-Session-Id: ${admin.mcp.session}`, ...more];
// The server forbids dumps, so root alone may count its files; for others the
// count is the kernel's list of connections to its port.
const fdsOf = (server) => {
  try {
    return readdirSync(`/proc/${server.pid}/fd`).length;
  } catch (error) {
    assert.equal(error.code, 'EACCES');
    const hex = Number(new URL(server.info.url).port).toString(16).toUpperCase().padStart(4, '0');
    return readFileSync('/proc/net/tcp', 'utf8').split('\n').map((l) => l.trim().split(/\s+/))
      .filter((c) => c[1]?.endsWith(`:${hex}`) && c[3] === '01').length;
  }
};

async function assertLives(at = bench) {
  assert.equal(at.server.child.exitCode, null, at.server.stderr);
  assert.equal((await ask(at.port, { path: '/jwks' })).status, 200);
}

// Polls until `value()` is at most `most`; sockets take a moment to go.
async function assertFalls(value, most, what) {
  for (const end = Date.now() + 20000; value() > most; await sleep(100))
    assert.ok(Date.now() < end, `${what}: ${value()} instead of ${most}`);
}

describe('chain 9: malformed', () => {
  for (const [name, text] of Object.entries(smuggling))
    // @spec S-63 D3
    test(`S-63 chain 9: ${name} is 400, the connection ends, and nothing behind it is answered`, async () => {
      const { answers, closed } = await exchange(bench.port, bytesOf(text), { limit: 2500, quiet: 2000 });
      assert.equal(answers.length, 1, answers.map((a) => a.raw).join('---'));
      assert.equal(answers[0].status, 400, answers[0].raw);
      assert.match(answers[0].head, /^connection: close$/im);
      assert.ok(closed, 'the connection is closed');
      await assertLives();
    });

  for (const [name, text] of Object.entries(broken))
    // @spec W-04 S-63
    test(`W-04 chain 9: ${name} is not answered 2xx, and the server lives`, async () => {
      const { answers, closed } = await exchange(bench.port, bytesOf(text), { limit: 2500, quiet: 2000, end: true });
      for (const { status, raw } of answers) assert.ok(status >= 400 && status < 600, raw);
      assert.ok(answers.length <= 1 && closed);
      await assertLives();
    });

  for (const [name, body] of Object.entries(bodies))
    // @spec W-04 HT-05
    test(`W-04 HT-05 chain 9: a body that is ${name} is refused, and the session lives`, async () => {
      const head = rawRequest(bench.port, { method: 'POST', headers: [...mcpHead(), `Content-Length: ${Buffer.byteLength(body)}`, 'Connection: close'] });
      const { answers } = await exchange(bench.port, Buffer.concat([Buffer.from(head), Buffer.from(body)]));
      assert.equal(answers.length, 1);
      const { status, body: text, raw } = answers[0];
      assert.ok(status === 400 || (status === 200 && JSON.parse(text).error), raw.slice(0, 600));
      const error = JSON.parse(text).error;
      assert.ok([-32700, -32600, -32602].includes(error.code), raw.slice(0, 600));
      assert.ok(error.message.length < 200);
      assert.deepEqual((await admin.mcp.call('ping')).result, {});
    });

  test('HT-05: ids come back as they were sent, and too large a body is refused', async () => {
    for (const id of [0, 1, -1, 2 ** 53 - 1, '', '1', 'é"\\\n', 'x'.repeat(500)])
      assert.strictEqual(JSON.parse((await admin.mcp.post({ jsonrpc: '2.0', id, method: 'ping' })).text).id, id);
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping', params: { x: 'a'.repeat(1024 * 1024) } });
    const { answers } = await exchange(bench.port, rawRequest(bench.port, { method: 'POST', headers: mcpHead(), body }));
    assert.equal(answers[0].status, 413);
    await assertLives();
  });

  // @spec W-04
  test('W-04: messages before, without and after a session are refused one by one', async () => {
    for (const headers of [mcpHead().slice(0, 2), [...mcpHead().slice(0, 2), 'Mcp-Session-Id: '], [...mcpHead().slice(0, 2), `Mcp-Session-Id: ${'x'.repeat(5000)}`],
      [...mcpHead(), 'MCP-Protocol-Version: 1999-01-01'], [...mcpHead(), 'MCP-Protocol-Version: x', 'MCP-Protocol-Version: 2025-11-25']])
      for (const method of ['POST', 'DELETE']) {
        const body = method === 'POST' ? '{"jsonrpc":"2.0","id":1,"method":"tools/list"}' : '';
        const { status, raw } = await ask(bench.port, { method, headers, body });
        assert.ok(status === 400 || status === 404, raw);
      }
    assert.deepEqual((await admin.mcp.call('ping')).result, {}, 'the session is untouched');
  });
});

describe('chain 9: abrupt', () => {
  // A small generator with a seed: what failed can be played again.
  const generator = (seed) => () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };

  const requests = () => {
    const rpc = (method, params) => JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
    const mcp = (body, more) => rawRequest(bench.port, { method: 'POST', headers: mcpHead(more), body });
    const chunked = rawRequest(bench.port, { method: 'POST', headers: [...mcpHead(), 'Transfer-Encoding: chunked'] }) +
      `2e\r\n${'{"jsonrpc":"2.0","id":1,"method":"tools/list"}'}\r\n0\r\n\r\n`;
    return [
      mcp(rpc('tools/call', { name: 'getUserDetails', arguments: {} })),
      mcp(rpc('tools/call', { name: 'getUserDetails', arguments: {}, _meta: { progressToken: 1 } }), ['Accept: text/event-stream']),
      mcp(rpc('tools/list')).repeat(5), chunked,
      rawRequest(bench.port, { method: 'POST', body: rpc('ping') }),
      rawRequest(bench.port, { headers: [...mcpHead().filter((h) => !/^accept/i.test(h)), 'Accept: text/event-stream'] }),
      rawRequest(bench.port, { path: '/sse', headers: [`Authorization: Bearer ${admin.tokens.access_token}`, 'Accept: text/event-stream'] }).repeat(2),
      rawRequest(bench.port, { method: 'POST', path: `/message?sessionId=${admin.mcp.session}`, headers: mcpHead(), body: rpc('ping') }),
      rawRequest(bench.port, { method: 'POST', path: '/token', headers: ['Content-Type: application/x-www-form-urlencoded'],
        body: `grant_type=refresh_token&client_id=${admin.client.id}&refresh_token=mvrt_x` }),
      rawRequest(bench.port, { path: new URL(admin.client.authorizeUrl()).pathname + new URL(admin.client.authorizeUrl()).search }),
      rawRequest(bench.port, { path: '/.well-known/oauth-authorization-server' }).repeat(20),
      rawRequest(bench.port, { method: 'POST', path: '/register', headers: ['Content-Type: application/json'], body: '{"client_name":"x","redirect_uris":["http://localhost/"]}' }),
    ].map((text) => Buffer.from(text));
  };

  // Sends a random part in random pieces, waits a little or not, and goes:
  // politely, by closing one side, or with a reset.
  const disconnect = (bytes, random) => new Promise((resolve) => {
    const socket = net.connect({ port: bench.port, host: '127.0.0.1', noDelay: true });
    const whole = random() < 0.4;
    const cut = whole ? bytes.length : Math.floor(random() * bytes.length);
    const first = Math.floor(random() * cut);
    const [way, wait, reads] = [random(), random() < 0.5 ? 0 : random() * 15, random() < 0.5];
    socket.on('error', () => {});
    socket.on('close', resolve);
    if (reads) socket.resume();
    socket.on('connect', () => {
      socket.write(bytes.subarray(0, first));
      socket.write(bytes.subarray(first, cut));
      setTimeout(() => {
        if (way < 0.4) socket.resetAndDestroy();
        else if (way < 0.8) socket.destroy();
        else { socket.resume(); socket.end(); setTimeout(() => socket.destroy(), 50); }
      }, wait);
    });
  });

  // @spec W-03 W-04
  const DISCONNECTS = Number(process.env.VALET_DISCONNECTS ?? 1000);
  test(`W-03 chain 9: after ${DISCONNECTS} disconnects at random points the server answers and has no file open more`, async () => {
    const seed = Number(process.env.VALET_SEED ?? Date.now() % 1e9);
    try {
      const random = generator(seed);
      const all = requests();
      // What is kept open to the tenant is there before the count.
      await Promise.all(Array.from({ length: 20 }, () => disconnect(all[0], () => 0.39)));
      await sleep(500);
      const before_ = fdsOf(bench.server);
      for (let round = 0; round < DISCONNECTS / 20; round++)
        await Promise.all(Array.from({ length: 20 }, () => disconnect(all[Math.floor(random() * all.length)], random)));
      await assertFalls(() => fdsOf(bench.server), before_, 'open files');
      assert.deepEqual((await admin.mcp.call('ping')).result, {});
      assert.ok((await admin.mcp.tool('getUserDetails')).result.structuredContent);
      await assertLives();
    } catch (error) {
      error.message += `\nVALET_SEED=${seed} plays it again\n${bench.server.stderr}`;
      throw error;
    }
  });

  // @spec W-03 S-64
  test('S-64 chain 9: two hundred half requests do not keep others waiting', async () => {
    const before_ = fdsOf(bench.server);
    const slow = Array.from({ length: 200 }, (_, i) => {
      const socket = net.connect({ port: bench.port, host: '127.0.0.1' });
      socket.on('error', () => {});
      socket.write(i % 2 ? 'GET /jwks HTTP/1.1\r\nHost: loc' : `POST /mcp HTTP/1.1\r\nHost: localhost:${bench.port}\r\nContent-Length: 100\r\n\r\n{`);
      return socket;
    });
    const drip = setInterval(() => slow.forEach((s) => s.writable && s.write('a')), 500);
    try {
      await assertFalls(() => before_ + 150 - fdsOf(bench.server), 0, 'half requests that are missing');
      for (let i = 0; i < 20; i++) assert.ok((await admin.mcp.tool('getUserDetails')).result.structuredContent);
    } finally {
      clearInterval(drip);
      slow.forEach((s) => s.destroy());
    }
    await assertFalls(() => fdsOf(bench.server), before_, 'open files');
  });

  test('S-64 chain 9: a request that drips for ever is cut off', async () => {
    const socket = net.connect({ port: bench.port, host: '127.0.0.1' });
    const ended = new Promise((r) => socket.on('close', () => r(true)));
    socket.on('error', () => {});
    socket.resume();
    socket.write(`GET /jwks HTTP/1.1\r\nHost: localhost:${bench.port}\r\nX: `);
    const drip = setInterval(() => socket.writable && socket.write('a'), 300);
    const late = sleep(40000).then(() => false);
    assert.ok(await Promise.race([ended, late]), 'not within forty seconds');
    clearInterval(drip);
    socket.destroy();
  });
});

describe('chain 9: too much', () => {
  // @spec S-64 W-29
  test('S-64 W-29: two thousand connections above the limit are refused at once; those within work, and room comes back', async () => {
    const small = await Bench.start({ config: { ...ROOMY, limits: { connections: 100, connections_per_address: 100 } } });
    try {
      // Every worker has a file of its own from its first connection on.
      await Promise.all(Array.from({ length: 40 }, () => ask(small.port, { path: '/jwks' })));
      const before_ = fdsOf(small.server);
      const sockets = [];
      const said = new Set();
      let refused = 0;
      for (let i = 0; i < 2100; i++) {
        const socket = net.connect({ port: small.port, host: '127.0.0.1' });
        sockets.push(socket);
        let text = '';
        socket.on('data', (d) => { text += d; });
        socket.on('error', () => {});
        socket.on('close', () => { refused++; if (text) said.add(text.slice(0, 13)); });
        if (i % 100 === 99) await sleep(10);
      }
      await assertFalls(() => 2000 - refused, 0, 'refusals that are missing');
      await sleep(200);
      assert.equal(refused, 2000, 'the first hundred stay');
      assert.deepEqual([...said], ['HTTP/1.1 503 ']);
      const alive = sockets.find((s) => !s.destroyed && s.writable);
      const answer = new Promise((r) => alive.once('data', (d) => r(String(d))));
      alive.write(rawRequest(small.port, { path: '/jwks' }));
      assert.match(await answer, /^HTTP\/1\.1 200 /);
      sockets.forEach((s) => s.destroy());
      await assertFalls(() => fdsOf(small.server), before_, 'open files');
      await assertLives(small);
      const { code } = await small.server.stop();
      assert.equal(code, 0, small.server.stderr);
    } finally {
      await small.stop();
    }
  });

  test("S-64: the refusal of one connection does not get into another one's answer", async () => {
    const small = await Bench.start({ config: { ...ROOMY, limits: { connections: 1, connections_per_address: 1 } } });
    try {
      const good = net.connect({ port: small.port, host: '127.0.0.1' });
      await new Promise((r) => good.once('connect', r));
      await sleep(100);
      const { answers } = await exchange(small.port, rawRequest(small.port, { path: '/jwks' }));
      assert.ok(answers.every((a) => a.status === 503));
      const answer = new Promise((r) => good.once('data', (d) => r(String(d))));
      good.write(rawRequest(small.port, { path: '/jwks' }));
      assert.match(await answer, /^HTTP\/1\.1 200 /);
      good.destroy();
    } finally {
      await small.stop();
    }
  });

  test('one address cannot take what belongs to others', async () => {
    const small = await Bench.start({ config: { ...ROOMY, listen: 'localhost:0', limits: { connections: 100, connections_per_address: 20 } } });
    try {
      const sockets = Array.from({ length: 60 }, () => net.connect({ port: small.port, host: '127.0.0.1' }).on('error', () => {}));
      await sleep(500);
      const other = net.connect({ port: small.port, host: '127.0.0.1', localAddress: '127.0.0.2' });
      const answer = new Promise((r, fail) => other.once('data', (d) => r(String(d))).once('error', fail));
      other.write(rawRequest(small.port, { path: '/jwks' }));
      assert.match(await answer, /^HTTP\/1\.1 200 /);
      [...sockets, other].forEach((s) => s.destroy());
    } finally {
      await small.stop();
    }
  });
});

// Last: all of the above behind it, the server ends as it should. Of the
// sanitizer build this is also the report of leaks.
test('W-03 chain 9: SIGTERM after all this is 0, with nothing to say', async () => {
  const running = sleep(0).then(() => admin.mcp.tool('getUserDetails'));
  await running;
  const { code, signal } = await bench.server.stop();
  assert.deepEqual([code, signal], [0, null], bench.server.stderr);
  assert.doesNotMatch(bench.server.stderr, /Sanitizer|runtime error/);
  const lines = readFileSync(bench.auditFile, 'utf8').trimEnd().split('\n');
  for (const line of lines) JSON.parse(line);
});
