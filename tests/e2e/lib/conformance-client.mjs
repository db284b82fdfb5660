// The stdio client that the conformance suite runs to test `mcp-valet connect`:
// node conformance-client.mjs PROGRAM URL. It starts the connector for the URL,
// says over stdio what the scenario wants said, and plays the person's browser:
// an address that the connector tells to open is fetched, and its redirects are
// followed. Exit code 0: the whole conversation went as it should.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';

const [, , program, url] = process.argv;
const scenario = process.env.MCP_CONFORMANCE_SCENARIO ?? '';
const wanted = process.env.MCP_CONFORMANCE_PROTOCOL_VERSION ?? '2025-11-25';
const context = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}');
const isModern = wanted >= '2026-07-28';

// The suite's own: it looks for exactly this one.
const METADATA_URL = 'https://conformance-test.local/client-metadata.json';

// --- the connector ---

const folder = mkdtempSync(path.join(os.tmpdir(), 'valet-drive-'));
const secretFile = (name, text) => {
  const file = path.join(folder, name);
  writeFileSync(file, text, { mode: 0o600 });
  return file;
};
const options = ['--no-cache', ...context.client_id ? ['--client-id', context.client_id] : ['--client-metadata-url', METADATA_URL]];
if (context.client_secret) options.push('--client-secret-file', secretFile('secret', context.client_secret));
if (context.private_key_pem) options.push('--client-key-file', secretFile('key.pem', context.private_key_pem));
if (scenario.startsWith('auth/client-credentials')) options.push('--client-credentials');

const child = spawn(program, ['connect', ...options, url], {
  stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, DISPLAY: '', WAYLAND_DISPLAY: '' },
});
const exited = new Promise((resolve) => { child.once('exit', (code, signal) => resolve({ code, signal })); });
let told = '';
child.stderr.on('data', (text) => {
  process.stderr.write(text);
  told += text;
  for (let found; (found = /http:\/\/(?:localhost|127\.0\.0\.1):\d+\/start\/[\w-]+/.exec(told));) {
    told = told.slice(found.index + found[0].length);
    void browse(found[0]);
  }
});

// A browser follows redirects, also those between origins, and shows the rest.
// A kept connection may have been closed meanwhile: it asks once more, then.
const get = (url) => fetch(url, { redirect: 'manual' });
async function browse(start) {
  for (let at = start, hops = 0; at && hops < 10; hops++) {
    const answer = await get(at).catch(() => get(at)).catch(() => undefined);
    await answer?.body?.cancel();
    const next = answer?.headers.get('location');
    at = next && new URL(next, at).href;
  }
}

// --- the conversation ---

const waiting = new Map();
const answers = { 'elicitation/create': fillIn, 'roots/list': () => ({ roots: [] }) };
readline.createInterface({ input: child.stdout }).on('line', (line) => {
  const message = JSON.parse(line);
  if (message.method && message.id !== undefined)
    send({ jsonrpc: '2.0', id: message.id, result: answers[message.method]?.(message.params) ?? {} });
  else if (!message.method)
    waiting.get(message.id)?.(message);
});

child.stdin.on('error', () => {});
const send = (message) => child.stdin.write(`${JSON.stringify(message)}\n`);
const CAPABILITIES = { roots: {}, sampling: {}, elicitation: {} };
let nextId = 1;
let version = wanted;

