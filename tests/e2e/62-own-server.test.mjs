// A program in C with a server of its own (include/valet/mcp.h), served to its
// machine without sign-in, and to everybody who signs in.
import assert from 'node:assert/strict';
import { connect as connectTcp } from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { request } from './lib/browser.mjs';
import { Client as HandClient, Mcp } from './lib/client.mjs';
import { Provider, connect } from './lib/sdk.mjs';
import { Bench, BIN, Program, runToEnd } from './lib/valet.mjs';

const OWN = path.join(BIN, '..', 'e2e', 'own-server');
const CLEAN = { code: 0, signal: null };
const INITIALIZE = JSON.stringify({
  jsonrpc: '2.0', id: 1, method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
});

const local = (...args) => Program.start(OWN, ['local', ...args]);
const refused = async (...args) => {
  const end = await runToEnd(OWN, args);
  assert.deepEqual([end.code, end.stdout], [2, ''], end.stderr);
  return end.stderr;
};
const post = (url, headers = {}, body = INITIALIZE) => request(url, {
  method: 'POST', body,
  headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
});
const textOf = (result) => result.content[0].text;

describe('without sign-in', () => {
  let program, url, port;
  before(async () => {
    program = await local('127.0.0.1:0');
    ({ url } = program.info);
    ({ port } = new URL(url));
  });
  after(() => program.stop());

  for (const [name, Transport, place] of [
    ['Streamable HTTP', StreamableHTTPClientTransport, '/mcp'], ['HTTP+SSE', SSEClientTransport, '/sse']])
    test(`the SDK client calls every tool over ${name}`, async () => {
      const client = new Client({ name: 'e2e', version: '1' });
      await client.connect(new Transport(new URL(place, url)));
      const { tools } = await client.listTools();
      assert.deepEqual(tools.map((t) => t.name), ['greet', 'who', 'read_note', 'read_secret']);
      assert.equal(textOf(await client.callTool({ name: 'greet', arguments: {} })), 'Hello');
      assert.equal(textOf(await client.callTool({ name: 'read_secret', arguments: {} })), 'For admins');
      assert.equal(textOf(await client.callTool({ name: 'who', arguments: {} })), '');
      await client.close();
    });

  // @spec HT-01 SB-14 D21
  for (const [what, headers] of [
    ['a foreign Host', { host: 'evil.example' }],
    ['a rebound name with our port', () => ({ host: `evil.example:${port}` })],
    ['our name with another port', { host: 'localhost:1' }],
    ['a foreign Origin', { origin: 'https://evil.example' }],
    ['an Origin that begins like ours', { origin: 'http://localhost.evil.example' }],
    ['an Origin that hides itself', { origin: 'null', 'sec-fetch-site': 'same-origin' }]])
    test(`${what} is refused, in JSON-RPC and without CORS`, async () => {
      const answer = await post(url, typeof headers === 'function' ? headers() : headers);
      assert.equal(answer.status, 403);
      assert.equal(JSON.parse(answer.text).jsonrpc, '2.0');
      assert.equal(answer.headers['access-control-allow-origin'], undefined);
    });

  test('all three names of the loopback are ours', async () => {
    for (const name of ['localhost', '127.0.0.1', '[::1]'])
      assert.equal((await post(url, { host: `${name}:${port}` })).status, 200, name);
  });

  // @spec HT-02
  test('a page of this machine may call, and its preflight learns which headers', async () => {
    const origin = 'http://localhost:6274';
    const answer = await post(url, { origin });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['access-control-allow-origin'], origin);
    const preflight = await request(url, {
      method: 'OPTIONS',
      headers: {
        origin, 'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type, mcp-param-region, x-other, Mcp-Param-a/b',
      },
    });
    assert.equal(preflight.status, 204);
    assert.match(preflight.headers['access-control-allow-headers'], /mcp-session-id.*, mcp-param-region$/);
  });

  // @spec D17
  test('a path that is not there is 404 with a body of JSON-RPC, which does not mean a lost session', async () => {
    for (const place of ['/', '/mcp/x', '/mcpx', '/.well-known/oauth-protected-resource']) {
      const answer = await post(new URL(place, url).href);
      assert.equal(answer.status, 404, place);
      assert.notEqual(JSON.parse(answer.text).error.code, -32001);
    }
  });

  test('the final slash may be there or not, and a message too large is refused', async () => {
    assert.equal((await post(`${url}/`)).status, 200);
    assert.equal((await post(url, {}, ' '.repeat(1024 * 1024) + INITIALIZE)).status, 413);
    assert.equal((await post(url, {}, ' '.repeat(1000 * 1024) + INITIALIZE)).status, 200);
  });
});

