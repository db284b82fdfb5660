// JSON-RPC byte by byte, with one face for both eras and both transports: a
// way says how a message is written, sends whatever it is given, and gathers
// what comes back as text.
import { spawn } from 'node:child_process';
import { request } from './browser.mjs';

export const MODERN = '2026-07-28';
const CAPABILITIES = { elicitation: {}, sampling: {}, roots: {} };
const META = {
  'io.modelcontextprotocol/protocolVersion': MODERN,
  'io.modelcontextprotocol/clientInfo': { name: 'wire', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': CAPABILITIES,
};

// A request as text, since JSON.stringify() could not write it wrongly. `more`
// are members of params: '"name":"greet"'; `meta` are some of its _meta.
const written = (method, more, id, meta) => `{"jsonrpc":"2.0","id":${id},"method":"${method}","params":{${
  [meta && `"_meta":${JSON.stringify(meta)}`, more].filter(Boolean).join(',')}}}`;
export const legacy = (method, more = '', id = '1', meta = undefined) => written(method, more, id, meta);
export const modern = (method, more = '', id = '1', meta = {}) => written(method, more, id, { ...META, ...meta });

// Who says this is told all there is to tell.
export const LOUDLY = { progressToken: 'p', 'io.modelcontextprotocol/logLevel': 'debug' };

export const initialize = (version, capabilities = CAPABILITIES) => JSON.stringify({
  jsonrpc: '2.0', id: 'hello', method: 'initialize',
  params: { protocolVersion: version, capabilities, clientInfo: { name: 'wire', version: '1' } },
});

const JSON_OR_EVENTS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

// The messages in an answer, whether JSON or events.
export const messagesIn = ({ headers, text }) => (headers['content-type'] === 'text/event-stream'
  ? text.split('\n').filter((line) => /^data: ./.test(line)).map((line) => line.slice(6)) : text ? [text] : []);

export class HttpWire {
  constructor(url, { token, version } = {}) {
    Object.assign(this, { url, token, write: version === MODERN ? modern : legacy, isModern: version === MODERN });
  }

  static async open(url, { version = '2025-11-25', token, capabilities } = {}) {
    const wire = new HttpWire(url, { token, version });
    if (wire.isModern) return wire;
    const answer = await wire.post(initialize(version, capabilities));
    if (answer.status !== 200) throw new Error(`initialize: ${answer.status} ${answer.text}`);
    wire.session = answer.headers['mcp-session-id'];
    await wire.post('{"jsonrpc":"2.0","method":"notifications/initialized"}');
    return wire;
  }

  get bearer() { return this.token ? { authorization: `Bearer ${this.token}` } : {}; }
  get own() { return { ...this.bearer, ...(this.session && { 'mcp-session-id': this.session }) }; }

  // What a client of 2026-07-28 repeats in its headers, as far as it can be read.
  mirror(text) {
    if (!this.isModern) return {};
    const method = /"method":"([^"]*)"/.exec(text)?.[1] ?? '';
    const name = /"(?:name|uri|taskId)":"([^"]*)"/.exec(String(text).replace('"name":"wire"', ''))?.[1];
    return {
      'mcp-protocol-version': MODERN, ...(/^[\x21-\x7e]+$/.test(method) && { 'mcp-method': method }),
      ...(/^(tools\/call|prompts\/get|resources\/read|tasks\/.*)$/.test(method) && name && { 'mcp-name': name }),
    };
  }

  headers(text, headers = {}) { return { ...JSON_OR_EVENTS, ...this.own, ...this.mirror(text), ...headers }; }

  post(text, headers) { return request(this.url, { method: 'POST', body: text, headers: this.headers(text, headers) }); }

  async send(text, headers) {
    const answer = await this.post(text, headers);
    return { status: answer.status, answers: messagesIn(answer) };
  }

  async stop() { /* the server is somebody else's */ }
}

export class StdioWire {
  #probes = 0;

  static async start(file, args = [], { version = '2025-11-25' } = {}) {
    const wire = new StdioWire(file, args);
    wire.isModern = version === MODERN;
    wire.write = wire.isModern ? modern : legacy;
    if (!wire.isModern) {
      await wire.line(initialize(version));
      await wire.find((line) => line.includes('"id":"hello"'));
      await wire.line('{"jsonrpc":"2.0","method":"notifications/initialized"}');
    }
    return wire;
  }

  constructor(file, args = [], { stderr = 'pipe' } = {}) {
    this.child = spawn(file, args, { stdio: ['pipe', 'pipe', stderr] });
    this.lines = [];
    this.part = '';
    this.stderr = '';
    this.waiting = [];
    this.child.stdin.on('error', () => {});
    this.child.stderr?.on('data', (text) => { this.stderr += text; });
    this.child.stdout.setEncoding('utf8').on('data', (text) => {
      const pieces = (this.part + text).split('\n');
      this.part = pieces.pop();
      this.lines.push(...pieces);
      this.wake();
    });
    this.exited = new Promise((resolve) => {
      this.child.once('close', (code, signal) => { this.isOver = true; this.wake(); resolve({ code, signal }); });
    });
  }

  get pid() { return this.child.pid; }
  wake() { for (const look of this.waiting.splice(0)) look(); }

  // Resolves when the pipe has taken it; false if it has not for `ms`.
  async raw(bytes, ms = 5000) {
    if (this.child.stdin.write(bytes)) return true;
    let timer;
    const late = new Promise((resolve) => { timer = setTimeout(resolve, ms, false); });
    const drained = new Promise((resolve) => this.child.stdin.once('drain', () => resolve(true)));
    try { return await Promise.race([drained, late]); } finally { clearTimeout(timer); }
  }

  line(text) { return this.raw(Buffer.concat([Buffer.from(text), Buffer.from('\n')])); }

  // The first line that `wanted` likes, from line number `from` on.
  async find(wanted, { from = 0, ms = 10000 } = {}) {
    const end = Date.now() + ms;
    for (let next = from; ;) {
      for (; next < this.lines.length; next++) if (wanted(this.lines[next])) return this.lines[next];
      if (this.isOver || Date.now() > end)
        throw new Error(`no such line among ${this.lines.slice(from).slice(-5).map((l) => l.slice(0, 300)).join('\n')}${this.isOver ? '; it has ended' : ''}; ${this.stderr}`);
      await new Promise((resolve) => { this.waiting.push(resolve); setTimeout(resolve, Math.max(1, end - Date.now())).unref(); });
    }
  }

  // All that is answered before an answer to what is asked next.
  async send(text) {
    const from = this.lines.length, id = `"probe-${++this.#probes}"`;
    await this.line(text);
    const probe = this.isModern ? modern('server/discover', '', id) : legacy('ping', '', id);
    await this.line(probe);
    const last = await this.find((line) => line.includes(id), { from });
    return { answers: this.lines.slice(from, this.lines.indexOf(last, from)) };
  }

  // Its end by itself, or not at all.
  async end(ms = 5000) {
    const timer = setTimeout(() => this.child.kill('SIGKILL'), ms);
    const end = await this.exited;
    clearTimeout(timer);
    return end;
  }

  async stop() {
    this.child.stdin.end();
    return this.end();
  }
}
