// What the benchmarks share: the programs on their cores, a configuration, a
// signed-in client, rounds of load.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import { Client, Mcp } from '../lib/client.mjs';
import { cpuSeconds, run, startPinned } from './measure.mjs';

export const BIN = process.env.VALET_BIN;
export const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
export const SECONDS = Number(process.env.BENCH_SECONDS ?? 4);

export const described = JSON.parse(execFileSync(path.join(BIN, 'mcp-valet-tenant'), ['--describe'], { encoding: 'utf8' }));
export const scratch = mkdtempSync(path.join(os.tmpdir(), 'valet-bench-'));
export const cleanUp = () => rmSync(scratch, { recursive: true, force: true });

export const pause = (ms) => new Promise((r) => setTimeout(r, ms));

export async function withTenant(use) {
  const tenant = await startPinned(1, path.join(BIN, 'mcp-valet-tenant'), ['--listen', '127.0.0.1:0']);
  try {
    return await use(tenant);
  } finally {
    await tenant.stop();
  }
}

// One load generator asks for everybody, and often: the limits of an address
// would be what is measured. `overrides` replace whole top-level keys.
export function writeConfig(tenant, { port = 0, ...overrides } = {}) {
  const secret = path.join(scratch, 'secret');
  writeFileSync(secret, described.apps.web.secret, { mode: 0o600 });
  chmodSync(secret, 0o600);
  const file = path.join(scratch, 'valet.yaml');
  // JSON is YAML.
  writeFileSync(file, JSON.stringify({
    listen: `127.0.0.1:${port}`,
    entra: {
      tenant_id: tenant.info.tenant.split('/').pop(),
      client_id: described.apps.web.id,
      client_secret_file: secret,
      authority_host: tenant.info.authority,
      graph_url: tenant.info.graph,
    },
    servers: { graph: { builtin: 'graph' } },
    registration: { dynamic: true, max: 100000, per_address_per_hour: 10000 },
    limits: {
      connections: 10000, connections_per_address: 10000,
      requests_per_minute: 1000000, pending_sign_ins_per_address: 1000000, sessions_per_user: 1000000,
    },
    store: { path: path.join(scratch, 'store.db') },
    keys: { path: path.join(scratch, 'keys') },
    audit: { path: path.join(scratch, 'audit.jsonl') },
    ...overrides,
  }, null, 2));
  return file;
}

export const startValet = (config, { cores = 0, env } = {}) =>
  startPinned(cores, path.join(BIN, 'mcp-valet'), ['serve', '--config', config], { env });

// A server with somebody signed in and a session open.
export async function signedIn(valet) {
  const { access_token: token } = await new Client(valet.info.url).login(described.users.admin);
  const { session } = await new Mcp(`${valet.info.url}/mcp`, token).open();
  return { url: `${valet.info.url}/mcp`, token, session };
}

const LIST = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' });

// One request over 64 kept connections for some seconds, shared by the sides:
// CPU of the process per request, and requests per second. A side says where,
// by whom and what: its session and version, if there are any, further headers
// as an object.
export async function postRound(pid, sides) {
  const all = [sides].flat();
  const before = cpuSeconds(pid);
  const outs = await Promise.all(all.map(({ url, token, session, version, headers = {}, body }) =>
    run(all.length > 1 ? '0,1' : 1, 'wrk', ['-t1', `-c${64 / all.length}`, `-d${SECONDS}s`, '-s', 'bench/post.lua', url], {
      TOKEN: token, SESSION: session, VERSION: version, BODY: body,
      HEADERS: Object.entries(headers).map(([name, value]) => `${name}: ${value}\n`).join(''),
    })));
  const spent = cpuSeconds(pid) - before;
  let done = 0, rps = 0;
  for (const out of outs) {
    if (/Non-2xx/.test(out)) throw new Error(`answers were not 200:\n${out}`);
    done += Number(/(\d+) requests in/.exec(out)[1]);
    rps += Number(/Requests\/sec: *([\d.]+)/.exec(out)[1]);
  }
  return { us: (spent / done) * 1e6, rps };
}

// The same of tools/list.
export const listRound = (pid, sides) =>
  postRound(pid, [sides].flat().map((side) => ({ session: '', ...side, body: LIST })));

// Interleaved rounds of sides by name; the first of each warms up.
export async function compareAll(sides) {
  const rounds = [];
  for (let i = 0; i <= ROUNDS; i++) {
    const round = {};
    for (const [name, side] of Object.entries(sides)) round[name] = await side();
    if (process.env.BENCH_VERBOSE) console.error(i, round);
    if (i > 0) rounds.push(round);
  }
  return rounds;
}

export const compare = (sideA, sideB) => compareAll({ a: sideA, b: sideB });
