// A session bus of the test's own, on a socket in a folder of the test, and
// the stand-in for the identity broker on it (programs/fake_broker.c).
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { BIN } from './valet.mjs';

const FAKE = path.join(BIN, '..', 'e2e', 'fake-broker');

export async function awaitFile(file) {
  for (let i = 0; !existsSync(file); i++) {
    assert.ok(i < 500, `${file} does not appear`);
    await new Promise((r) => { setTimeout(r, 10); });
  }
}

export class Bus {
  static async start(folder) {
    const bus = Object.assign(new Bus(), { children: [] });
    const socket = path.join(folder, 'bus'), config = path.join(folder, 'bus.conf');
    writeFileSync(config, `<busconfig><type>session</type><listen>unix:path=${socket}</listen><auth>EXTERNAL</auth>
      <policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
      <allow own="*"/></policy></busconfig>`);
    bus.env = { DBUS_SESSION_BUS_ADDRESS: `unix:path=${socket}`, XDG_RUNTIME_DIR: folder };
    bus.spawn('dbus-daemon', ['--nofork', `--config-file=${config}`]);
    await awaitFile(socket);
    return bus;
  }

  // A program that lives as long as the bus, or until it is ended.
  spawn(file, args, { env = {}, input = '' } = {}) {
    const child = spawn(file, args, { env: { ...process.env, ...this.env, ...env }, stdio: ['pipe', 'pipe', 'ignore'] });
    child.stdin.on('error', () => {}); // who has ended reads nothing more
    child.stdin.end(input);
    const exited = new Promise((resolve) => { child.once('close', resolve); });
    const one = { child, exited, end: () => { child.kill('SIGTERM'); return exited; } };
    this.children.push(one);
    return one;
  }

  // What it is asked is kept in `calls`: [method, request].
  async broker(args) {
    const broker = Object.assign(this.spawn(FAKE, args), { calls: [] });
    await new Promise((resolve, reject) => {
      broker.exited.then(() => reject(new Error('the fake broker has ended')));
      createInterface({ input: broker.child.stdout }).on('line', (line) => {
        if (line === 'ready') resolve();
        const [method, , ...request] = line.split(' ');
        if (request.length) broker.calls.push([method, JSON.parse(request.join(' '))]);
      });
    });
    return broker;
  }

  async stop() {
    for (const one of this.children.reverse()) await one.end();
  }
}

// Until somebody on the bus has this name.
async function awaitName(bus, name) {
  const args = ['--session', '--print-reply=literal', '--dest=org.freedesktop.DBus', '/', 'org.freedesktop.DBus.NameHasOwner', `string:${name}`];
  for (let i = 0; i < 100; i++) {
    const { stdout } = spawnSync('dbus-send', args, { env: { ...process.env, ...bus.env }, encoding: 'utf8' });
    if (/true/.test(stdout)) return;
    await new Promise((r) => { setTimeout(r, 50); });
  }
  assert.fail(`nobody is ${name}`);
}

// A Secret Service on this bus, unlocked, with its files in the folder.
export async function startKeyring(bus, folder) {
  const control = path.join(folder, 'control');
  const keyring = bus.spawn('gnome-keyring-daemon',
    ['--foreground', '--components=secrets', `--control-directory=${control}`, '--unlock'],
    { env: { XDG_DATA_HOME: folder }, input: 'a made-up password' });
  await awaitFile(path.join(control, 'control'));
  await awaitName(bus, 'org.freedesktop.secrets'); // which it takes a little later
  return keyring;
}
