// A person at a shell of their own: a home folder, the commands of mcp-valet,
// and the browser in which they type codes.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Browser } from './browser.mjs';
import { Bus, startKeyring } from './bus.mjs';
import { Program, runToEnd, VALET } from './valet.mjs';

// Nothing of the machine's session or of the tester's own configuration.
const NOTHING = Object.fromEntries(['DBUS_SESSION_BUS_ADDRESS', 'XDG_RUNTIME_DIR', 'XDG_CONFIG_HOME', 'XDG_STATE_HOME',
  'XDG_DATA_HOME', 'DISPLAY', 'WAYLAND_DISPLAY', 'AZURE_TENANT_ID', 'AZURE_CLIENT_ID', 'AZURE_AUTHORITY_HOST',
  'MCP_VALET_CACHE_FILE'].map((name) => [name, undefined]));

// What a person does with the page and the code that login shows.
export async function typeCode(said, user, end = { choice: 'continue' }) {
  const [, url, code] = /open this page.*\n\n +(\S+)\n\nand type this code.*\n\n +(\S+)\n/.exec(said);
  const page = await (await new Browser().open(url)).follow();
  const signIn = await page.submit({ otc: code });
  await (await signIn.submit({ username: user.username, password: user.password })).submit(end);
}

export class Person {
  constructor(standIn, { place } = {}) {
    this.home = mkdtempSync(path.join(os.tmpdir(), 'valet-person-'));
    this.env = { ...NOTHING, HOME: this.home };
    this.cache = this.path('cache');
    this.said = ''; // all that any command wrote to standard error
    this.whom = ['--tenant', standIn.tenants[0].id, '--client-id', standIn.apps.public.id,
      '--authority-host', standIn.base, ...(place ?? ['--cache-file', this.cache])];
  }

  path(name) { return path.join(this.home, name); }
  get settingsFile() { return this.path('.config/mcp-valet/login.json'); }
  get settings() { return JSON.parse(readFileSync(this.settingsFile, 'utf8')); }

  async run(...args) {
    const end = await runToEnd(VALET, args, { env: this.env });
    this.said += end.stderr;
    return end;
  }

  // A command that has to work; what it wrote.
  async does(...args) {
    const end = await this.run(...args);
    assert.equal(end.code, 0, end.stderr);
    return end.stdout;
  }

  // One that has to fail; what it said.
  async fails(code, ...args) {
    const end = await this.run(...args);
    assert.deepEqual([end.code, end.stdout], [code, ''], end.stderr);
    return end.stderr;
  }

  async token(...args) { return JSON.parse(await this.does('token', '--scope', 'User.Read', ...args)); }

  begin(...args) { return Program.start(VALET, ['login', ...args], { env: this.env, ready: false }); }

  // Signs in by device code; `meanwhile` gets the program while it waits.
  async signIn(user, args = this.whom, { end, meanwhile, way = ['--device-code'] } = {}) {
    const program = this.begin(...way, ...args);
    try {
      await program.says(/Waiting/);
      await meanwhile?.(program);
      await typeCode(program.stderr, user, end);
      const { code } = await program.exited;
      this.said += program.stderr;
      return { code, stdout: program.stdout, stderr: program.stderr };
    } finally {
      await program.stop();
    }
  }

  async signedIn(user, args) {
    const end = await this.signIn(user, args);
    assert.equal(end.code, 0, end.stderr);
    return end.stdout;
  }

  leave() { rmSync(this.home, { recursive: true, force: true }); }
}

// A session bus and a keyring of this person's own, for the Secret Service.
export async function startSession(person) {
  const bus = await Bus.start(person.home);
  Object.assign(person.env, bus.env, { XDG_DATA_HOME: person.home });
  await startKeyring(bus, person.home);
  return bus;
}
