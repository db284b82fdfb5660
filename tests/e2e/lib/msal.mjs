// The program of msal-program.mjs, from the side of a test.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';

export class Msal {
  static start(ca) {
    const msal = new Msal();
    msal.waiting = new Map();
    msal.made = 0;
    msal.child = spawn(process.execPath, [path.join(import.meta.dirname, 'msal-program.mjs')], {
      env: { ...process.env, NODE_EXTRA_CA_CERTS: ca }, stdio: ['pipe', 'pipe', 'inherit'],
    });
    msal.exited = new Promise((resolve) => { msal.child.once('close', resolve); });
    createInterface({ input: msal.child.stdout }).on('line', (line) => {
      const { id, open, device, ...answer } = JSON.parse(line);
      if (open) msal.opened(open);
      else if (device) msal.shown(device);
      else msal.waiting.get(id)(answer);
    });
    return msal;
  }

  stop() {
    this.child.stdin.end();
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 5000);
    return this.exited.finally(() => clearTimeout(timer));
  }

  // { result } or { error }
  ask(command, options = {}) {
    const id = ++this.made;
    return new Promise((resolve) => {
      this.waiting.set(id, resolve);
      this.child.stdin.write(`${JSON.stringify({ id, command, ...options })}\n`);
    });
  }

  async must(command, options) {
    const { result, error } = await this.ask(command, options);
    if (error) throw new Error(`${error.kind} ${error.code}: ${error.text}`);
    return result;
  }

  // An application object; its methods are called by name. Its cache is in
  // memory, or in this file.
  async app(kind, auth, cacheFile) {
    const name = `app${++this.made}`;
    await this.must('make', { name, kind, auth, cacheFile });
    return {
      cache: (method, ...args) => this.must('cache', { name, method, args }),
      call: (method, ...args) => this.must('call', { name, method, args }),
      refusal: async (method, ...args) => {
        const { result, error } = await this.ask('call', { name, method, args });
        if (!error) throw new Error(`${method} was not refused: ${JSON.stringify(result)}`);
        return error;
      },
      // `walk` is what the person does with the code that is shown.
      device: (request, walk) => {
        this.shown = walk;
        return this.ask('device', { name, args: [request] });
      },
      // `walk` is what the person does with the URL that the browser opens.
      interactive: (request, walk) => {
        this.opened = walk;
        return this.ask('interactive', { name, args: [request] });
      },
    };
  }
}