test('another path, IPv6 and localhost are served as they are asked for', async () => {
  const own = await local('[::1]:0', '/tools/v1/');
  assert.match(own.info.url, /^http:\/\/\[::1\]:\d+\/tools\/v1$/);
  const answer = await fetch(own.info.url, {
    method: 'POST', body: INITIALIZE, headers: { 'content-type': 'application/json', accept: 'application/json' },
  });
  assert.equal(answer.status, 200);
  assert.deepEqual(await own.stop(), CLEAN);

  const both = await local('localhost:0');
  const { port } = new URL(both.info.url);
  for (const host of ['127.0.0.1', '[::1]'])
    assert.equal((await fetch(`http://${host}:${port}/sse`, { method: 'DELETE' })).status, 405);
  assert.deepEqual(await both.stop('SIGINT'), CLEAN);
});

test('what others could reach is not served, nor what is taken or no address', async () => {
  assert.match(await refused('local', '0.0.0.0:0'), /^denied: listen names an address that others may reach/);
  assert.match(await refused('local', '[::]:0'), /^denied: /);
  assert.match(await refused('local', 'example.com:80'), /^invalid: listen must be HOST:PORT/);
  assert.match(await refused('local', '127.0.0.1'), /^invalid: listen must/);
  for (const place of ['mcp', '/mcp?x', '/a b', '/sse', '/message/'])
    assert.match(await refused('local', '127.0.0.1:0', place), /^invalid: path is/, place);
  const own = await local('127.0.0.1:0');
  assert.match(await refused('local', new URL(own.info.url).host), /^conflict: /);
  assert.deepEqual(await own.stop(), CLEAN);
});

test('SIGTERM ends open streams and lets go of clients that say nothing', async () => {
  const own = await local('127.0.0.1:0');
  const { port } = new URL(own.info.url);
  const idle = connectTcp(Number(port), '127.0.0.1');
  const mcp = await new Mcp(own.info.url).open();
  const stream = await fetch(own.info.url, { headers: { accept: 'text/event-stream', 'mcp-session-id': mcp.session } });
  assert.equal(stream.status, 200);
  const began = Date.now();
  assert.deepEqual(await own.stop(), CLEAN);
  await stream.text();
  assert.ok(Date.now() - began < 5000, 'it did not wait for the limit');
  idle.destroy();
});

