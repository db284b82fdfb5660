// An MCP server, its authorization server and a person, played by a script: any
// of it may be replaced by something worse. What `mcp-valet connect` sends
// there is written down, and so is every secret that it is given.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { request } from './browser.mjs';
import { VALET } from './valet.mjs';

const secret = (name) => `${name.replace(' ', '-')}-${randomBytes(24).toString('base64url')}`;
const listen = (server) => new Promise((resolve) => { server.listen(0, '127.0.0.1', () => resolve(server.address().port)); });

export class Town {
  // `over`: path → (ask, town) → [status, headers, body] | undefined for what
  // is usual; a body that is no text is JSON. `tls` {key, cert}, `host` of its
  // name, if others see it by another.
  static async start({ over = {}, tls, host } = {}) {
    const town = Object.assign(new Town(), { over, log: [], secrets: new Map(), codes: new Map(), clients: new Set(), live: new Set(), refresh: new Set() });
    const handle = (req, res) => town.#handle(req, res).catch((error) => { town.error ??= error; res.destroy(); });
    town.server = tls ? https.createServer(tls, handle) : http.createServer(handle);
    town.server.on('clientError', (error, socket) => socket.destroy());
    town.port = await listen(town.server);
    town.origin = host ? `https://${host}` : `http://127.0.0.1:${town.port}`;
    town.url = `${town.origin}/mcp`;
    return town;
  }

  // A secret that was made: its name is for the search.
  made(name, text = secret(name)) {
    this.secrets.set(text, name);
    return text;
  }

  get resource() { return { resource: this.url, authorization_servers: [this.origin], scopes_supported: ['read'] }; }
  get metadata() {
    return {
      issuer: this.origin, authorization_endpoint: `${this.origin}/authorize`, token_endpoint: `${this.origin}/token`,
      registration_endpoint: `${this.origin}/register`, response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'], token_endpoint_auth_methods_supported: ['none', 'client_secret_post'],
    };
  }

  asked(pathname) { return this.log.filter((ask) => ask.path === pathname); }

  async #handle(req, res) {
    const chunks = [];
    for await (const chunk of req) chunks.push(chunk);
    const url = new URL(req.url, this.origin);
    const ask = { method: req.method, target: req.url, path: url.pathname, query: url.searchParams, headers: req.headers,
      rawHeaders: req.rawHeaders, body: Buffer.concat(chunks).toString(), res };
    this.log.push(ask);
    const own = this.over[ask.path] ?? this.over['*'];
    let answer = own && await own(ask, this);
    if (answer === null) return; // it has been answered, or never will be
    answer ??= this.usual(ask);
    const [status, headers = {}, body = ''] = answer;
    const text = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    res.writeHead(status, { 'content-type': 'application/json', ...headers });
    res.end(text);
  }

  usual(ask) {
    switch (ask.path) {
      case '/.well-known/oauth-protected-resource/mcp': return [200, {}, this.resource];
      case '/.well-known/oauth-authorization-server': return [200, {}, this.metadata];
      case '/register': return this.register(ask);
      case '/authorize': return this.authorize(ask);
      case '/token': return this.token(ask);
      case '/mcp': return this.mcp(ask);
      default: return [404];
    }
  }

  register() {
    const id = `client-${randomBytes(9).toString('base64url')}`;
    this.clients.add(id);
    return [201, {}, { client_id: id, client_secret: this.made('client secret'), token_endpoint_auth_method: 'client_secret_post' }];
  }

  // The person has signed in, and says yes.
  authorize({ query }, more = {}) {
    const code = this.made('code');
    this.made('state', query.get('state'));
    this.codes.set(code, query);
    const back = new URL(query.get('redirect_uri'));
    for (const [name, value] of Object.entries({ code, state: query.get('state'), ...more }))
      if (value !== undefined) back.searchParams.set(name, value);
    return [302, { location: back.href }];
  }

  token({ body }) {
    const form = new URLSearchParams(body);
    if (form.get('code_verifier')) this.made('verifier', form.get('code_verifier'));
    const asked = this.codes.get(form.get('code'));
    const isRight = form.get('grant_type') === 'refresh_token' ? this.refresh.delete(form.get('refresh_token'))
      : asked && createHash('sha256').update(form.get('code_verifier')).digest('base64url') === asked.get('code_challenge') &&
        form.get('redirect_uri') === asked.get('redirect_uri');
    this.codes.delete(form.get('code'));
    if (!isRight) return [400, {}, { error: 'invalid_grant' }];
    return [200, {}, this.tokens()];
  }

  tokens() {
    const access = this.made('access token'), again = this.made('refresh token');
    this.live.add(access);
    this.refresh.add(again);
    return { access_token: access, refresh_token: again, token_type: 'Bearer', expires_in: this.lifetime ?? 3600 };
  }

  get challenge() { return `Bearer resource_metadata="${this.origin}/.well-known/oauth-protected-resource/mcp"`; }

  mcp(ask) {
    const bearer = /^Bearer (.*)$/.exec(ask.headers.authorization ?? '')?.[1];
    if (!this.live.has(bearer)) return [401, { 'www-authenticate': this.challenge }, ''];
    if (ask.method !== 'POST') return [405];
    const { id, method, params } = JSON.parse(ask.body);
    if (params?._meta?.['io.modelcontextprotocol/protocolVersion'])
      return [400, {}, { jsonrpc: '2.0', error: { code: -32000, message: 'Bad Request: Server not initialized' }, id: null }];
    if (id === undefined) return [202];
    const result = {
      initialize: { protocolVersion: params?.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'town', version: '1' } },
      'tools/list': { tools: [{ name: 'hello', inputSchema: { type: 'object' } }] },
      'tools/call': { content: [{ type: 'text', text: `hello to ${this.name ?? 'you'}` }] },
    }[method] ?? {};
    return [200, {}, { jsonrpc: '2.0', id, result }];
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((resolve) => { this.server.close(resolve); });
    assert.equal(this.error, undefined);
  }
}

