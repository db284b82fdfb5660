// A program that takes lines of JSON and answers each with one line.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export class Lines {
  constructor(file, args = [], env = {}) {
    this.waiting = [];
    this.child = spawn(file, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'inherit'] });
    this.exited = new Promise((resolve) => { this.child.once('close', resolve); });
    this.exited.then((code) => this.waiting.forEach((answer) => answer({ error: `ended with ${code}` })));
    createInterface({ input: this.child.stdout }).on('line', (line) => this.waiting.shift()(JSON.parse(line)));
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
    if (answer.error) throw new Error(`${what}: ${answer.error}: ${answer.message ?? ''}`);
    return answer;
  }
}
