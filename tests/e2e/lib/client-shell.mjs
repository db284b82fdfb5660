// The token library in a process of its own, as programs/client_shell.c lets
// it be driven. What it writes to standard error (its log) is kept.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { BIN, MODULES } from './valet.mjs';

const PROGRAM = path.join(BIN, '..', 'e2e', 'client-shell');

export class ClientShell {
  static start(env = {}) { return new ClientShell(env); }

  constructor(env) {
    this.waiting = new Map();
    this.made = 0;
    this.stderr = '';
    this.child = spawn(PROGRAM, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
    this.child.stderr.on('data', (d) => { this.stderr += d; });
    this.exited = new Promise((resolve) => { this.child.once('close', (code, signal) => resolve({ code, signal })); });
    this.exited.then(({ code, signal }) => {
      for (const { resolve } of this.waiting.values()) resolve({ error: { code: `ended: ${code ?? signal}` } });
    });
    createInterface({ input: this.child.stdout }).on('line', (line) => this.came(JSON.parse(line)));
  }

  came({ id, tell, open, ...answer }) {
    const { resolve, on } = this.waiting.get(id) ?? {};
    if (tell) on.tell?.(tell);
    else if (open) on.open?.(open);
    else {
      this.waiting.delete(id);
      resolve?.(answer);
    }
  }

  async stop() {
    this.child.stdin.end();
    return this.exited;
  }

  kill() { this.child.kill('SIGKILL'); return this.exited; }

  // { error } or what it says; `on` are the callbacks of a sign-in.
  ask(what, fields = {}, on = {}) {
    const id = ++this.made;
    const answer = new Promise((resolve) => {
      this.waiting.set(id, { resolve, on });
      this.child.stdin.write(`${JSON.stringify({ id, do: what, ...fields })}\n`);
    });
    answer.id = id;
    return answer;
  }

  async must(what, fields, on) {
    const answer = await this.ask(what, fields, on);
    if (answer.error) throw new Error(`${what}: ${answer.error.code}: ${answer.error.message ?? ''}\n${this.stderr}`);
    return answer;
  }

  // A client of this process, by a name of its own.
  async client(options) {
    const client = `c${++this.made}`;
    await this.must('new', { client, modules: MODULES, ...options });
    return {
      acquire: (fields, on) => this.ask('acquire', { client, ...fields }, on),
      must: (fields, on) => this.must('acquire', { client, ...fields }, on),
      wait: (fields) => this.ask('wait', { client, ...fields }),
      cancel: (call) => this.must('cancel', { client, call }),
      accounts: async () => (await this.must('accounts', { client })).accounts,
      signOut: (account) => this.ask('sign_out', { client, account }),
      free: () => this.must('free', { client }),
    };
  }
}
