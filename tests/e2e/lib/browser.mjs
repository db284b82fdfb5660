// A browser without a screen: cookies by origin, forms, meta refresh. It does
// what a person would: follow, fill in, press. Built on node:http, since fetch
// hides cookies and redirects.
import http from 'node:http';
import https from 'node:https';

const agent = new http.Agent({ keepAlive: true, maxSockets: 256 });
const secure = new https.Agent({ keepAlive: true, maxSockets: 256 });

// Closes the connections that are kept; the next request opens new ones.
export const hangUp = () => { agent.destroy(); secure.destroy(); };

// The authority (PEM) that https requests trust from now on, and no other.
export const trust = (ca) => { secure.options.ca = ca; };
export const authority = () => secure.options.ca;

export function unescapeHtml(text) {
  const named = { quot: '"', lt: '<', gt: '>', amp: '&' };
  return text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (all, dec, hex, name) =>
    dec ? String.fromCodePoint(+dec)
      : hex ? String.fromCodePoint(parseInt(hex, 16))
        : named[name] ?? all);
}

// One raw request; redirects are not followed.
export function request(url, { method = 'GET', headers = {}, body, ca } = {}) {
  const target = new URL(url);
  const data = body === undefined ? undefined : Buffer.from(body);
  return new Promise((resolve, reject) => {
    const { request: ask, agent: by } = target.protocol === 'https:'
      ? { request: https.request, agent: secure } : { request: http.request, agent };
    const req = ask(target, {
      method, agent: by, ...(ca && { ca }),
      headers: data ? { 'content-length': data.length, ...headers } : headers,
      // "localhost" is both loopbacks; the tests' servers listen on IPv4 too.
      family: 4, timeout: 20000,
    }, (res) => {
      const chunks = [];
      res.on('data', (c) => chunks.push(c));
      res.on('end', () => resolve({
        status: res.statusCode, headers: res.headers, rawHeaders: res.rawHeaders,
        text: Buffer.concat(chunks).toString('utf8'),
      }));
      res.on('error', reject);
    });
    req.on('timeout', () => req.destroy(new Error(`time-out: ${method} ${url}`)));
    req.on('error', reject);
    req.end(data);
  });
}

export const form = (fields) => new URLSearchParams(fields).toString();

export class Browser {
  constructor() {
    this.cookies = new Map(); // host (without port, as browsers do) → name → value
    this.seen = []; // every URL that was visited
  }

  #jar(url) {
    const host = new URL(url).hostname;
    if (!this.cookies.has(host)) this.cookies.set(host, new Map());
    return this.cookies.get(host);
  }

  async open(url, { method = 'GET', headers = {}, body } = {}) {
    this.seen.push(String(url));
    const jar = this.#jar(url);
    const cookie = [...jar].map(([k, v]) => `${k}=${v}`).join('; ');
    const answer = await request(url, {
      method, body, headers: { accept: 'text/html', ...(cookie ? { cookie } : {}), ...headers },
    });
    for (const line of answer.headers['set-cookie'] ?? []) {
      const [, name, value, rest] = /^([^=]+)=([^;]*)(.*)$/s.exec(line);
      if (/max-age=0(;|$)/i.test(rest)) jar.delete(name);
      else jar.set(name, value);
    }
    return new Page(this, String(url), answer);
  }
}

export class Page {
  constructor(browser, url, answer) {
    Object.assign(this, { browser, url, ...answer });
  }

  // Where the page sends the browser on its own, or undefined.
  get next() {
    const target = this.headers.location ??
      /http-equiv="refresh"\s+content="0;\s*url=([^"]*)"/i.exec(this.text)?.[1];
    return target && new URL(unescapeHtml(target), this.url).href;
  }

  get fields() {
    const fields = {};
    for (const [tag] of this.text.matchAll(/<input\b[^>]*>/g)) {
      const name = /\bname="([^"]*)"/.exec(tag)?.[1];
      if (name && /type="hidden"/.test(tag))
        fields[name] = unescapeHtml(/\bvalue="([^"]*)"/.exec(tag)?.[1] ?? '');
    }
    return fields;
  }

  get action() {
    const action = /<form\b[^>]*\baction="([^"]*)"/.exec(this.text)?.[1];
    return new URL(unescapeHtml(action ?? this.url), this.url).href;
  }

  submit(extra, headers = {}) {
    return this.browser.open(this.action, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        origin: new URL(this.url).origin, 'sec-fetch-site': 'same-origin', ...headers,
      },
      body: form({ ...this.fields, ...extra }),
    });
  }

  // Follows redirects and refreshes as long as `while_` allows.
  async follow(while_ = () => true) {
    let page = this;
    for (let hops = 0; page.next && while_(page.next); hops++) {
      if (hops > 10) throw new Error('a loop of redirects');
      page = await this.browser.open(page.next);
    }
    return page;
  }
}
