// Starts the programs of the project for a test: everything on free loopback
// ports, state in a folder of its own, stopped by process id.
import assert from 'node:assert/strict';
import { spawn, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Client, Mcp } from './client.mjs';

export const BIN = process.env.VALET_BIN ?? path.resolve(import.meta.dirname, '../../../build/bin');
export const VALET = path.join(BIN, 'mcp-valet');
export const TENANT = path.join(BIN, 'mcp-valet-tenant');
const HELPERS = path.join(BIN, '..', 'lib', 'mcp-valet');
export const MODULES = path.join(HELPERS, 'modules');
export const LOCAL = path.join(HELPERS, 'mcp-valet-local');

let described;
export const describeTenant = () =>
  described ??= JSON.parse(execFileSync(TENANT, ['--describe'], { encoding: 'utf8' }));

// How much memory of a process is in use, in kB.
const statusOf = (pid, name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
export const residentOf = (pid) => statusOf(pid, 'VmRSS');

// Built with a sanitizer, which one knows by its terabytes of addresses: such a
// program is slow, and keeps what was freed.
export const isSanitized = (pid) => statusOf(pid, 'VmSize') > 2 ** 30;

// Fails when it grows by more than `most` kB meanwhile.
export async function growsLess(pid, most, what) {
  const before = residentOf(pid);
  await what();
  const grown = residentOf(pid) - before;
  assert.ok(grown < most || isSanitized(pid), `${grown} kB more`);
}

export class Program {
  // Resolves when the ready line has come; rejects when the program ends first.
  static start(file, args, { env = {}, cwd, ready = true } = {}) {
    const program = new Program();
    const child = spawn(file, args, { env: { ...process.env, ...env }, cwd, stdio: ['pipe', 'pipe', 'pipe'] });
    program.child = child;
    program.pid = child.pid;
    program.stderr = '';
    program.stdout = '';
    child.stderr.on('data', (d) => { program.stderr += d; });
    program.exited = new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal })));
    const first = new Promise((resolve, reject) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        program.stdout += `${line}\n`;
        resolve(line);
      });
      child.once('error', reject);
      program.exited.then(({ code }) => reject(new Error(`${file} ended with ${code}: ${program.stderr}`)));
      setTimeout(() => reject(new Error(`${file} is not ready: ${program.stderr}`)), 20000).unref();
    });
    first.catch(() => {});
    return ready ? first.then((line) => Object.assign(program, { info: JSON.parse(line) })) : program;
  }

  // Resolves when standard error has it: the pipe may lag behind an answer.
  async says(pattern) {
    for (const end = Date.now() + 5000; !pattern.test(this.stderr) && Date.now() < end;)
      await new Promise((r) => setTimeout(r, 10));
    assert.match(this.stderr, pattern);
  }

  async stop(signal = 'SIGTERM') {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal);
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 15000);
    const result = await this.exited;
    clearTimeout(timer);
    return result;
  }
}

// Runs a program to its end.
export async function runToEnd(file, args, options = {}) {
  const program = Program.start(file, args, { ...options, ready: false });
  program.child.stdin.end();
  const timer = setTimeout(() => program.child.kill('SIGKILL'), 20000);
  const { code, signal } = await program.exited;
  clearTimeout(timer);
  return { code, signal, stdout: program.stdout, stderr: program.stderr };
}

// Tests ask more than people do, all from one address; and they want to know
// what becomes of a call that reaches Graph.
const PATIENT = { requests_per_minute: 1000000, pending_sign_ins_per_address: 1000000, sessions_per_user: 100000,
  graph_cache: '0s' };

// The stand-in and a server with its configuration in a folder of its own.
export class Bench {
  static async start({ config = {}, tenantArgs = [], env = {}, serve = true } = {}) {
    const bench = new Bench();
    bench.folder = mkdtempSync(path.join(os.tmpdir(), 'valet-e2e-'));
    bench.tenant = await Program.start(TENANT, ['--listen', '127.0.0.1:0', ...tenantArgs]);
    bench.set = describeTenant();
    bench.env = env;
    bench.config = config;
    bench.port = 0;
    if (serve) await bench.serve();
    return bench;
  }

  get auditFile() { return path.join(this.folder, 'audit.jsonl'); }
  get storeFile() { return path.join(this.folder, 'store.db'); }
  get users() { return this.set.users; }
  get url() { return this.server.info.url; }

  path(name) { return path.join(this.folder, name); }

  // YAML of the defaults with `config` over them, key by top-level key.
  writeConfig(overrides = {}) {
    const secret = this.path('secret');
    if (!existsSync(secret)) writeFileSync(secret, this.set.apps.web.secret, { mode: 0o600 });
    const settings = {
      listen: `127.0.0.1:${this.port}`,
      entra: {
        tenant_id: this.tenant.info.tenant.split('/').pop(),
        client_id: this.set.apps.web.id,
        client_secret_file: secret,
        authority_host: this.tenant.info.authority,
        graph_url: this.tenant.info.graph,
      },
      servers: { graph: { builtin: 'graph' } },
      registration: { dynamic: true },
      store: { path: this.storeFile },
      keys: { path: this.path('keys') },
      audit: { path: this.auditFile },
      ...this.config, ...overrides,
    };
    settings.limits = { ...PATIENT, ...settings.limits };
    const file = this.path('valet.yaml');
    // JSON is YAML.
    writeFileSync(file, JSON.stringify(settings, null, 2));
    return file;
  }

  async serve(overrides) {
    this.server = await Program.start(VALET, ['serve', '--config', this.writeConfig(overrides)], { env: this.env });
    this.port = Number(new URL(this.server.info.url).port);
    return this.server;
  }

  client(options) { return new Client(this.url, options); }

  async signedIn(user = this.users.admin, options) {
    const client = this.client(options);
    const tokens = await client.login(user);
    const mcp = await new Mcp(client.resource, tokens.access_token).open();
    return { client, tokens, mcp };
  }

  // The audit trail, once `wanted` (a predicate) has appeared, or whole.
  async audit(wanted) {
    for (let tries = 0; ; tries++) {
      const lines = existsSync(this.auditFile)
        ? readFileSync(this.auditFile, 'utf8').split('\n').filter(Boolean).map((l) => JSON.parse(l)) : [];
      if (!wanted) return lines;
      const hit = lines.find(wanted);
      if (hit) return hit;
      if (tries > 40) throw new Error(`no such audit line among:\n${lines.map((l) => JSON.stringify(l)).join('\n')}`);
      await new Promise((r) => setTimeout(r, 50));
    }
  }

  async stop() {
    try {
      if (this.server) await this.server.stop();
      await this.tenant.stop();
      // What a sanitizer found fails the test that started the program.
      for (const program of [this.server, this.tenant])
        assert.doesNotMatch(program?.stderr ?? '', /Sanitizer|runtime error:/);
    } finally {
      rmSync(this.folder, { recursive: true, force: true });
    }
  }
}
