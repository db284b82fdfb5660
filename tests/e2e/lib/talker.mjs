// The clients of both SDKs behind one face: how each of them is made, connected,
// told whom to call back, and asked. The eras differ in some of that; what a
// test sees is the same.
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StdioClientTransport as StdioV1 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as HttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import * as types from '@modelcontextprotocol/sdk/types.js';
import { Client as ClientV2, StreamableHTTPClientTransport as HttpV2 } from '@modelcontextprotocol/client';
import { StdioClientTransport as StdioV2 } from '@modelcontextprotocol/client/stdio';
import { connectBy } from './sdk.mjs';

const INFO = { name: 'e2e', version: '1' };
export const ABILITIES = { elicitation: {}, sampling: {}, roots: {} };
const MODERN = '2026-07-28';

// What v1 wants to be told by schema, and v2 by name.
const schemas = {
  'elicitation/create': types.ElicitRequestSchema,
  'sampling/createMessage': types.CreateMessageRequestSchema,
  'roots/list': types.ListRootsRequestSchema,
  'notifications/message': types.LoggingMessageNotificationSchema,
  'notifications/tools/list_changed': types.ToolListChangedNotificationSchema,
  'notifications/prompts/list_changed': types.PromptListChangedNotificationSchema,
  'notifications/resources/updated': types.ResourceUpdatedNotificationSchema,
};

const v2 = (mode) => ({
  make: (capabilities) => new ClientV2(INFO, { capabilities, versionNegotiation: { mode } }),
  Http: HttpV2, Stdio: StdioV2, isV2: true, isModern: mode !== 'legacy',
});
const v1 = { make: (capabilities) => new ClientV1(INFO, { capabilities }), Http: HttpV1, Stdio: StdioV1 };

// By name. HTTP+SSE is for v1 alone: its address is another one.
export const KINDS = {
  'SDK v1': v1,
  'SDK v1 over HTTP+SSE': { ...v1, Http: SSEClientTransport, path: '/sse' },
  'SDK v2, legacy': v2('legacy'),
  'SDK v2, auto': v2('auto'),
  'SDK v2, pinned': v2({ pin: MODERN }),
};

export class Talker {
  // `base` is the server's origin; `provider` signs in.
  static async overHttp(name, base, provider) {
    const talker = new Talker(name);
    const { Http, path = '/mcp' } = talker.kind;
    const { client, transport } = await connectBy(Http, base + path, provider, {}, () => talker.make());
    return Object.assign(talker, { client, transport });
  }

  static async overStdio(name, command, args = [], env = undefined) {
    const talker = new Talker(name);
    talker.client = talker.make();
    talker.transport = new talker.kind.Stdio({ command, args, env, stderr: 'pipe' });
    await talker.client.connect(talker.transport);
    return talker;
  }

  constructor(name) {
    this.name = name;
    this.kind = KINDS[name];
    this.heard = []; // notifications
    this.asked = []; // methods
  }

  get isModern() { return !!this.kind.isModern; }
  get pid() { return this.transport.pid; }

  make() {
    const client = this.kind.make(ABILITIES);
    const when = (method, answer) => (method.startsWith('notifications/')
      ? client.setNotificationHandler(this.kind.isV2 ? method : schemas[method], answer)
      : client.setRequestHandler(this.kind.isV2 ? method : schemas[method], answer));
    const answers = {
      'elicitation/create': ({ params }) => ({ action: 'accept', content: this.fill(params) }),
      'sampling/createMessage': ({ params }) => ({
        role: 'assistant', model: 'none', content: { type: 'text', text: `${this.name} has read ${params.messages[0].content.text}` },
      }),
      'roots/list': () => ({ roots: [{ uri: 'file:///one' }, { uri: 'file:///two' }] }),
    };
    for (const [method, answer] of Object.entries(answers))
      when(method, async (request) => { this.asked.push(method); return answer(request); });
    for (const method of Object.keys(schemas).filter((m) => m.startsWith('notifications/')))
      when(method, ({ params }) => { this.heard.push({ method, params }); });
    return client;
  }

  // A person who writes the client's name wherever there is room for a text.
  fill({ requestedSchema }) {
    return Object.fromEntries(Object.entries(requestedSchema.properties)
      .map(([name, { type }]) => [name, type === 'boolean' ? true : this.name]));
  }

  call(name, args = {}, { meta, ...options } = {}) {
    const params = { name, arguments: args, ...(meta && { _meta: meta }) };
    return this.kind.isV2 ? this.client.callTool(params, options) : this.client.callTool(params, undefined, options);
  }

  // The text that a tool says.
  async ask(name, args, options) {
    const { content, isError } = await this.call(name, args, options);
    if (isError) throw new Error(`${this.name}: ${name} failed: ${content[0].text}`);
    return content[0].text;
  }

  // Calls a tool and wants its messages told: by session, or by request.
  async askLoudly(name) {
    if (this.isModern) return this.ask(name, {}, { meta: { 'io.modelcontextprotocol/logLevel': 'debug' } });
    await this.client.setLoggingLevel('debug');
    return this.ask(name);
  }

  async listen(uri) {
    if (this.isModern)
      this.subscription = await this.client.listen({ toolsListChanged: true, promptsListChanged: true, resourceSubscriptions: [uri] });
    else
      await this.client.subscribeResource({ uri });
  }

  async unlisten(uri) {
    if (this.isModern) await this.subscription.close();
    else await this.client.unsubscribeResource({ uri });
  }

  count(method) { return this.heard.filter((h) => h.method === method).length; }

  async close() {
    if (this.transport.terminateSession) await this.transport.terminateSession();
    await this.client.close();
  }
}
