// What the attack tests share: raw bytes on a socket, the audit trail since a
// moment, a sign-in held at its last step, tokens of the stand-in itself.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import net from 'node:net';
import { Browser, form, request } from './browser.mjs';
import { s256 } from './client.mjs';

// Quotas that many tests from one address would use up.
export const ROOMY = { registration: { dynamic: true, max: 100000, per_address_per_hour: 10000 } };

// --- raw HTTP ---

// Sends bytes and reads until the peer closes, or is silent for `quiet` ms.
export function exchange(port, bytes, { quiet = 400, limit = 8000, end = false } = {}) {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host: '127.0.0.1' });
    const chunks = [];
    let closed = false;
    const finish = () => {
      clearTimeout(last);
      socket.destroy();
      const text = Buffer.concat(chunks).toString('latin1');
      resolve({ text, closed, answers: splitAnswers(text) });
    };
    const last = setTimeout(finish, limit);
    socket.setTimeout(quiet, () => { if (chunks.length || end) finish(); });
    socket.on('connect', () => (end ? socket.end(bytes) : socket.write(bytes)));
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', () => { closed = true; });
    socket.on('end', () => { closed = true; });
    socket.on('close', () => { closed = true; finish(); });
  });
}

// Each answer has a Content-Length or no body (that is all this server sends
// to such requests); whatever is left over is one more "answer".
export function splitAnswers(text) {
  const answers = [];
  for (let rest = text; rest;) {
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) { answers.push({ status: NaN, raw: rest }); break; }
    const head = rest.slice(0, end);
    const size = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
    answers.push({
      status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]), head,
      body: rest.slice(end + 4, end + 4 + size), raw: rest.slice(0, end + 4 + size),
    });
    rest = rest.slice(end + 4 + size);
  }
  return answers;
}

