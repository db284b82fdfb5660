// A server of the official SDK v1, which knows nothing of 2026-07-28, over
// Streamable HTTP with sessions and over HTTP+SSE.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { z } from 'zod/v3';

function makeServer() {
  const mcp = new McpServer({ name: 'sdk', version: '1' }, { capabilities: { logging: {} } });
  mcp.registerTool('greet', { inputSchema: { name: z.string() } },
    ({ name }) => ({ content: [{ type: 'text', text: `Hello, ${name}!` }] }));
  mcp.registerTool('ask', { inputSchema: {} }, async () => {
    const said = await mcp.server.elicitInput({
      message: 'Your name?', requestedSchema: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] },
    });
    return { content: [{ type: 'text', text: `${said.action} ${said.content?.name}` }] };
  });
  return mcp;
}

export class SdkServer {
  static async start() {
    const it = new SdkServer();
    it.transports = new Map(); // by session
    it.deleted = 0;
    it.server = createServer((request, response) => it.serve(request, response));
    await new Promise((resolve) => { it.server.listen(0, '127.0.0.1', resolve); });
    it.origin = `http://127.0.0.1:${it.server.address().port}`;
    return it;
  }

  async serve(request, response) {
    const { pathname, searchParams } = new URL(request.url, this.origin);
    if (request.method === 'DELETE') this.deleted++;
    if (pathname === '/sse' && request.method === 'GET') {
      const transport = new SSEServerTransport('/message', response);
      this.transports.set(transport.sessionId, transport);
      await makeServer().connect(transport);
    } else if (pathname === '/message') {
      await this.transports.get(searchParams.get('sessionId')).handlePostMessage(request, response);
    } else if (pathname === '/mcp') {
      const known = this.transports.get(request.headers['mcp-session-id']);
      if (!known && request.headers['mcp-session-id']) {
        response.writeHead(404).end();
        return;
      }
      await (known ?? await this.begin()).handleRequest(request, response);
    } else {
      response.writeHead(request.method === 'GET' ? 404 : 405).end();
    }
  }

  async begin() {
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => { this.transports.set(id, transport); },
    });
    await makeServer().connect(transport);
    return transport;
  }

  // All sessions are gone, as after a restart.
  forget() { this.transports.clear(); }

  stop() {
    this.server.closeAllConnections();
    return new Promise((resolve) => { this.server.close(resolve); });
  }
}
