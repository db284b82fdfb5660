// mcp-valet connect, when things go wrong: the server is killed under calls and
// subscriptions, and comes back without its sessions; the client does not read.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { EVERYTHING } from './lib/conformance.mjs';
import { LIMIT } from './lib/does.mjs';
import { Program, VALET } from './lib/valet.mjs';

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
  'io.modelcontextprotocol/clientInfo': { name: 'e2e', version: '1' },
};

// A client that shows each line.
class Client {
  constructor(url, isModern = false) {
    this.isModern = isModern;
    this.child = spawn(VALET, ['connect', url, '--no-cache', '--quiet'], { stdio: ['pipe', 'pipe', 'ignore'] });
    this.got = [];
    let rest = '';
    this.child.stdout.on('data', (data) => {
      const lines = (rest + data).split('\n');
      rest = lines.pop();
      this.got.push(...lines.map((line) => JSON.parse(line)));
    });
    this.ended = new Promise((resolve) => this.child.on('exit', resolve));
  }

  send(message) { this.child.stdin.write(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\n'); }

  request(id, method, params = {}) { this.send({ id, method, params: { ...params, ...(this.isModern && { _meta: META }) } }); }

  async heard(is, ms = 15000) {
    for (const end = Date.now() + ms; Date.now() < end; await sleep(20)) {
      const found = this.got.find(is);
      if (found) return found;
    }
    throw new Error(`not heard: ${is}`);
  }

  async ask(id, method, params) {
    this.request(id, method, params);
    const { result, error } = await this.heard((m) => m.id === id && !m.method);
    assert.equal(error, undefined, JSON.stringify(error));
    return result;
  }

  async begin() {
    if (this.isModern) return this.ask(0, 'server/discover');
    // All at once, as a script does.
    this.request(0, 'initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'e2e', version: '1' } });
    this.send({ method: 'notifications/initialized' });
    return this.heard((m) => m.id === 0);
  }

  get rss() { return +/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${this.child.pid}/status`, 'utf8'))[1]; }

  stop() { this.child.stdin.end(); return this.ended; }
}

const WATCHED = 'test://watched-resource';

for (const [what, path, isModern] of [['2025-11-25', '/mcp', false], ['2026-07-28', '/mcp', true],
  ['HTTP+SSE', '/sse', false], ['HTTP+SSE for a client of 2026-07-28', '/sse', true]])
  test(`a server that is killed and comes back: ${what}`, LIMIT, async (t) => {
    let server = await Program.start(EVERYTHING, ['--http', '127.0.0.1:0']);
    const { port } = new URL(server.info.url);
    const client = new Client(`http://127.0.0.1:${port}${path}`, isModern);
    t.after(() => { client.child.kill(); server.child.kill(); });
    await client.begin();
    if (isModern) {
      client.request('l', 'subscriptions/listen', { notifications: { resourceSubscriptions: [WATCHED] } });
      await client.heard((m) => m.method === 'notifications/subscriptions/acknowledged');
    } else {
      await client.ask('s', 'resources/subscribe', { uri: WATCHED });
    }
    const calls = Array.from({ length: 16 }, (_, i) => i + 1);
    for (const id of calls) client.request(id, 'tools/call', { name: 'test_tool_with_progress', arguments: {} });
    await sleep(30);
    server.child.kill('SIGKILL');
    await server.exited;
    for (const id of calls) await client.heard((m) => m.id === id && !m.method);
    await sleep(500);
    server = await Program.start(EVERYTHING, ['--http', `127.0.0.1:${port}`]);
    // Nobody asks: the bridge has to notice by itself.
    await sleep(5000);
    const second = new Client(`http://127.0.0.1:${port}/mcp`);
    await second.begin();
    await second.ask(1, 'tools/call', { name: 'test_trigger_resource_update', arguments: {} });
    await client.heard((m) => m.method === 'notifications/resources/updated' && m.params.uri === WATCHED);
    await client.ask(100, 'tools/call', { name: 'test_simple_text', arguments: {} });
    for (const id of calls) assert.equal(client.got.filter((m) => m.id === id && !m.method).length, 1);
    await Promise.all([client.stop(), second.stop()]);
    await server.stop();
  });

describe('a client that does not read', () => {
  let server;
  const big = 'x'.repeat(1 << 18);
  before(async () => {
    server = http.createServer(async (request, response) => {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      const { id, method } = JSON.parse(Buffer.concat(chunks).toString() || '{}');
      if (method !== 'tools/call') {
        response.writeHead(id === undefined ? 202 : 200, { 'content-type': 'application/json' });
        response.end(id === undefined ? '' : JSON.stringify({ jsonrpc: '2.0', id, result: { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 's', version: '1' } } }));
        return;
      }
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const event = (message) => `data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`;
      for (let i = 0; i < 64 && !response.destroyed; i++)
        if (!response.write(event({ method: 'notifications/message', params: { level: 'info', data: big } })))
          await new Promise((resolve) => { response.once('drain', resolve); response.once('close', resolve); });
      response.end(event({ id, result: { content: [] } }));
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  after(() => { server.closeAllConnections(); server.close(); });

  test('costs no memory, and gets all in the end', LIMIT, async (t) => {
    const client = new Client(`http://127.0.0.1:${server.address().port}/mcp`);
    t.after(() => client.child.kill());
    await client.begin();
    const rss = client.rss;
    client.child.stdout.pause();
    for (const id of [1, 2, 3]) client.request(id, 'tools/call', { name: 'x' });
    for (let i = 0; i < 5000; i++) client.request(`p${i}`, 'ping');
    await sleep(2000);
    assert.ok(client.rss < rss + 16 * 1024, `${client.rss} kB, ${rss} before`);
    client.child.stdout.resume();
    for (const id of [1, 2, 3, 'p4999']) await client.heard((m) => m.id === id && !m.method, 30000);
    assert.equal(client.got.filter((m) => m.method === 'notifications/message').length, 3 * 64);
    await client.stop();
  });
});