describe('with sign-in', () => {
  let bench, program;
  const config = { servers: undefined, open_scopes: ['notes.read'] };
  before(async () => {
    bench = await Bench.start({ serve: false, config });
    program = bench.server = await Program.start(OWN, ['signed-in', bench.writeConfig()]);
  });
  after(() => bench.stop());
  const base = () => new URL(program.info.url).origin;
  const signedIn = async (user, scope) => {
    const client = await new HandClient(base()).register();
    const back = await client.signIn(user, undefined, { scope });
    const tokens = JSON.parse((await client.redeem(back.get('code'))).text);
    return { tokens, mcp: await new Mcp(program.info.url, tokens.access_token).open() };
  };

  test('the ready line names the server, which answers strangers with a challenge for all its scopes', async () => {
    assert.match(program.info.url, /^http:\/\/localhost:\d+\/mcp$/);
    const answer = await post(program.info.url);
    assert.equal(answer.status, 401);
    assert.match(answer.headers['www-authenticate'], / scope="mcp.tools.read notes.read Mcp.Admin", /);
    assert.equal((await post(`${base()}/graph/mcp`)).status, 404, 'nothing built in is there');
    assert.equal((await post(program.info.url, { host: 'evil.example' })).status, 403);
    assert.equal((await post(program.info.url, { origin: 'https://evil.example' })).status, 403);
  });

  // @spec S-01 S-07
  test('the SDK client calls what its user may, and is refused what the user has no role for', async () => {
    const { client } = await connect(base(), new Provider(bench.users.reader));
    const { tools } = await client.listTools();
    assert.deepEqual(tools.map((t) => t.name), ['greet', 'who', 'read_note']);
    assert.equal(textOf(await client.callTool({ name: 'greet', arguments: {} })), 'Hello');
    assert.equal(textOf(await client.callTool({ name: 'read_note', arguments: {} })), 'A note');
    await assert.rejects(client.callTool({ name: 'read_secret', arguments: {} }), { code: 403 });
    await client.close();
    const denied = await bench.audit((line) => line.event === 'rbac.deny' && line.tool === 'read_secret');
    const ended = await bench.audit((line) => line.event === 'tool.end' && line.tool === 'read_note');
    assert.match(denied.user, /^[0-9a-f-]{36}$/);
    assert.equal(denied.user, ended.user);
  });

  test('the app role opens the tool, and the handler knows who calls', async () => {
    const { client } = await connect(base(), new Provider(bench.users.admin));
    assert.equal(textOf(await client.callTool({ name: 'read_secret', arguments: {} })), 'For admins');
    assert.match(textOf(await client.callTool({ name: 'who', arguments: {} })), /^[0-9a-f-]{36}$/);
    await client.close();
  });

  // @spec RS-11 RS-12
  test('a client gets no more than it asked for; the refusal says what to ask for, whole', async () => {
    const { tokens, mcp } = await signedIn(bench.users.admin, 'mcp.tools.read notes.read');
    assert.equal(tokens.scope, 'mcp.tools.read notes.read');
    const answer = await mcp.post({ jsonrpc: '2.0', id: 9, method: 'tools/call', params: { name: 'read_secret' } });
    assert.equal(answer.status, 403);
    assert.match(answer.headers['www-authenticate'], /error="insufficient_scope", scope="mcp.tools.read Mcp.Admin notes.read"/);
    const more = await signedIn(bench.users.admin, 'mcp.tools.read Mcp.Admin');
    assert.equal(textOf((await more.mcp.tool('read_secret')).result), 'For admins');
  });

  test('a scope without the role is not granted, nor "*", and alone it is no sign-in', async () => {
    const { tokens } = await signedIn(bench.users.reader, 'mcp.tools.read Mcp.Admin notes.read * other');
    assert.equal(tokens.scope, 'mcp.tools.read notes.read');
    const client = await new HandClient(base()).register();
    const back = await client.signIn(bench.users.reader, undefined, { scope: 'Mcp.Admin' });
    assert.equal(back.get('error'), 'access_denied');
    await bench.audit((line) => line.event === 'callback.fail' && line.reason === 'no_role');
  });

  test('SIGHUP opens the audit file anew, SIGTERM ends it', async () => {
    program.child.kill('SIGHUP');
    assert.equal((await post(program.info.url)).status, 401);
    assert.deepEqual(await program.stop(), CLEAN);
  });

  test('a configuration that names servers, or none at all, is refused with a sentence', async () => {
    const file = bench.writeConfig({ servers: { graph: { builtin: 'graph' } } });
    assert.match(await refused('signed-in', file), /^invalid: servers: the program brings/);
    assert.match(await refused('signed-in', bench.path('nowhere.yaml')), /nowhere\.yaml/);
  });

  test('without an audit file the trail is on standard error', async () => {
    const file = bench.writeConfig({ audit: undefined, workers: 4 });
    const own = await Program.start(OWN, ['signed-in', file]);
    await post(own.info.url);
    await own.says(/\{.*"event":"auth\.challenge".*\}\n/);
    assert.deepEqual(await own.stop(), CLEAN);
  });
});
