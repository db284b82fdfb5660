// Peers of the benchmark of stdio: the TypeScript SDK's servers over standard
// input and output.
//
//     ts-stdio-server.mjs v1|v2
import { withTool } from './ts-tool.mjs';

const INFO = { name: 'peer', version: '1' };

if (process.argv[2] === 'v1') {
  const { McpServer } = await import('@modelcontextprotocol/sdk/server/mcp.js');
  const { StdioServerTransport } = await import('@modelcontextprotocol/sdk/server/stdio.js');
  await withTool(new McpServer(INFO)).connect(new StdioServerTransport());
} else {
  const { McpServer } = await import('@modelcontextprotocol/server');
  const { serveStdio } = await import('@modelcontextprotocol/server/stdio');
  serveStdio(() => withTool(new McpServer(INFO)));
}
