// A client over standard input and output, written out by hand.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { VALET } from './valet.mjs';

const INITIALIZE = {
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'stdio', version: '1' } },
};

// A client that counts every byte: what is no whole line of JSON is a fault.
export class Stdio {
  constructor(args, env = {}) {
    this.child = spawn(VALET, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
    this.waiting = new Map();
    this.text = '';
    this.stderr = '';
    this.child.stdin.on('error', () => {});
    this.child.stdout.on('error', () => {});
    this.child.stderr.on('data', (d) => { this.stderr += d; });
    this.child.stdout.on('data', (d) => this.take(String(d)));
    this.gone = new Promise((resolve) => this.child.once('close', (code, signal) => resolve({ code, signal })));
    this.nextId = 1;
  }

  take(text) {
    this.text += text;
    for (let end; (end = this.text.indexOf('\n')) >= 0; this.text = this.text.slice(end + 1)) {
      const message = JSON.parse(this.text.slice(0, end));
      this.waiting.get(message.id)?.(message);
    }
  }

  send(message) { this.child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`); }

  ask(method, params) {
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, resolve);
      this.gone.then(() => reject(new Error(`it has ended: ${this.stderr}`)));
      this.send({ id, method, params });
    });
  }

  async open() {
    const { result, error } = await this.ask(INITIALIZE.method, INITIALIZE.params);
    assert.ok(result, JSON.stringify(error));
    this.send({ method: 'notifications/initialized' });
    return this;
  }

  async call(name, args = {}) {
    const { result, error } = await this.ask('tools/call', { name, arguments: args });
    assert.ok(result, JSON.stringify(error));
    return result;
  }

  // It has so long to end.
  async ends(what, ms = 15000) {
    const timer = setTimeout(() => this.child.kill('SIGKILL'), ms);
    const end = await this.gone;
    clearTimeout(timer);
    assert.ok(!(end.signal === 'SIGKILL' && what !== 'kill'), `it hangs after ${what}`);
    return end;
  }

  close() {
    this.child.stdin.end();
    return this.ends('its input ended');
  }
}
