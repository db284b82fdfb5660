// mcp-valet connect at an MCP server whose authorization server is Entra ID
// itself, without a gateway in between (ADR 19): the stand-in refuses what
// Entra refuses.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { Desk } from './lib/desk.mjs';
import { Stdio } from './lib/stdio.mjs';
import { describeTenant, Program, TENANT } from './lib/valet.mjs';

const LIMIT = { timeout: 60000 };
const ASSETS = path.resolve(import.meta.dirname, '../../src/apps/tenant/assets');

// An MCP server with one tool, which tells the audience and scopes of the token
// that it was called with. It believes every token: who gets one is what is
// looked at here.
class Guarded {
  static async start(tenant) {
    const guarded = new Guarded();
    guarded.tokens = [];
    guarded.server = http.createServer((request, response) => guarded.answer(request, response, tenant));
    await new Promise((r) => { guarded.server.listen(0, '127.0.0.1', r); });
    guarded.origin = `http://127.0.0.1:${guarded.server.address().port}`;
    guarded.scope = `${guarded.origin}/mcp/tools.read`;
    return guarded;
  }

  answer(request, response, tenant) {
    const json = (status, value, headers = {}) => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(JSON.stringify(value));
    };
    if (request.url === '/.well-known/oauth-protected-resource/mcp')
      return json(200, { resource: `${this.origin}/mcp`, authorization_servers: [`${tenant}/v2.0`], scopes_supported: [this.scope].filter(Boolean) });
    const [, token] = /^Bearer (.*)$/.exec(request.headers.authorization ?? '') ?? [];
    if (request.url !== '/mcp' || request.method !== 'POST') return json(405, {});
    if (!token) return json(401, {}, { 'www-authenticate': `Bearer resource_metadata="${this.origin}/.well-known/oauth-protected-resource/mcp"` });
    this.tokens.push(token);
    let text = '';
    request.on('data', (d) => { text += d; });
    request.on('end', () => {
      const { id, method } = JSON.parse(text);
      if (id === undefined) return response.writeHead(202).end();
      const { aud, scp } = JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
      return json(200, { jsonrpc: '2.0', id, result: method === 'initialize'
        ? { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'guarded', version: '1' } }
        : { content: [{ type: 'text', text: `${aud} ${scp}` }] } });
    });
  }

  stop() {
    this.server.closeAllConnections();
    return new Promise((r) => { this.server.close(r); });
  }
}

describe('a server that Entra ID protects by itself', () => {
  let tenant, guarded, desk, file;
  const { apps, tenants } = describeTenant();
  before(async () => {
    // The address of an API is that of its server: known when it listens.
    const port = await new Promise((resolve) => {
      const probe = http.createServer().listen(0, '127.0.0.1', () => { const { port: free } = probe.address(); probe.close(() => resolve(free)); });
    });
    const authority = `http://127.0.0.1:${port}`;
    guarded = await Guarded.start(`${authority}/${tenants[0].id}`);
    desk = new Desk();
    file = path.join(desk.home, 'data.yaml');
    writeFileSync(file, readFileSync(path.join(ASSETS, 'default.yaml'), 'utf8')
      .replaceAll(`api://${apps.api.id}`, `${guarded.origin}/mcp`).replace('access_as_user', 'tools.read'));
    tenant = await Program.start(TENANT, ['--listen', `127.0.0.1:${port}`, '--data', file]);
  }, LIMIT);
  after(async () => {
    desk?.stop();
    await guarded?.stop();
    await tenant?.stop();
  });
  beforeEach(() => { guarded.scope = `${guarded.origin}/mcp/tools.read`; guarded.tokens = []; });

  const connect = (...args) => new Stdio(['connect', `${guarded.origin}/mcp`, '--cache-file', desk.cache, ...args], desk.env);

  test('is reached with an id that is registered there, and the token is for it', LIMIT, async () => {
    const one = connect('--client-id', apps.public.id);
    await one.open();
    assert.match(JSON.stringify(await one.call('whoami')), /tools\.read/);
    assert.equal((await one.close()).code, 0);
    const again = connect('--client-id', apps.public.id);
    await again.open();
    assert.equal((await again.close()).code, 0);
    assert.equal(desk.opened.length, 1);
  });

  test('cannot make itself be sent a token for another API', LIMIT, async () => {
    for (const scope of ['User.Read', 'https://graph.microsoft.com/User.Read', `api://${apps.api.id}/other`]) {
      guarded.scope = scope;
      const one = new Stdio(['connect', `${guarded.origin}/mcp`, '--no-cache', '--client-id', apps.public.id], desk.env);
      await assert.rejects(one.open(), /--scope/);
      await one.close();
    }
    assert.deepEqual(guarded.tokens, []);
    assert.equal(desk.opened.length, 1);
  });

  test('says where to register, when nobody has', LIMIT, async () => {
    const one = connect();
    await assert.rejects(one.open(), /--client-id/);
    await one.close();
  });
});
