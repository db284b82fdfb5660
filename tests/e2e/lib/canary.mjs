// Canaries: every secret a run has seen, by a name, and the search for each of
// them in whatever form it may have taken.
import http from 'node:http';
import { Browser } from './browser.mjs';
import { Client, Mcp } from './client.mjs';

const LEAST = 16; // shorter texts are found by chance

export class Canaries {
  constructor() { this.values = new Map(); } // value → name

  add(name, value) {
    if (typeof value !== 'string' || value.length < LEAST) return;
    if (!this.values.has(value)) this.values.set(value, name);
  }

  // The parts that are enough to be worth stealing: of a JWT each segment but
  // the header, which all share; of any other text its middle as well, so that
  // a token that was only cut is found too.
  static parts(value) {
    const parts = /^eyJ[\w-]+\.[\w-]+\.[\w-]*$/.test(value) ? value.split('.').slice(1) : [value];
    return parts.filter((p) => p.length >= LEAST).flatMap((p) => {
      const at = Math.floor((p.length - LEAST) / 2);
      return [p, p.slice(at, at + LEAST)];
    });
  }

  // Plain, percent-encoded, hex in both letter cases, and base64 of both
  // alphabets at each of three offsets (the first and last letters of which
  // depend on the neighbours).
  static forms(part) {
    const hex = Buffer.from(part).toString('hex');
    const forms = new Set([part, encodeURIComponent(part), hex, hex.toUpperCase()]);
    for (let offset = 0; offset < 3; offset++) {
      const text = Buffer.concat([Buffer.alloc(offset), Buffer.from(part)]).toString('base64url');
      const inner = text.slice(offset ? 4 : 0, text.length - 4);
      forms.add(inner);
      forms.add(inner.replaceAll('-', '+').replaceAll('_', '/'));
    }
    return forms;
  }

  // [{canary, form}] of what is in the bytes; `only` selects by name.
  find(bytes, only = () => true) {
    const haystack = Buffer.isBuffer(bytes) ? bytes.toString('latin1') : String(bytes);
    const found = [];
    for (const [value, name] of this.values)
      if (only(name))
        for (const part of Canaries.parts(value))
          for (const form of Canaries.forms(part))
            if (haystack.includes(form)) found.push(`${name}: ${form.slice(0, 24)}… at ${haystack.indexOf(form)}: ${
              JSON.stringify(haystack.slice(Math.max(0, haystack.indexOf(form) - 60), haystack.indexOf(form) + 30))}`);
    return [...new Set(found)];
  }
}

// Stands between the server (and the browser) and the stand-in tenant and
// learns every secret that goes by. The stand-in names its URLs after the Host
// it is asked by, so all traffic comes here.
export class Eavesdropper {
  static async start(authority, canaries) {
    const self = Object.assign(new Eavesdropper(), { canaries, seen: 0 });
    const to = new URL(authority);
    self.server = http.createServer((req, res) => {
      const chunks = [];
      req.on('data', (c) => chunks.push(c));
      req.on('end', () => {
        const body = Buffer.concat(chunks);
        self.learn(req, body.toString());
        const on = http.request({ host: to.hostname, port: to.port, method: req.method, path: req.url, headers: req.headers }, (answer) => {
          const back = [];
          answer.on('data', (c) => back.push(c));
          answer.on('end', () => {
            const text = Buffer.concat(back);
            self.learnAnswer(text.toString());
            res.writeHead(answer.statusCode, answer.rawHeaders.filter((_, i, all) =>
              !/^(transfer-encoding|connection|content-length)$/i.test(all[i - (i % 2)])));
            res.end(text);
          });
        });
        on.on('error', () => res.destroy());
        on.end(body);
      });
    });
    await new Promise((r) => self.server.listen(0, '127.0.0.1', r));
    self.url = `http://127.0.0.1:${self.server.address().port}`;
    return self;
  }

  learn(req, body) {
    const form = new URLSearchParams(body);
    for (const name of ['code', 'code_verifier', 'client_secret', 'refresh_token', 'client_assertion'])
      this.canaries.add(`upstream ${name}`, form.get(name) ?? undefined);
    const bearer = /^Bearer (.+)$/.exec(req.headers.authorization ?? '')?.[1];
    this.canaries.add('upstream bearer', bearer);
    const query = new URL(req.url, 'http://x').searchParams;
    for (const name of ['state', 'nonce']) this.canaries.add(`upstream ${name}`, query.get(name) ?? undefined);
  }

  learnAnswer(text) {
    try {
      const json = JSON.parse(text);
      for (const name of ['access_token', 'refresh_token', 'id_token', 'device_code'])
        if (json[name]) { this.canaries.add(`upstream ${name}`, json[name]); this.seen++; }
    } catch { /* not JSON */ }
  }

  stop() {
    this.server.closeAllConnections();
    return new Promise((r) => this.server.close(r));
  }
}

// A browser, a client and an MCP client that write down every byte they get,
// and tell the canaries of every secret they hold.
export class CanaryBrowser extends Browser {
  constructor(canaries) { super(); Object.assign(this, { canaries, got: [] }); }

  async open(url, options) {
    const page = await super.open(url, options);
    this.got.push({ url: String(url), text: `${page.rawHeaders.join('\n')}\n${page.text}` });
    const { flow, csrf } = page.fields;
    this.canaries.add('flow', flow);
    this.canaries.add('csrf', csrf);
    for (const jar of this.cookies.values())
      for (const [name, value] of jar) if (name.includes('valet')) this.canaries.add(`cookie ${name}`, value);
    return page;
  }
}

export class CanaryClient extends Client {
  constructor(base, canaries) { super(base); Object.assign(this, { canaries, got: [] }); }

  authorizeUrl(extra) {
    const url = super.authorizeUrl(extra);
    this.canaries.add('verifier', this.verifier);
    this.canaries.add('state', this.state);
    return url;
  }

  async token(fields) {
    this.canaries.add('code', fields.code);
    const answer = await super.token(fields);
    this.got.push({ url: 'token', text: `${answer.rawHeaders.join('\n')}\n${answer.text}` });
    try {
      const json = JSON.parse(answer.text);
      for (const name of ['access_token', 'refresh_token']) this.canaries.add(name, json[name]);
    } catch { /* an error */ }
    return answer;
  }
}

export class CanaryMcp extends Mcp {
  constructor(url, token, canaries) { super(url, token); Object.assign(this, { canaries, got: [] }); }

  async post(message, headers) {
    const answer = await super.post(message, headers);
    this.canaries.add('mcp session', answer.headers['mcp-session-id']);
    this.got.push({ url: 'mcp', text: `${answer.rawHeaders.join('\n')}\n${answer.text}` });
    return answer;
  }
}
