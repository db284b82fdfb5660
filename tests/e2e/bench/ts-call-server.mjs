// Peers of the benchmark of tools/call: the TypeScript SDK's servers behind a
// check of the bearer token that compares it with the one that is known.
//
//     ts-call-server.mjs KIND TOKEN
//
// The peer is measured at its fastest, so there are several ways to serve it;
// all answer with JSON and no event stream.
import { randomUUID } from 'node:crypto';
import http from 'node:http';
import { withTool } from './ts-tool.mjs';

const [kind, TOKEN] = process.argv.slice(2);
const INFO = { name: 'peer', version: '1' };
const info = () => ({ token: TOKEN, clientId: 'bench', scopes: ['mcp.tools.read'], expiresAt: Math.floor(Date.now() / 1000) + 3600 });

// Sessions of 2025-11-25: a transport for each, with its server.
function inSessions(newServer, Transport) {
  const sessions = new Map();
  return async (req, res, body) => {
    let transport = sessions.get(req.headers['mcp-session-id']);
    if (!transport) {
      transport = new Transport({
        enableJsonResponse: true,
        sessionIdGenerator: () => randomUUID(),
        onsessioninitialized: (id) => sessions.set(id, transport),
      });
      await newServer().connect(transport);
    }
    await transport.handleRequest(req, res, body);
  };
}

const readBody = (req) => new Promise((resolve, reject) => {
  const parts = [];
  req.on('data', (part) => parts.push(part));
  req.on('end', () => resolve(Buffer.concat(parts).toString()));
  req.on('error', reject);
});

// node:http alone.
const EXPECTED = `Bearer ${TOKEN}`;
const plain = (handle) => http.createServer(async (req, res) => {
  if (req.headers.authorization !== EXPECTED) {
    res.writeHead(401).end();
    return;
  }
  req.auth = info();
  await handle(req, res, JSON.parse(await readBody(req)));
});

// Express, with the SDK's own check.
async function onExpress(handle) {
  const { default: express } = await import('express');
  const { requireBearerAuth } = await import('@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js');
  const { InvalidTokenError } = await import('@modelcontextprotocol/sdk/server/auth/errors.js');
  const verifier = {
    async verifyAccessToken(token) {
      if (token !== TOKEN) throw new InvalidTokenError('unknown token');
      return info();
    },
  };
  const app = express();
  app.use(express.json());
  app.post('/mcp', requireBearerAuth({ verifier, requiredScopes: ['mcp.tools.read'] }),
    (req, res) => handle(req, res, req.body));
  return http.createServer(app);
}

async function first() {
  const { McpServer } = await import('@modelcontextprotocol/sdk/server/mcp.js');
  const { StreamableHTTPServerTransport } = await import('@modelcontextprotocol/sdk/server/streamableHttp.js');
  return inSessions(() => withTool(new McpServer(INFO)), StreamableHTTPServerTransport);
}

async function second() {
  const { McpServer } = await import('@modelcontextprotocol/server');
  const { NodeStreamableHTTPServerTransport } = await import('@modelcontextprotocol/node');
  return inSessions(() => withTool(new McpServer(INFO)), NodeStreamableHTTPServerTransport);
}

// What SDK v2 recommends, for both eras: a server for each request.
async function handler() {
  const { McpServer, createMcpHandler } = await import('@modelcontextprotocol/server');
  const { toNodeHandler } = await import('@modelcontextprotocol/node');
  return toNodeHandler(createMcpHandler(() => withTool(new McpServer(INFO)), { responseMode: 'json' }));
}

const kinds = {
  'v1-http': async () => plain(await first()),
  'v1-express': async () => onExpress(await first()),
  'v2-http': async () => plain(await handler()),
  'v2-express': async () => onExpress(await handler()),
  'v2-sessions-http': async () => plain(await second()),
};

const server = await kinds[kind]();
server.keepAliveTimeout = 60000;
server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ event: 'ready', url: `http://127.0.0.1:${server.address().port}` }));
});
