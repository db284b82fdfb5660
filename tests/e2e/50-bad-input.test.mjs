// What the program says when it is given something wrong: which line, what to
// write instead, which exit code; and that a running server outlives it all.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Browser, request } from './lib/browser.mjs';
import { Mcp } from './lib/client.mjs';
import { Bench, LOCAL, Program, runToEnd, TENANT, VALET } from './lib/valet.mjs';

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/;
const BASE = `entra:
  tenant_id: 5c1e7a0d-3b52-4f6e-9d41-7a8c20b4e913
  client_id: 91d4c6a7-58e2-4f3b-8a0c-b7e5f2143d96
  client_secret_file: secret
servers:
  graph:
    builtin: graph
`;

// The variables that a configuration may come from do not leak in from outside.
const NO_ENV = Object.fromEntries(Object.keys(process.env)
  .filter((name) => /^(AZURE_|FR_|PORT$)/.test(name)).map((name) => [name, undefined]));

function folderOf(t) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'valet-bad-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(path.join(folder, 'secret'), 'made-up-secret\n', { mode: 0o600 });
  return folder;
}

// The complaints, without log lines.
const complaints = (stderr) => stderr.split('\n').filter((line) => line.startsWith('mcp-valet: '));

// Exactly one complaint, that says what is expected, and nothing on stdout.
function assertRefused(end, code, says) {
  assert.equal(end.signal, null, end.stderr);
  assert.equal(end.code, code, end.stderr);
  assert.equal(end.stdout, '');
  const lines = complaints(end.stderr);
  assert.equal(lines.length, 1, end.stderr);
  assert.match(lines[0], says);
  return lines[0];
}

const secretFile = (text) => BASE.replace('client_secret_file: secret', text);

