// An MCP client's side of OAuth, written out by hand so that a test can do
// any one step wrongly.
import { createHash, randomBytes } from 'node:crypto';
import { Browser, form, request } from './browser.mjs';

export const REDIRECT = 'http://127.0.0.1:8765/callback';
const random = () => randomBytes(32).toString('base64url');
export const s256 = (verifier) => createHash('sha256').update(verifier).digest('base64url');

export class Client {
  constructor(base, { path = '/mcp', redirect = REDIRECT } = {}) {
    Object.assign(this, { base, resource: base + path, redirect });
  }

  async register(extra = {}) {
    const answer = await request(`${this.base}/register`, {
      method: 'POST', headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        client_name: 'test client', redirect_uris: [this.redirect],
        token_endpoint_auth_method: 'none', ...extra,
      }),
    });
    if (answer.status !== 201) throw new Error(`register: ${answer.status} ${answer.text}`);
    this.id = JSON.parse(answer.text).client_id;
    return this;
  }

  authorizeUrl(extra = {}) {
    this.verifier = random();
    this.state = random();
    const query = {
      response_type: 'code', client_id: this.id, redirect_uri: this.redirect,
      state: this.state, code_challenge: s256(this.verifier),
      code_challenge_method: 'S256', scope: 'mcp.tools.read', resource: this.resource, ...extra,
    };
    for (const key of Object.keys(query)) if (query[key] === undefined) delete query[key];
    return `${this.base}/authorize?${form(query)}`;
  }

  // Through consent and sign-in to the redirect that carries the code.
  async consent(browser = new Browser(), extra = {}) {
    const page = await browser.open(this.authorizeUrl(extra));
    if (page.status !== 200) throw new Error(`authorize: ${page.status} ${page.text}`);
    return page.submit({ decision: 'approve' });
  }

  async signIn(user, browser = new Browser(), extra = {}) {
    const approved = await this.consent(browser, extra);
    const elsewhere = (url) => !url.startsWith(this.redirect);
    let page = await approved.follow(elsewhere);
    if (page.text.includes('name="password"'))
      page = await (await page.submit({ username: user.username, password: user.password }))
        .follow(elsewhere);
    if (!page.next) throw new Error(`sign-in stopped at ${page.url}: ${page.status} ${page.text.slice(0, 400)}`);
    return new URL(page.next).searchParams;
  }

  token(fields) {
    return request(`${this.base}/token`, {
      method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: form({ client_id: this.id, ...fields }),
    });
  }

  redeem(code, extra = {}) {
    return this.token({
      grant_type: 'authorization_code', code, redirect_uri: this.redirect,
      code_verifier: this.verifier, resource: this.resource, ...extra,
    });
  }

  refresh(refresh_token, extra = {}) {
    return this.token({ grant_type: 'refresh_token', refresh_token, ...extra });
  }

  // Registers if need be, signs in, redeems: {access_token, refresh_token, …}.
  async login(user, browser) {
    if (!this.id) await this.register();
    const back = await this.signIn(user, browser);
    if (back.get('state') !== this.state) throw new Error('foreign state');
    const answer = await this.redeem(back.get('code'));
    if (answer.status !== 200) throw new Error(`token: ${answer.status} ${answer.text}`);
    return JSON.parse(answer.text);
  }
}

// JSON-RPC over one session of Streamable HTTP.
export class Mcp {
  #id = 0;

  constructor(url, token) {
    Object.assign(this, { url, token });
  }

  post(message, headers = {}) {
    return request(this.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json', accept: 'application/json, text/event-stream',
        ...(this.token ? { authorization: `Bearer ${this.token}` } : {}),
        ...(this.session ? { 'mcp-session-id': this.session } : {}), ...headers,
      },
      body: typeof message === 'string' ? message : JSON.stringify(message),
    });
  }

  async call(method, params) {
    const answer = await this.post({ jsonrpc: '2.0', id: ++this.#id, method, params });
    if (answer.status !== 200) throw new Error(`${method}: ${answer.status} ${answer.text}`);
    // A call that takes long is answered by an event stream.
    const isStream = answer.headers['content-type'] === 'text/event-stream';
    return JSON.parse(isStream ? answer.text.split('\n').filter((l) => /^data: ./.test(l)).pop().slice(6) : answer.text);
  }

  async open(version = '2025-11-25') {
    const answer = await this.post({
      jsonrpc: '2.0', id: ++this.#id, method: 'initialize',
      params: { protocolVersion: version, capabilities: {}, clientInfo: { name: 'test', version: '1' } },
    });
    if (answer.status !== 200) throw new Error(`initialize: ${answer.status} ${answer.text}`);
    this.session = answer.headers['mcp-session-id'];
    await this.post({ jsonrpc: '2.0', method: 'notifications/initialized' });
    return this;
  }

  tool(name, args = {}) {
    return this.call('tools/call', { name, arguments: args });
  }
}
