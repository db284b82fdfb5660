// A local server of somebody else's, on the SDK, that knows how to learn who is
// signed in (docs/local-gate.md). Run by node, behind the gate.
import { readFileSync, readSync, writeSync } from 'node:fs';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';

const fd = Number(process.env.MCP_VALET_IDENTITY_FD);
const told = [];
let rest = '';

// What has been told by now; reading never waits.
function identities() {
  const buffer = Buffer.alloc(65536);
  for (;;) {
    let n;
    try { n = readSync(fd, buffer); } catch (error) { if (error.code === 'EAGAIN') break; throw error; }
    if (n === 0) break;
    rest += buffer.toString('utf8', 0, n);
  }
  const lines = rest.split('\n');
  rest = lines.pop();
  told.push(...lines.map((line) => JSON.parse(line)));
  return told;
}

const server = new McpServer({ name: 'gated', version: '1' });
const tool = (name, work) => server.registerTool(name, { description: name, inputSchema: {} }, async (args, extra) => ({
  content: [{ type: 'text', text: JSON.stringify(await work(extra)) }],
}));
tool('who', () => identities());
tool('environment', () => process.env);
tool('arguments', () => ({ mine: process.argv.slice(2), gate: readFileSync(`/proc/${process.ppid}/cmdline`, 'utf8').split('\0') }));
tool('pid', () => process.pid);
tool('die', () => process.exit(3));
tool('garbage', () => {
  writeSync(1, 'a line of text\n{"half":\n\n3\n');
  return 'and an answer';
});
tool('progress', async ({ _meta, sendNotification }) => {
  for (const progress of [0, 1, 2]) {
    await sendNotification({ method: 'notifications/progress', params: { progressToken: _meta.progressToken, progress } });
    await new Promise((resolve) => { setTimeout(resolve, 50); }); // SDK clients forget what comes with the answer
  }
  return 'done';
});
tool('never', () => new Promise(() => {}));
await server.connect(new StdioServerTransport());
