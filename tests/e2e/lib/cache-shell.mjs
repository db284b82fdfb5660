// Our token cache, as tests/programs/cache_shell.c lets it be driven.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { BIN } from './valet.mjs';

export class CacheShell {
  static start() {
    const shell = new CacheShell();
    shell.waiting = [];
    shell.child = spawn(path.join(BIN, '../tests/cache_shell'), { stdio: ['pipe', 'pipe', 'inherit'] });
    shell.exited = new Promise((resolve) => { shell.child.once('close', resolve); });
    createInterface({ input: shell.child.stdout }).on('line', (line) => shell.waiting.shift()(JSON.parse(line)));
    return shell;
  }

  async stop() {
    this.child.stdin.end();
    return this.exited;
  }

  ask(what, fields = {}) {
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      this.child.stdin.write(`${JSON.stringify({ do: what, ...fields })}\n`);
    });
  }

  async must(what, fields) {
    const answer = await this.ask(what, fields);
    if (!answer.ok) throw new Error(`${what}: ${answer.error}: ${answer.message}`);
    return answer;
  }
}