// One well-formed request as text; a list of lines gives headers as they are.
export function rawRequest(port, { method = 'GET', path = '/mcp', headers = [], body = '', host = `localhost:${port}` } = {}) {
  const lines = [`${method} ${path} HTTP/1.1`, ...(host === null ? [] : [`Host: ${host}`]), ...headers];
  if (body) lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

export async function ask(port, options) {
  const { answers } = await exchange(port, rawRequest(port, {
    ...options, headers: [...(options?.headers ?? []), 'Connection: close'],
  }));
  assert.equal(answers.length, 1, `one answer, not ${JSON.stringify(answers)}`);
  return answers[0];
}

// Names of header fields may repeat; this counts and reads them.
export const fields = (answer, name) => [...(answer.head ?? answer.raw).matchAll(
  new RegExp(`^${name}: *(.*?)\\r?$`, 'gim'))].map((m) => m[1]);

// An answer without what may differ between two equal refusals.
export const withoutDate = (answer) => answer.raw.replace(/^(date|x-correlation-id): .*\r\n/gim, '');

// --- audit ---

// The trail of one bench from the moment it is made.
export class Trail {
  static async of(bench) {
    return Object.assign(new Trail(), { bench, from: (await bench.audit()).length });
  }

  // A refusal with this reason that came since; every one has a reason.
  async refused(event, reason, more = () => true) {
    const line = await this.bench.audit((l, i) => i >= this.from && (!event || l.event === event) &&
      l.outcome === 'refused' && (reason === undefined || l.reason === reason) && more(l));
    assert.ok(line.reason && line.time, JSON.stringify(line));
    return line;
  }

  async lines() { return (await this.bench.audit()).slice(this.from); }
}

// --- sign-ins held half way ---

const stopAt = (url) => (next) => !next.startsWith(url);

// A registered client whose person has approved; `upstream` is where the
// browser would go now.
export async function approved(bench, { browser = new Browser(), extra = {}, client } = {}) {
  client ??= await bench.client().register();
  const page = await client.consent(browser, extra);
  assert.equal(page.status, 200, page.text);
  assert.ok(page.next, 'moves on to the provider');
  return { client, browser, page, upstream: page.next };
}

// Signs in at the provider in `browser` and stops before our callback opens.
export async function signInAt(bench, upstream, browser, user = bench.users.admin) {
  const callback = `${bench.url}/auth/callback`;
  let page = await (await browser.open(upstream)).follow(stopAt(callback));
  if (page.text.includes('name="password"'))
    page = await (await page.submit({ username: user.username, password: user.password }))
      .follow(stopAt(callback));
  assert.ok(page.next?.startsWith(callback), `no callback: ${page.status} ${page.text.slice(0, 300)}`);
  return page.next;
}

export async function codeOf(bench, options = {}) {
  const client = options.client ?? await bench.client(options).register();
  const back = await client.signIn(options.user ?? bench.users.admin, options.browser, options.extra);
  assert.ok(back.get('code'), `no code: ${back}`);
  return { client, back, code: back.get('code') };
}

// What a page of ours must say and must not do (lesson 3.9).
export function assertPageIsSafe(page) {
  const csp = page.headers['content-security-policy'] ?? '';
  assert.match(csp, /default-src 'none'/);
  assert.match(csp, /frame-ancestors 'none'/);
  assert.doesNotMatch(csp, /script-src|unsafe-eval/);
  assert.match(page.headers['cache-control'] ?? '', /no-store/);
  assert.equal(page.headers['referrer-policy'], 'no-referrer');
  assert.equal(page.headers['x-content-type-options'], 'nosniff');
  assert.equal(page.headers['access-control-allow-origin'], undefined);
  assert.doesNotMatch(page.text, /<script|javascript:/i);
}

// A refusal that stays here: a page, and no way on.
export function assertStays(page, status = 400) {
  assert.equal(page.status, status, page.text);
  assert.equal(page.next, undefined, 'it must not lead anywhere');
  assertPageIsSafe(page);
}

// What came back to the client's redirect URI.
export const backOf = (page) => {
  assert.ok(page.next, `no redirect: ${page.status} ${page.text.slice(0, 300)}`);
  return new URL(page.next);
};

// --- tokens of the stand-in itself, as its web app gets them ---

export async function entraTokens(bench, user = bench.users.admin) {
  const { web } = bench.set.apps;
  const verifier = randomBytes(32).toString('base64url');
  const browser = new Browser();
  const page = await browser.open(`${bench.tenant.info.tenant}/oauth2/v2.0/authorize?${form({
    client_id: web.id, response_type: 'code', redirect_uri: web.redirect, state: 'x',
    scope: 'openid profile offline_access User.Read', code_challenge: s256(verifier), code_challenge_method: 'S256',
  })}`);
  const done = await page.submit({ username: user.username, password: user.password });
  const answer = await request(`${bench.tenant.info.tenant}/oauth2/v2.0/token`, {
    method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: form({
      grant_type: 'authorization_code', code: new URL(done.next).searchParams.get('code'),
      redirect_uri: web.redirect, client_id: web.id, client_secret: web.secret, code_verifier: verifier,
    }),
  });
  assert.equal(answer.status, 200, answer.text);
  return JSON.parse(answer.text);
}

export const isDead = async (mcp) => {
  const answer = await mcp.post({ jsonrpc: '2.0', id: 'probe', method: 'ping' });
  return answer.status === 401;
};

// Within two seconds of now the token opens nothing (design, "Threads").
export async function assertDeadSoon(mcp) {
  for (const end = Date.now() + 2000; !(await isDead(mcp));) {
    assert.ok(Date.now() < end, 'the token still works after two seconds');
    await new Promise((r) => setTimeout(r, 50));
  }
}

export const jsonPost = (url, body, headers = {}) => request(url, {
  method: 'POST', headers: { 'content-type': 'application/json', ...headers },
  body: typeof body === 'string' ? body : JSON.stringify(body),
});

// For where the ready line does not tell the port.
export const freePort = () => new Promise((resolve) => {
  const server = net.createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});