async function exchange(method, params) {
  const id = nextId++;
  const meta = isModern && {
    'io.modelcontextprotocol/protocolVersion': version,
    'io.modelcontextprotocol/clientInfo': { name: 'conformance-driver', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': CAPABILITIES,
  };
  const answer = new Promise((resolve, reject) => {
    waiting.set(id, resolve);
    const timer = setTimeout(() => reject(new Error(`${method}: no answer in time`)), 30000);
    exited.then(() => reject(new Error(`${method}: the connector has ended`))).finally(() => clearTimeout(timer));
  });
  answer.catch(() => {});
  send({ jsonrpc: '2.0', id, method, params: meta ? { ...params, _meta: meta } : params });
  return answer;
}

// One request to its end: with another revision, if it has to be, and with
// what the server wants to be told first.
async function request(method, params = {}) {
  let rounds = {};
  for (let i = 0; i < 8; i++) {
    const { result, error } = await exchange(method, { ...params, ...rounds });
    const offered = error?.code === -32022 && error.data?.supported?.includes(wanted);
    if (error && !(offered && i === 0))
      throw new Error(`${method}: ${error.code} ${error.message}`);
    if (error) {
      version = wanted;
    } else if (result.resultType === 'input_required') {
      rounds = { inputResponses: answerAll(result.inputRequests) };
      if (result.requestState !== undefined) rounds.requestState = result.requestState;
    } else {
      return result;
    }
  }
  throw new Error(`${method}: no end of rounds`);
}

const answerAll = (requests) => Object.fromEntries(Object.entries(requests ?? {})
  .map(([key, { method, params }]) => [key, answers[method]?.(params) ?? {}]));

// A form is filled with the defaults that it came with.
function fillIn({ requestedSchema }) {
  const content = {};
  for (const [name, { type, default: usual }] of Object.entries(requestedSchema?.properties ?? {}))
    if (usual !== undefined) content[name] = usual;
    else if (type === 'boolean') content[name] = true;
  return { action: 'accept', content };
}

async function begin() {
  if (isModern) {
    await request('server/discover');
    return;
  }
  await request('initialize', {
    protocolVersion: wanted, capabilities: { ...CAPABILITIES, elicitation: { form: {} } }, clientInfo: { name: 'conformance-driver', version: '1' },
  });
  send({ jsonrpc: '2.0', method: 'notifications/initialized' });
}

const call = (name, args = {}) => request('tools/call', { name, arguments: args });
const callAllListed = async () => {
  for (const { name } of (await request('tools/list')).tools) await call(name);
};
const usual = async () => {
  await request('tools/list');
  await call('test-tool');
};

const conversations = {
  initialize: () => request('tools/list'),
  tools_call: async () => {
    await request('tools/list');
    await call('add_numbers', { a: 5, b: 3 });
  },
  'request-metadata': () => request('tools/list'),
  'json-schema-ref-no-deref': () => request('tools/list'),
  'json-schema-2020-12-preservation': async () => {
    const { tools } = await request('tools/list');
    const { inputSchema } = tools.find(({ name }) => name === 'json_schema_2020_12_tool');
    await call('json_schema_echo', { schema: inputSchema });
  },
  'http-standard-headers': async () => {
    await callAllListed();
    for (const { uri } of (await request('resources/list')).resources) await request('resources/read', { uri });
    for (const { name } of (await request('prompts/list')).prompts) await request('prompts/get', { name });
  },
  'http-custom-headers': async () => {
    await request('tools/list');
    for (const { name, arguments: args } of context.toolCalls) await call(name, args);
  },
  'http-invalid-tool-headers': callAllListed,
  'sep-2322-client-request-state': async () => {
    await request('tools/list');
    for (const name of ['test_mrtr_echo_state', 'test_mrtr_unrelated', 'test_mrtr_no_state', 'test_mrtr_no_result_type'])
      await call(name);
  },
  'elicitation-sep1034-client-defaults': callAllListed,
  'sse-retry': callAllListed,
};

let failed;
try {
  await begin();
  await (conversations[scenario] ?? usual)();
} catch (error) {
  failed = error;
  console.error(String(error));
}
child.stdin.end();
const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
const { code, signal } = await exited;
clearTimeout(timer);
rmSync(folder, { recursive: true, force: true });
if (signal || code) console.error(`the connector ended with ${signal ?? code}`);
process.exit(failed || signal || code ? 1 : 0);
