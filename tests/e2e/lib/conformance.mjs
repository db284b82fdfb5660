// The official conformance suite as a test: run against a URL, read from the
// checks it writes, and held against what there has to be. A scenario without a
// check would count as passed, and a wall of refusals passes many: so it is
// said here how many checks of each scenario have to succeed.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { BIN } from './valet.mjs';

export const EVERYTHING = path.join(BIN, '..', 'e2e', 'everything');

const runner = (version) => path.resolve(import.meta.dirname, `../node_modules/conformance-${version}/dist/index.js`);

// Runs a version of the suite to its end: its exit code, what it said, and the
// checks of each scenario. Its process is ended when it takes too long.
export const runSuite = (version, url, args = [], options = {}) => run(version, ['server', '--url', url, ...args], options);

// The same with the suite as the server, which starts a client for each
// scenario: `command`, a line that it splits at blanks.
export const runClientSuite = (version, command, args = [], options = {}) =>
  run(version, ['client', '--command', command, ...args], options);

async function run(version, args, { timeout = 120000 }) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'valet-conformance-'));
  try {
    const child = spawn(process.execPath, [runner(version), ...args, '-o', folder], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => { output += text; });
    const timer = setTimeout(() => child.kill('SIGKILL'), timeout);
    const code = await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    clearTimeout(timer);
    return { code, output, scenarios: readChecks(folder) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

// The suite writes each scenario's checks to NAME-TIME/checks.json, of servers
// with "server-" before it; none when the scenario itself broke off. Names may
// have a folder in them.
const BROKEN = [{ id: 'checks.json', status: 'FAILURE', errorMessage: 'the scenario broke off' }];
function readChecks(folder) {
  const scenarios = new Map();
  for (const name of readdirSync(folder, { recursive: true }).sort()) {
    const [, scenario] = /^(?:server-)?(.*)-\d{4}-\d\d-\d\dT[\d-]+Z$/.exec(name) ?? [];
    const file = path.join(folder, name, 'checks.json');
    if (scenario) scenarios.set(scenario, existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : BROKEN);
  }
  return scenarios;
}

// What is wrong with a run, one sentence each; none if all is well. `wanted`:
// how many checks have to succeed → the scenarios of which that is true.
// `tolerated`: status → the scenarios that may have it. INFO says nothing.
export function findFaults({ code, output, scenarios }, wanted, tolerated = {}) {
  const faults = [];
  const minimum = new Map(Object.entries(wanted)
    .flatMap(([count, names]) => names.split(/\s+/).filter(Boolean).map((name) => [name, Number(count)])));
  for (const [name, checks] of scenarios) {
    if (!minimum.has(name)) faults.push(`${name}: it is not said here how many checks this has`);
    for (const { id, status, errorMessage, details } of checks)
      if (!['SUCCESS', 'INFO'].includes(status) && !tolerated[status]?.includes(name))
        faults.push(`${name}: ${status} of ${id}: ${errorMessage ?? ''} ${JSON.stringify(details ?? {}).slice(0, 1000)}`);
  }
  for (const [name, count] of minimum) {
    const succeeded = (scenarios.get(name) ?? []).filter(({ status }) => status === 'SUCCESS').length;
    if (succeeded < count) faults.push(`${name}: ${succeeded} checks succeeded, ${count} have to`);
  }
  if (code !== 0) faults.push(`the suite ended with ${code}: ${output.slice(-2000)}`);
  return faults;
}

// The suite knows no tokens: this stands before a server and adds one to each
// request. Whoever asks for this address means the server; a foreign Host or
// Origin reaches the server as it is, to be refused there.
export class Injector {
  static async start(upstream, bearer) {
    const injector = new Injector();
    injector.upstream = new URL(upstream);
    injector.bearer = bearer;
    injector.server = http.createServer((request, response) => injector.forward(request, response));
    await new Promise((resolve) => { injector.server.listen(0, '127.0.0.1', resolve); });
    injector.authority = `127.0.0.1:${injector.server.address().port}`;
    return injector;
  }

  get url() { return `http://${this.authority}${this.upstream.pathname}`; }

  forward(request, response) {
    const { hostname, port, host } = this.upstream;
    const headers = { ...request.headers, authorization: `Bearer ${this.bearer}` };
    if (headers.host === this.authority) headers.host = host;
    if (headers.origin === `http://${this.authority}`) headers.origin = `http://${host}`;
    const onward = http.request({ hostname, port, path: request.url, method: request.method, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      response.flushHeaders(); // of an event stream, long before its first event
      answer.pipe(response);
    });
    onward.on('error', () => {
      if (!response.headersSent) response.writeHead(502);
      response.end();
    });
    response.on('close', () => onward.destroy());
    request.pipe(onward);
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((resolve) => { this.server.close(resolve); });
  }
}
