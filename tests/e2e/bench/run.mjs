// ./dev bench [NAME …]: measures, prints, and writes docs/performance.md.
// The server runs on core 0; load and stand-in on core 1. Both sides of a
// ratio are measured in the same run, in interleaved rounds.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import mainJob from './main-job.mjs';
import remote from './remote.mjs';
import { cleanUp } from './setup.mjs';
import acquire from './acquire.mjs';
import connect from './connect.mjs';
import envelope from './envelope.mjs';
import localServer from './local-server.mjs';
import mcp from './mcp.mjs';
import validate from './validate.mjs';

const all = { ...mainJob, ...remote, ...validate, ...acquire, ...envelope, ...mcp, ...localServer, ...connect };
const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(all);
const results = {};

// The orchestrator is the load generator: it belongs on core 1.
execFileSync('taskset', ['-pc', '1', String(process.pid)], { stdio: 'ignore' });
try {
  for (const name of names) {
    if (!all[name]) throw new Error(`no benchmark ${name}; there are ${Object.keys(all).join(', ')}`);
    process.stderr.write(`bench: ${name}\n`);
    results[name] = await all[name]();
    console.log(`\n## ${name}\n\n${results[name]}`);
  }
} finally {
  cleanUp();
}

// docs/performance.md keeps the last figure of each name.
const file = path.join('..', '..', 'docs', 'performance.md');
let old = '';
try { old = readFileSync(file, 'utf8'); } catch { /* the first time */ }
const section = (name) => new RegExp(`## ${name}\n\n([\\s\\S]*?)(?=\n## |$)`).exec(old)?.[1].trimEnd();
const cpu = /model name\s*: (.*)/.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? 'unknown CPU';
writeFileSync(file, `# Performance

Made by \`./dev bench\` (one figure: \`./dev bench NAME\`). The server runs on
core 0; load generator and stand-in on core 1. Both sides of a ratio are
measured in the same run, in interleaved rounds, by CPU time of the server per
request, since machines drift. Last run: ${new Date().toISOString().slice(0, 10)}, ${os.cpus().length} cores, ${cpu}, Linux ${os.release().split('-')[0]}.

${Object.keys(all).map((name) => [name, results[name] ?? section(name)]).filter(([, text]) => text)
    .map(([name, text]) => `## ${name}\n\n${text}\n`).join('\n')}`);
