// The story that the page tells: one sign-in and what it is good for, between
// the real programs, over loopback.
import assert from 'node:assert/strict';
import http from 'node:http';
import { freePort } from '../lib/attack.mjs';
import { form, request } from '../lib/browser.mjs';
import { Canaries, CanaryBrowser, CanaryClient, CanaryMcp, Eavesdropper } from '../lib/canary.mjs';
import { SseMcp } from '../lib/events.mjs';
import { Bench } from '../lib/valet.mjs';
import { Wire } from './wire.mjs';

const TOOL = { name: 'getUserDetails', arguments: {} };
const hello = (protocolVersion) => ({ protocolVersion, capabilities: {}, clientInfo: { name: 'learner', version: '1' } });

const ok = ({ result }) => assert.ok(result && !result.isError, JSON.stringify(result));

// Refused, and the two documents that the refusal leads to.
async function discover(url) {
  const refused = await new CanaryMcp(url, undefined, new Canaries()).post({
    jsonrpc: '2.0', id: 1, method: 'initialize', params: hello('2025-11-25'),
  });
  const [, where] = /resource_metadata="([^"]+)"/.exec(refused.headers['www-authenticate']);
  const { authorization_servers: [issuer] } = JSON.parse((await request(where)).text);
  await request(`${issuer}/.well-known/oauth-authorization-server`);
}

async function useTools(url, token, canaries) {
  const mcp = new CanaryMcp(url, token, canaries);
  const welcome = await mcp.post({ jsonrpc: '2.0', id: 1, method: 'initialize', params: hello('2025-11-25') });
  mcp.session = welcome.headers['mcp-session-id'];
  const now = { 'mcp-protocol-version': '2025-11-25' };
  await mcp.post({ jsonrpc: '2.0', method: 'notifications/initialized' }, now);
  await mcp.post({ jsonrpc: '2.0', id: 2, method: 'tools/list' }, now);
  ok(JSON.parse((await mcp.post({ jsonrpc: '2.0', id: 3, method: 'tools/call', params: TOOL }, now)).text));
}

async function useSse(base, token, canaries) {
  const sse = await new SseMcp(base, token).open();
  canaries.add('SSE session', sse.path.split('=')[1]);
  await sse.call('initialize', hello('2024-11-05'));
  await sse.post({ jsonrpc: '2.0', method: 'notifications/initialized' });
  ok(await sse.call('tools/call', TOOL));
  return sse;
}

// Where a client that runs on a person's machine waits for the browser.
async function listen() {
  const listener = http.createServer((_, res) => res.writeHead(200, { 'content-type': 'text/html' })
    .end('<!doctype html>\n<title>Done</title>\n<p>You are signed in. You can close this window.</p>\n'));
  await new Promise((resolve) => { listener.listen(0, '127.0.0.1', resolve); });
  return listener;
}

async function signIn(client, user, browser) {
  const back = await client.signIn(user, browser);
  await browser.open(`${client.redirect}?${back}`);
  assert.equal(back.get('state'), client.state);
  assert.equal(back.get('iss'), client.base);
  return JSON.parse((await client.redeem(back.get('code'))).text);
}

async function tell(bench, base, redirect, canaries) {
  const client = Object.assign(new CanaryClient(base, canaries), { redirect });
  const browser = new CanaryBrowser(canaries);
  await discover(client.resource);
  await client.register({ client_name: 'A learner’s client' });
  const tokens = await signIn(client, bench.users.admin, browser);
  await useTools(client.resource, tokens.access_token, canaries);

  const fresh = JSON.parse((await client.refresh(tokens.refresh_token)).text);
  const sse = await useSse(base, fresh.access_token, canaries);
  await request(`${base}/revoke`, {
    method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: form({ client_id: client.id, token: fresh.refresh_token }),
  });
  await sse.stream.endsWithin(5000);
  const late = await new CanaryMcp(client.resource, fresh.access_token, canaries)
    .post({ jsonrpc: '2.0', id: 4, method: 'tools/call', params: TOOL });
  assert.equal(late.status, 401);
  for (const jar of browser.cookies.values())
    for (const [name, value] of jar) canaries.add(`cookie ${name}`, value);
}

// What the tenant and mcp-valet say to each other is secret too, and so is
// what people type.
function learn(canaries, bench, messages) {
  const ear = Object.assign(new Eavesdropper(), { canaries });
  for (const { kind, exchange: x } of messages)
    if (kind === 'answer' && x.side === 'tenant') {
      ear.learn({ url: x.target, headers: Object.fromEntries(x.headers.map(([name, value]) => [name.toLowerCase(), value])) }, x.body);
      ear.learnAnswer(x.answer.body);
    }
  canaries.add('client secret', bench.set.apps.web.secret);
  for (const { username, password } of Object.values(bench.users)) canaries.add(`password of ${username}`, password);
}

// {messages, hosts, users, canaries}: what passed, at which addresses, and
// every value that must not be on the page.
export async function record() {
  const canaries = new Canaries();
  const wire = new Wire();
  const valet = await wire.relay('valet', 'localhost');
  const tenant = await wire.relay('tenant', '127.0.0.1');
  const client = await wire.relay('client', '127.0.0.1');
  const listener = await listen();
  const bench = await Bench.start({ serve: false });
  try {
    client.to = `http://127.0.0.1:${listener.address().port}`;
    bench.port = await freePort();
    valet.to = `http://127.0.0.1:${bench.port}`;
    tenant.to = bench.tenant.info.authority;
    await bench.serve({
      public_url: valet.url,
      workers: 1, // each reads Entra's documents: which one asks is not for this page
      entra: {
        tenant_id: bench.set.tenants[0].id, client_id: bench.set.apps.web.id,
        client_secret_file: bench.path('secret'), authority_host: tenant.url, graph_url: tenant.url,
      },
    });
    await tell(bench, valet.url, `${client.url}/callback`, canaries);
    learn(canaries, bench, wire.messages);
    const hosts = Object.fromEntries(wire.relays.map(({ side, host }) => [side, host]));
    return { messages: wire.messages, hosts, users: bench.users, canaries };
  } finally {
    await bench.stop();
    await wire.stop();
    listener.close();
  }
}
