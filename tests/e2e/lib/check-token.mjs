// An API in C that validates tokens by include/valet/validate.h.
import { createInterface } from 'node:readline';
import path from 'node:path';
import { BIN, Program } from './valet.mjs';

export class TokenChecker {
  // Options as in tests/e2e/programs/check_token.c; a list repeats its name.
  static async start(t, options) {
    const args = Object.entries(options).flatMap(([name, value]) => [value].flat().map((one) => `${name}=${one}`));
    const checker = new TokenChecker();
    checker.program = await Program.start(path.join(BIN, '..', 'e2e', 'check-token'), args);
    checker.answers = [];
    createInterface({ input: checker.program.child.stdout }).on('line', (line) => checker.answers.shift()?.(line));
    t.after(() => checker.stop());
    return checker;
  }

  // "ok v2 user tid=… oid=… client=… scopes=…", "denied audience"
  verdict(token) {
    const answer = new Promise((resolve) => this.answers.push(resolve));
    this.program.child.stdin.write(`${token}\n`);
    return answer;
  }

  async stop() {
    this.program.child.stdin.end();
    return this.program.exited;
  }
}