describe('a wrong configuration', () => {
  const cases = [
    // @spec S-04: every wrong pair of client type and credential
    ['public with a secret file', secretFile('client_type: public\n  client_secret_file: secret'), '4:16',
      /public client cannot keep a secret.*write client_type: confidential/],
    ['public with a secret of the environment', secretFile('client_secret_env: SOME_SECRET\n  client_type: public'), '5:16',
      /public client cannot keep a secret.*client_secret_env.*write client_type: confidential/],
    ['public without a secret', secretFile('client_type: public'), '4:16', /write client_type: confidential/],
    // @spec W-26: what is needed is demanded, before anything listens.
    ['confidential without a secret', secretFile('client_type: confidential'), '1:1',
      /must prove who it is; write client_certificate_file: PATH or client_secret_file: PATH/],
    ['two secrets', secretFile('client_secret_file: secret\n  client_secret_env: SOME_SECRET'), '5:22',
      /write client_secret_file alone/],
    ['a certificate beside a secret', secretFile('client_certificate_file: c.pem\n  client_secret_file: secret'), '4:28',
      /would be without effect; write client_certificate_file alone/],
    ['public with a certificate', secretFile('client_certificate_file: c.pem\n  client_type: public'), '5:16',
      /public client cannot keep a secret.*client_certificate_file.*write client_type: confidential/],
    ['a certificate that is not there', secretFile('client_certificate_file: nowhere'), '4:28', /No such file or directory; write/],
    // @spec S-57
    ['a secret written into the file', secretFile('client_secret: hunter2'), '4:3', /write client_secret_file: PATH/],
    ['a secret file that is not there', secretFile('client_secret_file: nowhere'), '4:23', /No such file or directory; write/],
    ['a secret that the environment lacks', secretFile('client_secret_env: NOT_SET_ANYWHERE'), '4:22',
      /is not set; set it, or write client_secret_file/],
    ['an unknown key', `${BASE}listne: localhost:3001\n`, '8:1', /no option "listne" here; did you mean listen\?/],
    ['an unknown key of a section', BASE.replace('client_id', 'clientid'), '3:3', /did you mean entra\.client_id\?/],
    ['a key that comes twice', `${BASE}listen: localhost:1\nlisten: localhost:2\n`, '9:1', /line 8 already; write it once/],
    ['an address for everybody', `${BASE}listen: 0.0.0.0:3001\n`, '8:9', /must be a loopback.*write localhost:3001/],
    ['a port that is none', `${BASE}listen: localhost:99999\n`, '8:9', /write/],
    ['a public URL without TLS', `${BASE}public_url: http://mcp.example.com\n`, '8:13', /must use https.*write https/],
    ['a tenant that is everybody’s', BASE.replace(/tenant_id: .*/, 'tenant_id: common'), '2:14', /write the Directory \(tenant\) ID/],
    ['a client id that is none', BASE.replace(/client_id: .*/, 'client_id: mine'), '3:14', /GUID/],
    ['a text for a number', `${BASE}limits: {connections: many}\n`, '8:23', /from 1 to 10000; write for example 10000/],
    ['a duration without a unit', `${BASE}tokens: {access_lifetime: 10}\n`, '8:27', /write for example 10m/],
    ['lifetimes in the wrong order', `${BASE}tokens: {refresh_lifetime: 100d}\n`, '8:28', /longer than tokens\.session_lifetime; write/],
    ['a quoted truth', `${BASE}registration: {dynamic: "yes"}\n`, '8:25', /must be true or false/],
    ['an unknown choice', `${BASE}log: {level: loud}\n`, '8:14', /error, warn, info or debug; write/],
    ['a redirect URI with script', `${BASE}clients:\n- id: a\n  name: b\n  redirect_uris: ["javascript:alert(1)"]\n`, '11:19', /write for example/],
    ['two clients of one id', `${BASE}clients:\n${'- {id: a, name: b, redirect_uris: ["http://127.0.0.1/"]}\n'.repeat(2)}`, '10:8',
      /line 9 has this id already; write another/],
    ['two files in one', `${BASE}store: {path: same}\nkeys: {path: same}\n`, '9:14', /same file as store\.path; write another/],
    ['a tab', `${BASE}\tlisten: localhost:1\n`, '8:1', /not YAML/],
    ['a list', '[1]\n', '1:1', /must be a map, not a list/],
    ['nothing', '', '1:1', /entra\.tenant_id is missing; write it/],
    ['bytes that are no text', Buffer.from([0x61, 0xff, 0x0a]), '1:1', /not UTF-8/],
  ];
  for (const [what, text, place, says] of cases)
    // @spec S-21 S-92
    test(`with ${what} is refused with file, line and column`, async (t) => {
      const folder = folderOf(t);
      const file = path.join(folder, 'valet.yaml');
      writeFileSync(file, text);
      for (const command of ['check', 'serve']) {
        const end = await runToEnd(VALET, [command, '--config', file], { env: { ...NO_ENV, SOME_SECRET: 'x' } });
        const line = assertRefused(end, 2, says);
        assert.ok(line.startsWith(`mcp-valet: ${file}:${place}: `), line);
        assert.ok(!line.includes('hunter2'), 'the secret itself is not repeated');
      }
    });

  // Otherwise everybody would sign in, and be refused, for ever.
  test('with a required scope that nobody can be granted is refused', async (t) => {
    const folder = folderOf(t);
    const file = path.join(folder, 'valet.yaml');
    writeFileSync(file, `${BASE}required_scopes: [User.Read, mcp.admin]\n`);
    for (const command of ['check', 'serve'])
      assertRefused(await runToEnd(VALET, [command, '--config', file], { env: { ...NO_ENV } }), 2,
        /required_scopes names "mcp\.admin".*; write mcp\.tools\.read$/);
    assert.ok(!existsSync(path.join(folder, 'mcp-valet.db')), 'nothing was begun');
  });

  for (const [what, spoil, says] of [
    ['others may read', (file) => chmodSync(file, 0o644), /may be read by others \(mode 644\): chmod 600/],
    ['is empty', (file) => truncateSync(file), /is empty; write the secret/],
    ['has two lines', (file) => writeFileSync(file, 'a\nb\n'), /in one line/],
    ['is a folder', (file) => { rmSync(file); mkdirSync(file); }, /not a regular file/],
  ])
    test(`with a secret file that ${what} is refused`, async (t) => {
      const folder = folderOf(t);
      const file = path.join(folder, 'valet.yaml');
      writeFileSync(file, BASE);
      spoil(path.join(folder, 'secret'));
      const end = await runToEnd(VALET, ['serve', '--config', file], { env: NO_ENV });
      assert.match(assertRefused(end, 2, says), /valet\.yaml:4:23: /);
    });

  test('that is no file is refused', async (t) => {
    const folder = folderOf(t);
    for (const [file, says] of [[path.join(folder, 'none.yaml'), /none\.yaml: No such file/], [folder, /not a regular file/]])
      assertRefused(await runToEnd(VALET, ['serve', '--config', file]), 2, says);
  });

  test('grows from the sample once it is filled in', async (t) => {
    const folder = folderOf(t);
    const file = path.join(folder, 'valet.yaml');
    const sample = await runToEnd(VALET, ['config', 'sample']);
    assert.equal(sample.code, 0);
    writeFileSync(file, sample.stdout);
    assertRefused(await runToEnd(VALET, ['check', '--config', file], { env: NO_ENV }), 2, /entra\.tenant_id is missing/);
    // The three lines that are needed, from BASE.
    const filled = sample.stdout.replace(/^ *#(tenant_id|client_id|client_secret_file): .*/gm,
      (all, key) => BASE.split('\n').find((line) => line.startsWith(`  ${key}: `)));
    writeFileSync(file, filled);
    const end = await runToEnd(VALET, ['check', '--config', file], { env: NO_ENV });
    assert.equal(end.code, 0, end.stderr);
    assert.equal(end.stderr, '');
    // The files that the sample names are read.
    const openssl = (...args) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=mcp.example.com',
      '-keyout', 'certificate.key', '-out', 'certificate.pem');
    chmodSync(path.join(folder, 'certificate.key'), 0o600);
    copyFileSync(path.join(folder, 'certificate.pem'), path.join(folder, 'private-ca.pem'));
    // Every option of it, switched on by taking the one character away; only
    // sentences begin behind "# ".
    writeFileSync(file, filled.replace(/^( *)#(?! [^ ])/gm, '$1').replace(/^ *(client_secret_env|client_certificate_file): .*\n/gm, ''));
    const whole = await runToEnd(VALET, ['check', '--config', file], { env: NO_ENV });
    assert.equal(whole.code, 0, whole.stderr);
  });
});

describe('the command line', () => {
  for (const [args, says] of [
    [['serve'], /entra\.tenant_id is missing; write it, or set the environment variable AZURE_TENANT_ID/],
    [['serve', '--nonsense'], /unknown argument: --nonsense/],
    [['serve', '--config'], /--config needs a value/],
    [['serve', '--dev=1'], /--dev takes no value/],
    [['serve', '--dev', '--config', 'x'], /either --config FILE, or --dev/],
    [['serve', '--config', 'x', '--listen', 'localhost:0'], /either --config FILE, or --dev/],
    [['serve', 'stray'], /unknown argument: stray/],
    [['dance'], /unknown command: dance/],
    [['help', 'dance'], /unknown command: dance/],
    [['check', 'stray'], /unknown argument: stray/],
    [['config'], /sample, options, schema/],
    [['config', 'sample', 'stray'], /sample, options, schema/],
    // A stand-in for sign-in is nothing to offer to a network.
    [['serve', '--dev', '--listen', '0.0.0.0:0'], /loopback/],
    [['serve', '--dev', '--listen', 'nonsense'], /listen/],
  ])
    test(`${args.join(' ')} is refused with 2`, async () => {
      assertRefused(await runToEnd(VALET, args, { env: NO_ENV }), 2, says);
    });

  test('without any word shows the help and ends with 2', async () => {
    const end = await runToEnd(VALET, []);
    assert.equal(end.code, 2);
    assert.match(end.stderr, /usage: mcp-valet COMMAND/);
  });

  test('has a version and help for everything', async () => {
    assert.match((await runToEnd(VALET, ['--version'])).stdout, /^mcp-valet \d+\.\d+\.\d+\n$/);
    for (const args of [['help'], ['--help'], ['-h']])
      assert.match((await runToEnd(VALET, args)).stdout, /serve +run the secured MCP server/);
    for (const command of ['serve', 'check', 'config'])
      for (const args of [['help', command], [command, '--help']]) {
        const end = await runToEnd(VALET, args);
        assert.equal(end.code, 0);
        assert.ok(end.stdout.startsWith(`usage: mcp-valet ${command}`), end.stdout);
      }
    assert.equal(JSON.parse((await runToEnd(VALET, ['config', 'schema'])).stdout).type, 'object');
  });

  test('--dev says when the stand-in is not beside the program', async (t) => {
    const folder = folderOf(t);
    const alone = path.join(folder, 'mcp-valet');
    copyFileSync(VALET, alone);
    // One on the PATH is none of ours.
    const elsewhere = { ...NO_ENV, PATH: `${path.dirname(TENANT)}:${process.env.PATH}` };
    const end = await runToEnd(alone, ['serve', '--dev', '--listen', 'localhost:0'], { env: elsewhere });
    assertRefused(end, 1, /the stand-in tenant .*mcp-valet-tenant is missing: --dev needs it beside mcp-valet/);
  });

  test('commands of a person say when their program is not where it belongs, or is none', async (t) => {
    const folder = folderOf(t);
    const alone = path.join(folder, 'bin/mcp-valet');
    mkdirSync(path.dirname(alone));
    copyFileSync(VALET, alone);
    // One on the PATH, or in the working folder, is none of ours.
    const cwd = path.dirname(LOCAL);
    const run = (...args) => runToEnd(alone, args, { cwd, env: { ...NO_ENV, PATH: `${cwd}:${process.env.PATH}` } });
    for (const args of [['token', '--scope', 'x'], ['login'], ['logout', '--help'], ['help', 'accounts']])
      assertRefused(await run(...args), 1, /\/bin\/\.\.\/.*mcp-valet-local is missing: mcp-valet is not installed as a whole/);
    assert.equal((await run('help')).code, 0);
    const place = path.join(folder, path.relative(path.join(VALET, '../..'), LOCAL));
    mkdirSync(path.dirname(place), { recursive: true });
    writeFileSync(place, 'no program', { mode: 0o644 });
    assertRefused(await run('accounts'), 1, /cannot run .*mcp-valet-local: Permission denied/);
  });
});

describe('what lies on the disk', () => {
  let bench;
  before(async () => { bench = await Bench.start(); await bench.server.stop(); });
  after(() => bench.stop());

  const fails = async (says, overrides) => {
    bench.port = 0;
    const args = ['serve', '--config', bench.writeConfig(overrides)];
    return assertRefused(await runToEnd(VALET, args, { env: NO_ENV }), 1, says);
  };
  // `bench.server` as after() expects it.
  const works = async () => { bench.port = 0; await bench.serve(); assert.equal((await bench.server.stop()).code, 0); };

  test('a taken port is one clear line and 1', async () => {
    const taken = net.createServer();
    await new Promise((resolve) => { taken.listen(0, '127.0.0.1', resolve); });
    const { port } = taken.address();
    try {
      await fails(new RegExp(`${port}.*(in use|EADDRINUSE)`), { listen: `127.0.0.1:${port}` });
      await fails(new RegExp(`${port}.*(in use|EADDRINUSE)`), { listen: `localhost:${port}` });
    } finally {
      await new Promise((resolve) => { taken.close(resolve); });
    }
  });

  test('a second server beside the first does not take its port', async () => {
    bench.port = 0;
    await bench.serve();
    try {
      const args = ['serve', '--config', bench.writeConfig({ listen: `127.0.0.1:${bench.port}` })];
      assertRefused(await runToEnd(VALET, args, { env: NO_ENV }), 1, /in use/);
      assert.equal((await request(bench.url)).status, 200);
    } finally {
      await bench.server.stop();
    }
  });

  const keys = () => bench.path('keys');
  for (const [what, spoil, says] of [
    ['others may read', () => chmodSync(keys(), 0o644), /keys may be read by others \(mode 644\): chmod 600/],
    ['is cut short', () => truncateSync(keys(), 30), /keys:1: the key is not 32 bytes/],
    ['is empty', () => truncateSync(keys()), /keys:1: there is no key/],
    ['holds nonsense', () => writeFileSync(keys(), 'nonsense\n'), /keys:1: it is not an id, a space and a key/],
    ['is a link', () => { writeFileSync(bench.path('other'), readFileSync(keys()), { mode: 0o600 }); rmSync(keys()); symlinkSync('other', keys()); }, /keys/],
    ['is a folder', () => { rmSync(keys()); mkdirSync(keys()); }, /keys is not a regular file/],
    ['may not be read', () => chmodSync(keys(), 0), /keys: Permission denied/],
  ])
    test(`a key file that ${what} is one clear line`, { skip: what === 'may not be read' && process.getuid() === 0 && 'root may' }, async () => {
      const whole = readFileSync(keys());
      try {
        spoil();
        const line = await fails(says);
        assert.ok(!line.includes(whole.toString().split(' ')[1].trim().slice(0, 12)), 'the key is not shown');
      } finally {
        rmSync(keys(), { recursive: true });
        writeFileSync(keys(), whole, { mode: 0o600 });
      }
      await works();
    });

  for (const [what, spoil] of [
    ['is no database', (file) => writeFileSync(file, 'this is a letter to my aunt\n'.repeat(40))],
    ['is cut short', (file) => truncateSync(file, 5000)],
    ['has a torn page', (file) => {
      const bytes = readFileSync(file);
      bytes.fill(0xa5, 4096, 4096 + 900);
      writeFileSync(file, bytes);
    }],
    ['is a folder', (file) => { rmSync(file); mkdirSync(file); }],
  ])
    test(`a store that ${what} is one clear line`, async () => {
      const whole = readFileSync(bench.storeFile);
      try {
        spoil(bench.storeFile);
        assert.ok((await fails(/store/)).includes(bench.storeFile));
      } finally {
        rmSync(bench.storeFile, { recursive: true });
        writeFileSync(bench.storeFile, whole, { mode: 0o600 });
      }
      await works();
    });

  test('a database of another program is left alone', async () => {
    const { DatabaseSync } = await import('node:sqlite');
    const file = bench.path('foreign.db');
    writeFileSync(file, '', { mode: 0o600 });
    const db = new DatabaseSync(file);
    db.exec('CREATE TABLE diary (day TEXT); INSERT INTO diary VALUES (\'Monday\')');
    db.close();
    await fails(/no store of mcp-valet/, { store: { path: file } });
    const again = new DatabaseSync(file);
    assert.deepEqual(again.prepare('SELECT name FROM sqlite_schema').all().map((row) => row.name), ['diary']);
    assert.equal(again.prepare('SELECT day FROM diary').get().day, 'Monday');
    again.close();
  });

  test('a folder that is not there is one clear line', async () => {
    await fails(/nowhere/, { store: { path: bench.path('nowhere/store.db') } });
    await fails(/nowhere/, { keys: { path: bench.path('nowhere/keys') } });
    await fails(/nowhere/, { audit: { path: bench.path('nowhere/audit.jsonl') } });
  });
});

// An error page of status `status`; its number stands in the audit.
async function assertErrorPage(bench, page, status) {
  assert.equal(page.status, status, page.text);
  assert.equal(page.next, undefined, 'no loop');
  const [id] = UUID.exec(page.text);
  return bench.audit((line) => line.correlation === id && line.outcome === 'refused');
}

describe('an authority that is away', () => {
  // @spec S-94
  test('is an error page with a number, and the server lives on', async (t) => {
    const bench = await Bench.start({ serve: false });
    t.after(() => bench.stop());
    const away = net.createServer();
    await new Promise((resolve) => { away.listen(0, '127.0.0.1', resolve); });
    const host = `http://127.0.0.1:${away.address().port}`;
    await new Promise((resolve) => { away.close(resolve); });
    bench.config = { entra: { ...JSON.parse(readFileSync(bench.writeConfig())).entra, authority_host: host } };
    await bench.serve();
    for (let i = 0; i < 2; i++) {
      const client = await bench.client().register();
      const line = await assertErrorPage(bench, await client.consent(), 503);
      assert.equal(line.event, 'upstream.redirect');
      assert.equal(line.reason, 'provider_unavailable');
    }
    assert.equal((await request(bench.url)).status, 200);
    // Once the authority is there, people can sign in.
    const late = await Program.start(TENANT, ['--listen', new URL(host).host]);
    t.after(() => late.stop());
    await bench.signedIn();
    assert.equal((await bench.server.stop()).code, 0);
  });

  test('that dies during a sign-in is an error page, and the server lives on', async (t) => {
    const bench = await Bench.start();
    t.after(() => bench.stop());
    const browser = new Browser();
    const client = await bench.client().register();
    const signIn = await (await client.consent(browser)).follow((url) => !url.includes('/callback'));
    const user = bench.users.admin;
    const back = (await signIn.submit({ username: user.username, password: user.password })).next;
    assert.ok(back.startsWith(`${bench.url}/auth/callback`), back);
    await bench.tenant.stop('SIGKILL');
    const line = await assertErrorPage(bench, await browser.open(back), 503);
    assert.equal(line.event, 'callback.fail');
    assert.equal((await request(bench.url)).status, 200);
    // The state is spent: the same address again asks nobody.
    assert.equal((await assertErrorPage(bench, await browser.open(back), 400)).reason, 'unknown_state');
    assert.equal((await bench.server.stop()).code, 0);
  });
});

// libcurl is loaded at the first request to the authority.
describe('a machine without libcurl', () => {
  test('is told by check, and a sign-in there is an error page', async (t) => {
    const folder = folderOf(t);
    writeFileSync(path.join(folder, 'libcurl.so.4'), 'no library');
    const env = { LD_LIBRARY_PATH: folder };
    const bench = await Bench.start({ env });
    t.after(() => bench.stop());
    const checked = await runToEnd(VALET, ['check', '--config', bench.writeConfig()], { env });
    assertRefused(checked, 1, /cannot load libcurl: .*libcurl\.so\.4/);
    const client = await bench.client().register();
    const line = await assertErrorPage(bench, await client.consent(), 503);
    assert.equal(line.event, 'upstream.redirect');
    await bench.server.says(/cannot load libcurl/);
    assert.equal((await request(bench.url)).status, 200);
    assert.equal((await bench.server.stop()).code, 0);
  });
});

describe('a message that is none', () => {
  let bench, signedIn;
  before(async () => { bench = await Bench.start(); signedIn = await bench.signedIn(); });
  after(() => bench.stop());

  // @spec W-04
  for (const [what, body] of [
    ['half of a message', '{'], ['nothing', ''], ['a word', 'hello'], ['two messages', '{}{}'],
    ['bytes that are no text', Buffer.from([0x22, 0xff, 0x22])], ['a trailing comma', '{"jsonrpc":"2.0",}'],
    ['a key that comes twice', '{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}'],
    ['too many brackets', '['.repeat(10000)], ['a NUL', '{"jsonrpc":"2.0","id":1,"method":"ping\0"}'],
  ])
    test(`is answered −32700 when it is ${what}, and the server lives on`, async () => {
      const answer = await request(signedIn.mcp.url, {
        method: 'POST', body,
        headers: {
          'content-type': 'application/json', accept: 'application/json, text/event-stream',
          authorization: `Bearer ${signedIn.mcp.token}`, 'mcp-session-id': signedIn.mcp.session,
        },
      });
      assert.equal(answer.status, 400, answer.text);
      const message = JSON.parse(answer.text);
      assert.equal(message.jsonrpc, '2.0');
      assert.equal(message.id, null);
      assert.equal(message.error.code, -32700);
      assert.deepEqual((await signedIn.mcp.call('ping')).result, {});
    });

  // @spec W-03
  test('may break off at any byte', async () => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' });
    const whole = `POST /mcp HTTP/1.1\r\nHost: localhost:${bench.port}\r\nContent-Type: application/json\r\n` +
      `Accept: application/json, text/event-stream\r\nAuthorization: Bearer ${signedIn.mcp.token}\r\n` +
      `Mcp-Session-Id: ${signedIn.mcp.session}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    for (let length = 0; length <= whole.length; length += 7)
      await new Promise((resolve, reject) => {
        const socket = net.connect(bench.port, '127.0.0.1', () => {
          socket.write(whole.slice(0, length), () => {
            if (length % 2) socket.resetAndDestroy();
            else socket.destroy();
          });
        });
        socket.on('close', resolve);
        socket.on('error', (error) => (error.code === 'ECONNRESET' ? resolve() : reject(error)));
      });
    assert.deepEqual((await signedIn.mcp.call('ping')).result, {});
  });

  test('ends with nothing but the ready line on standard output', async () => {
    assert.equal(bench.server.stdout, `${JSON.stringify(bench.server.info)}\n`);
    assert.deepEqual(bench.server.info, { event: 'ready', url: bench.url });
  });
});

describe('the end', () => {
  const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
  const refused = (port) => new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => { socket.destroy(); resolve(false); });
    socket.on('error', () => resolve(true));
  });

  for (const signal of ['SIGTERM', 'SIGINT'])
    test(`by ${signal} finishes the request that runs, and is 0`, async (t) => {
      const bench = await Bench.start();
      t.after(() => bench.stop());
      const { mcp } = await bench.signedIn();
      await request(`${bench.tenant.info.authority}/_emul/faults`, {
        method: 'POST', headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ where: 'graph', delay_ms: 1500 }),
      });
      const call = mcp.tool('getUserDetails');
      await bench.audit((line) => line.event === 'tool.start');
      bench.server.child.kill(signal);
      for (let tries = 0; !(await refused(bench.port)); tries++) {
        assert.ok(tries < 20, 'new connections are still taken');
        await pause(20);
      }
      assert.ok(!(await call).result.isError);
      assert.deepEqual(await bench.server.exited, { code: 0, signal: null });
      assert.equal(bench.server.stdout, `${JSON.stringify(bench.server.info)}\n`);
    });

  test('asked for twice is at once', async (t) => {
    const bench = await Bench.start();
    t.after(() => bench.stop());
    const { mcp } = await bench.signedIn();
    await request(`${bench.tenant.info.authority}/_emul/faults`, {
      method: 'POST', headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ where: 'graph', delay_ms: 20000 }),
    });
    const call = mcp.tool('getUserDetails').catch((error) => error);
    await bench.audit((line) => line.event === 'tool.start');
    bench.server.child.kill('SIGTERM');
    while (!(await refused(bench.port))) await pause(20);
    bench.server.child.kill('SIGTERM');
    assert.deepEqual(await bench.server.exited, { code: 0, signal: null });
    await call;
  });
});

describe('the names that samples use in the environment', () => {
  // @spec S-92
  for (const [what, names] of [
    ['the Azure SDKs', { tenant: 'AZURE_TENANT_ID', client: 'AZURE_CLIENT_ID', secret: 'AZURE_CLIENT_SECRET', authority: 'AZURE_AUTHORITY_HOST' }],
    ['the lesson’s sample', { tenant: 'FR_TENANT_ID', client: 'FR_API_CLIENT_ID', secret: 'FR_API_CLIENT_SECRET' }],
  ])
    test(`start a server: those of ${what}`, async (t) => {
      const bench = await Bench.start({ serve: false });
      t.after(() => bench.stop());
      const free = http.createServer();
      await new Promise((resolve) => { free.listen(0, '127.0.0.1', resolve); });
      const { port } = free.address();
      await new Promise((resolve) => { free.close(resolve); });
      bench.env = {
        ...NO_ENV,
        [names.tenant]: bench.tenant.info.tenant.split('/').pop(),
        [names.client]: bench.set.apps.web.id,
        [names.secret]: bench.set.apps.web.secret,
        PORT: String(port),
      };
      const entra = { graph_url: bench.tenant.info.graph };
      if (names.authority) bench.env[names.authority] = bench.tenant.info.authority;
      else entra.authority_host = bench.tenant.info.authority;
      bench.config = { listen: undefined, entra };
      await bench.serve();
      assert.equal(bench.url, `http://localhost:${port}`);
      await bench.server.says(new RegExp(`warn.*${names.secret}.*client_secret_file`));
      assert.ok(!bench.server.stderr.includes(bench.set.apps.web.secret));
      await bench.audit((line) => line.event === 'config.warn');
      const { mcp } = await bench.signedIn();
      assert.ok(!(await mcp.tool('getUserDetails')).result.isError);
    });
});

