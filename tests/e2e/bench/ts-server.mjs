// The peer of the benchmark: the TypeScript SDK's Express server with
// requireBearerAuth and an in-memory verifier, stateful, JSON answers.
import { randomUUID } from 'node:crypto';
import express from 'express';
import { z } from 'zod';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js';

const TOKEN = process.argv[2];
const verifier = {
  async verifyAccessToken(token) {
    if (token !== TOKEN) throw new Error('unknown token');
    return { token, clientId: 'bench', scopes: ['mcp.tools.read'], expiresAt: Math.floor(Date.now() / 1000) + 3600 };
  },
};

const sessions = new Map();
const app = express();
app.use(express.json());
app.post('/mcp', requireBearerAuth({ verifier, requiredScopes: ['mcp.tools.read'] }), async (req, res) => {
  let transport = sessions.get(req.headers['mcp-session-id']);
  if (!transport) {
    transport = new StreamableHTTPServerTransport({
      enableJsonResponse: true,
      sessionIdGenerator: () => randomUUID(),
      onsessioninitialized: (id) => sessions.set(id, transport),
    });
    const server = new McpServer({ name: 'peer', version: '1' });
    // The same tool as ours, so that both answer tools/list with the same.
    server.registerTool('getUserDetails', {
      title: 'Get user details',
      description: 'Reads the profile of the signed-in user (name, e-mail address, user principal name) from Microsoft Graph.',
      inputSchema: {},
      outputSchema: {
        displayName: z.string().nullable().optional(),
        mail: z.string().nullable().optional(),
        userPrincipalName: z.string().nullable().optional(),
      },
      annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: true },
    }, async () => ({ content: [{ type: 'text', text: 'hello' }], structuredContent: {} }));
    await server.connect(transport);
  }
  await transport.handleRequest(req, res, req.body);
});
const listener = app.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ event: 'ready', url: `http://127.0.0.1:${listener.address().port}` }));
});
