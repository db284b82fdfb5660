// Event streams as they come over the wire: opened by hand, read event by
// event, cut when a test wants it.
import http from 'node:http';
import https from 'node:https';
import { authority } from './browser.mjs';

const starter = (url) => (url.startsWith('https:') ? https : http).request;

export class EventStream {
  // Resolves when the head has come; `stream.status` tells which.
  static open(url, { headers = {}, method = 'GET', body, agent = false } = {}) {
    return new Promise((resolve, reject) => {
      const request = starter(url)(url, { method, agent, ca: authority(), headers: { accept: 'text/event-stream', ...headers } }, (answer) => {
        resolve(new EventStream(request, answer));
      });
      request.on('error', reject);
      request.end(body);
    });
  }

  constructor(request, answer) {
    Object.assign(this, { request, answer, status: answer.statusCode, headers: answer.headers });
    this.text = '';
    this.events = [];
    this.comments = 0;
    this.waiting = [];
    this.ended = new Promise((resolve) => {
      const end = () => { this.isOver = true; this.wake(); resolve(); };
      answer.on('end', end);
      answer.on('close', end);
      answer.on('error', end);
    });
    answer.setEncoding('utf8');
    answer.on('data', (chunk) => { this.text += chunk; this.read(); });
    request.on('error', () => {});
  }

  read() {
    for (let end; (end = this.text.indexOf('\n\n')) >= 0; this.text = this.text.slice(end + 2)) {
      const event = {};
      for (const line of this.text.slice(0, end).split('\n')) {
        const [, name, value] = /^([a-z]*): ?(.*)$/.exec(line) ?? [];
        if (name) event[name] = value;
      }
      if (Object.keys(event).length) this.events.push(event);
      else this.comments++;
    }
    this.wake();
  }

  wake() { for (const look of this.waiting.splice(0)) look(); }

  // The first event that `wanted` likes, also of those that came before.
  async find(wanted, ms = 10000) {
    const end = Date.now() + ms;
    for (;;) {
      const hit = this.events.find(wanted);
      if (hit) return hit;
      if (this.isOver || Date.now() > end)
        throw new Error(`no such event among ${JSON.stringify(this.events.slice(-5))}${this.isOver ? '; the stream is over' : ''}`);
      await new Promise((resolve) => { this.waiting.push(resolve); setTimeout(resolve, Math.max(1, end - Date.now())).unref(); });
    }
  }

  cut() { this.request.destroy(); return this.ended; }

  // Rejects unless the server ends it within `ms`.
  async endsWithin(ms) {
    let timer;
    const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(`the stream is still open after ${ms} ms`)), ms); });
    try { await Promise.race([this.ended, late]); } finally { clearTimeout(timer); }
  }
}

// JSON-RPC over HTTP+SSE (2024-11-05).
export class SseMcp {
  #id = 0;

  constructor(base, token) { Object.assign(this, { base, token }); }

  get authorization() { return { authorization: `Bearer ${this.token}` }; }

  async open() {
    this.stream = await EventStream.open(`${this.base}/sse`, { headers: this.authorization });
    if (this.stream.status !== 200) throw new Error(`/sse: ${this.stream.status}`);
    this.path = (await this.stream.find((e) => e.event === 'endpoint')).data;
    return this;
  }

  // Resolves with the status of the POST.
  post(message, { path = this.path, token = this.token, agent } = {}) {
    return new Promise((resolve, reject) => {
      const request = starter(this.base)(this.base + path, {
        method: 'POST', agent, ca: authority(), headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      }, (answer) => { answer.resume(); answer.on('end', () => resolve(answer.statusCode)); });
      request.on('error', reject);
      request.end(typeof message === 'string' ? message : JSON.stringify(message));
    });
  }

  async call(method, params, id = ++this.#id) {
    const status = await this.post({ jsonrpc: '2.0', id, method, params });
    if (status !== 202) throw new Error(`${method}: ${status}`);
    return JSON.parse((await this.stream.find((e) => e.event === 'message' && JSON.parse(e.data).id === id)).data);
  }
}