// A machine of a person: a home, a cache, and a browser that writes down how it
// was started and then goes where `visit` says.
export class Person {
  constructor({ visit } = {}) {
    this.home = mkdtempSync(path.join(os.tmpdir(), 'valet-person-'));
    this.cache = path.join(this.home, 'cache');
    this.notes = path.join(this.home, 'started');
    this.opened = [];
    this.pages = [];
    writeFileSync(path.join(this.home, 'xdg-open'), `#!/bin/sh
{ tr '\\0' '\\n' < /proc/$$/environ; ls -l /proc/$$/fd; } > "${this.notes}.$$" 2>&1
printf '%s\\n' "$*" >> "${this.notes}"
`);
    chmodSync(path.join(this.home, 'xdg-open'), 0o755);
    this.env = { HOME: this.home, DISPLAY: ':99', PATH: `${this.home}:/usr/bin:/bin`, DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent/bus' };
    const go = visit ?? ((url) => this.follow(url));
    this.timer = setInterval(() => {
      if (!existsSync(this.notes)) return;
      for (const url of readFileSync(this.notes, 'utf8').split('\n').slice(this.opened.length, -1)) {
        this.opened.push(url);
        Promise.resolve(go(url)).catch((error) => { this.error ??= error; });
      }
    }, 20);
  }

  async follow(url) {
    for (let hops = 0; url && hops < 5; hops++) {
      const page = await request(url, { headers: { accept: 'text/html' } });
      this.pages.push({ url, ...page });
      url = page.headers.location;
    }
  }

  stop() {
    clearInterval(this.timer);
    rmSync(this.home, { recursive: true, force: true });
    assert.equal(this.error, undefined);
  }
}

// `mcp-valet connect` and a client that counts every byte.
export class Connector {
  constructor(url, person, { args = [], env = {} } = {}) {
    const all = ['connect', url, ...(args.includes('--no-cache') || args.includes('--secret-service') ? [] : ['--cache-file', person.cache]), ...args];
    const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/proxy$|^MCP_VALET|^XDG_/i.test(name)));
    this.child = spawn(VALET, all, { env: { ...clean, ...person.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
    this.pid = this.child.pid;
    this.stdout = this.stderr = this.rest = '';
    this.waiting = new Map();
    this.child.stdin.on('error', () => {});
    this.child.stderr.on('data', (d) => { this.stderr += d.toString('latin1'); });
    this.child.stdout.on('data', (d) => this.#take(String(d)));
    this.gone = new Promise((resolve) => { this.child.once('close', (code, signal) => resolve({ code, signal })); });
    this.nextId = 1;
  }

  #take(text) {
    this.stdout += text;
    this.rest += text;
    for (let end; (end = this.rest.indexOf('\n')) >= 0; this.rest = this.rest.slice(end + 1)) {
      const message = JSON.parse(this.rest.slice(0, end));
      this.waiting.get(message.id)?.(message);
    }
  }

  send(message) { this.child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`); }

  ask(method, params = {}, ms = 30000) {
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`no answer to ${method}: ${this.stderr}`)), ms);
      this.waiting.set(id, (message) => { clearTimeout(late); resolve(message); });
      this.gone.then(() => { clearTimeout(late); reject(new Error(`it has ended: ${this.stderr}`)); });
      this.send({ id, method, params });
    });
  }

  // The result, or the error, of the first message.
  async open(ms) {
    const answer = await this.ask('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'town', version: '1' } }, ms);
    if (answer.result) this.send({ method: 'notifications/initialized' });
    return answer;
  }

  async hello() {
    const { result, error } = await this.ask('tools/call', { name: 'hello', arguments: {} });
    return result?.content[0].text ?? error;
  }

  async close() {
    this.child.stdin.end();
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 15000);
    const end = await this.gone;
    clearTimeout(timer);
    assert.doesNotMatch(this.stderr, /Sanitizer|runtime error:/);
    assert.equal(end.signal, null, this.stderr);
    assert.equal(this.rest, '', 'half a line on standard output');
    return end;
  }
}

// A proxy that lets a name through to a port here, and writes down what else
// was asked for.
export class Tunnel {
  static async start(places, answer = 'HTTP/1.1 200 Connection established\r\n\r\n') {
    const tunnel = Object.assign(new Tunnel(), { places, asked: [], heads: [] });
    tunnel.server = net.createServer((socket) => {
      let head = '';
      socket.on('error', () => {});
      const onData = (d) => {
        head += d.toString('latin1');
        if (!head.includes('\r\n\r\n')) return;
        socket.off('data', onData);
        const target = /^CONNECT (\S+) HTTP\/1\.1\r\n/.exec(head)?.[1];
        tunnel.asked.push(target);
        tunnel.heads.push(head);
        const port = tunnel.places[target];
        if (!port) { socket.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n'); return; }
        const onward = net.connect(port, '127.0.0.1', () => { socket.write(answer); socket.pipe(onward).pipe(socket); });
        onward.on('error', () => socket.destroy());
        socket.on('close', () => onward.destroy());
      };
      socket.on('data', onData);
    });
    tunnel.url = `http://127.0.0.1:${await listen(tunnel.server)}`;
    return tunnel;
  }

  stop() { this.server.close(); }
}

// Tells whether anybody has come.
export class Trap {
  static async start() {
    const trap = Object.assign(new Trap(), { came: 0, said: '' });
    trap.server = net.createServer((socket) => {
      trap.came++;
      socket.on('error', () => {});
      socket.on('data', (d) => { trap.said += d.toString('latin1'); socket.destroy(); });
    });
    trap.port = await listen(trap.server);
    return trap;
  }

  stop() { this.server.close(); }
}

export const pause = (ms) => new Promise((r) => { setTimeout(r, ms); });
export const raw = (text) => ({ res }) => { res.socket.end(text); return null; };

// Nothing of a terminal's: a stranger's text may not move the cursor, change a
// title, or turn around what is written.
export const isTame = (text) => {
  const plain = Buffer.from(text, 'latin1').toString('utf8');
  // eslint-disable-next-line no-control-regex
  assert.doesNotMatch(plain, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/, JSON.stringify(plain));
};

// One town, one person, one connector: what came of the first message.
export async function meet(over, { person = new Person(), town, args, env, ms, look } = {}) {
  const own = !town;
  town ??= await Town.start({ over });
  const connector = new Connector(town.url, person, { args, env });
  try {
    const answer = await connector.open(ms);
    await look?.({ town, person, connector, answer });
    return { answer, town, stderr: connector.stderr, opened: person.opened, stdout: connector.stdout };
  } finally {
    await connector.close();
    isTame(connector.stderr);
    if (own) await town.stop();
    person.stop();
  }
}

export const refused = (answer, pattern) => {
  assert.ok(answer.error, JSON.stringify(answer));
  if (pattern) assert.match(answer.error.message, pattern);
};
