// Writes docs/learn/one-sign-in.md from the template beside this file and two
// runs. --check writes nothing and fails when the page would be another one.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { record } from './flow.mjs';
import { write } from './page.mjs';

const TEMPLATE = path.join(import.meta.dirname, 'one-sign-in.md');
const PAGE = path.resolve(import.meta.dirname, '../../../docs/learn/one-sign-in.md');

try {
  mkdirSync(path.dirname(PAGE), { recursive: true });
  const page = write(readFileSync(TEMPLATE, 'utf8'), await Promise.all([record(), record()]));
  if (process.argv[2] === '--check') {
    const { status, stdout } = spawnSync('diff', ['-u', '--label', 'docs/learn/one-sign-in.md', '--label', 'what a run tells', PAGE, '-'], { input: page, encoding: 'utf8' });
    if (status !== 0) throw new Error(`${stdout}\nthe page is not what a run tells: look at what has changed, then ./dev learn`);
  } else {
    writeFileSync(PAGE, page);
  }
} catch (error) {
  console.error(`learn: error: ${error.message}`);
  process.exitCode = 1;
}