describe('serve --dev', () => {
  test('starts the stand-in as a child and ends it too', async (t) => {
    const dev = await Program.start(VALET, ['serve', '--dev', '--listen', 'localhost:0'], { env: NO_ENV });
    t.after(() => dev.stop());
    assert.deepEqual(Object.keys(dev.info), ['event', 'url', 'tenant']);
    const tenant = `${dev.info.tenant}/v2.0/.well-known/openid-configuration`;
    assert.equal((await request(tenant)).status, 200);
    assert.equal((await request(`${dev.info.url}/mcp`)).status, 401);
    assert.equal((await dev.stop()).code, 0);
    await assert.rejects(request(tenant), /ECONNREFUSED/);
  });

  test('killed outright leaves no stand-in behind', async (t) => {
    const dev = await Program.start(VALET, ['serve', '--dev', '--listen', 'localhost:0'], { env: NO_ENV });
    t.after(() => dev.stop());
    await dev.stop('SIGKILL');
    const tenant = `${dev.info.tenant}/v2.0/.well-known/openid-configuration`;
    for (let tries = 0; ; tries++) {
      const gone = await request(tenant).then(() => false, () => true);
      if (gone) break;
      assert.ok(tries < 40, 'the stand-in is still there');
      await new Promise((resolve) => { setTimeout(resolve, 50); });
    }
  });
});
