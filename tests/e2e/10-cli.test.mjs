// The command line: what help, the man pages and the completions say is what
// the programs do, and each of them says all of it.
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { BIN, Bench, Program, runToEnd, TENANT, VALET } from './lib/valet.mjs';

const ROOT = path.resolve(import.meta.dirname, '../..');
const read = (name) => readFileSync(path.join(ROOT, name), 'utf8');
const run = (file, ...args) => {
  const { status, stdout, stderr } = spawnSync(file, args, { encoding: 'utf8', timeout: 20000 });
  return { status, stdout, stderr };
};
const helpOf = (...args) => run(VALET, 'help', ...args).stdout;
const sorted = (words) => [...new Set(words)].sort();
const optionsIn = (text) => sorted(text.match(/(?<![\w-])--[a-z][a-z-]*/g) ?? []);
// mdoc writes --listen as Fl \-listen, and Cm names what is typed as it is.
const flagsOf = (page) => sorted(page.match(/\\-[a-z][a-z-]*/g).map((f) => `-${f.slice(1)}`).map((f) => f.replace(/^-+/, '--')));

const commands = [...helpOf().matchAll(/^ {2}([a-z]+) {2,}/gm)].map((m) => m[1]);
const texts = /config ([a-z|]+)/.exec(helpOf('config'))[1].split('|');
let folder;

before(() => { folder = mkdtempSync(path.join(os.tmpdir(), 'valet-cli-')); });
after(() => rmSync(folder, { recursive: true }));

// What bash offers for the last of these words.
function complete(...words) {
  const script = `source "${ROOT}/completions/$1.bash"
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
    fn=$(complete -p "$1"); fn=\${fn#*-F }; "\${fn%% *}"
    ((\${#COMPREPLY[@]})) && printf '%s\\n' "\${COMPREPLY[@]}"; :`;
  return sorted(execFileSync('bash', ['-c', script, 'bash', ...words], { encoding: 'utf8', cwd: folder })
    .split('\n').filter(Boolean));
}

describe('mcp-valet', () => {
  test('lists its commands', () => {
    assert.deepEqual(commands, ['serve', 'check', 'config', 'login', 'logout', 'accounts', 'token', 'stdio', 'allow', 'connect']);
    for (const flag of ['help', '--help', '-h']) assert.equal(run(VALET, flag).stdout, helpOf());
    for (const name of commands) {
      assert.match(helpOf(name), new RegExp(`^usage: mcp-valet ${name} `));
      assert.equal(run(VALET, name, '--help').stdout, helpOf(name));
    }
    assert.match(run(VALET, '--version').stdout, /^mcp-valet \d+\.\d+\.\d+\n$/);
  });

  test('refuses what it does not know with 2', () => {
    for (const args of [[], ['dance'], ['help', 'dance'], ['serve'], ['serve', '--fast'], ['serve', '--config'],
      ['serve', '--dev=yes'], ['serve', '--dev', '--config', 'x'], ['serve', '--config', 'x', '--listen', 'y'],
      ['serve', '--config', '/nowhere'], ['serve', '--dev', '--listen', '0.0.0.0:0'], ['check', 'x'],
      ['check', '--config', '/nowhere'], ['config'], ['config', 'dance'], ['config', 'sample', 'x'],
      ['login', 'x'], ['login', '--scope'], ['login', '--browser', '--broker'], ['login', '--output', 'table'],
      ['login', '--client-id=x', '--tenant=y', '--prompt=z', '--cache-file', path.join(folder, 'x')],
      ['login', '--cache-file=x', '--secret-service'], ['logout', '--all', '--account', 'x'], ['accounts', '--all'],
      ['accounts', '--output', 'plain'], ['token'], ['token', '--scope', 'x', '--output', 'yaml'],
      ['token', ...Array(33).fill('--scope=x')],
      ['login', '--client-id', 'x', '--tenant', 'organizations'], ['accounts', '--client-id', 'x', '--tenant', 'a b'],
      ['accounts', '--client-id', 'x', '--tenant', 'y.example', '--authority-host', 'https://login.example'],
      ['connect'], ['connect', 'ftp://x'], ['connect', 'http://x.example/'], ['connect', 'https://x', 'https://y'],
      ['connect', 'https://x', '--token-file', 'a', '--token-env', 'B'], ['connect', 'https://x', '--token-env', 'UNSET_X'],
      ['connect', 'https://x', '--client-secret-file', 'a'], ['connect', 'https://x', '--client-credentials'],
      ['connect', 'https://x', '--cache-file', 'a', '--no-cache'], ['connect', 'https://x', '--callback-port', '65536'],
      ['connect', 'https://x', '--callback-host', 'x.example'],
      ['connect', 'https://x', '--sign-in', '--no-cache'], ['connect', 'https://x', '--sign-in', '--forget'],
      ['connect', 'https://x', '--sign-in', '--token-env', 'HOME'],
      ['connect', 'https://x', '--timeout', 'long'], ['connect', 'https://x', '--client-id', 'a', '--client-secret-file', '/nowhere']]) {
      const end = run(VALET, ...args);
      assert.equal(end.status, 2, args.join(' '));
      assert.equal(end.stdout, '', args.join(' '));
      assert.match(end.stderr, args.length ? /^mcp-valet: ./ : /usage: /, args.join(' '));
    }
  });

  test('checks a file and names line and column', () => {
    const file = path.join(folder, 'a.yaml');
    writeFileSync(path.join(folder, 'secret'), 'x', { mode: 0o600 });
    const good = 'entra:\n  tenant_id: contoso.example\n  client_id: 11111111-2222-4333-8444-555555555555\n' +
      '  client_secret_file: secret\n';
    writeFileSync(file, good);
    for (const args of [['--config', file], [`--config=${file}`]])
      assert.deepEqual(run(VALET, 'check', ...args), { status: 0, stdout: `${file}: good\n`, stderr: '' });
    writeFileSync(file, `${good}lisen: localhost:1\n`);
    const bad = run(VALET, 'check', '--config', file);
    assert.equal(bad.status, 2);
    assert.match(bad.stderr, /a\.yaml:5:1: there is no option "lisen" here; did you mean listen\?/);
  });

  test('writes a sample that is good once the three needed values are in', () => {
    const file = path.join(folder, 'sample.yaml');
    writeFileSync(path.join(folder, 'client-secret'), 'x', { mode: 0o600 });
    writeFileSync(file, run(VALET, 'config', 'sample').stdout
      .replace(/#(tenant_id|client_id|client_secret_file):/g, '$1:'));
    assert.equal(run(VALET, 'check', '--config', file).stderr, '');
  });

  test('opens the audit file anew on SIGHUP, ends with 0 on SIGTERM, with 1 if the port is taken', async () => {
    const bench = await Bench.start();
    try {
      renameSync(bench.auditFile, `${bench.auditFile}.1`);
      bench.server.child.kill('SIGHUP');
      for (let i = 0; !existsSync(bench.auditFile); i++) {
        assert.ok(i < 100, 'no new audit file');
        await new Promise((r) => { setTimeout(r, 50); });
      }
      const taken = await runToEnd(VALET, ['serve', '--config', bench.writeConfig()]);
      assert.equal(taken.code, 1);
      assert.match(taken.stderr, new RegExp(`${bench.port}.*address already in use`));
      assert.deepEqual(await bench.server.stop(), { code: 0, signal: null });
    } finally {
      await bench.stop();
    }
  });
});

describe('man pages', () => {
  test('name every command and option, and no others', () => {
    const page = read('docs/man/mcp-valet.1');
    for (const name of [...commands, ...texts]) assert.match(page, new RegExp(`\\.(Cm|It Cm|Ss) .*\\b${name}\\b`), name);
    const all = commands.flatMap((name) => optionsIn(helpOf(name)));
    assert.deepEqual(flagsOf(page), sorted([...all, '--help', '--version']));
    const tenant = read('docs/man/mcp-valet-tenant.1').replace('mcp-valet serve \\-\\-dev', '');
    assert.deepEqual(flagsOf(tenant), optionsIn(run(TENANT, '--help').stdout));
  });

  test('name every version of MCP that is spoken, and say how others are let in', () => {
    const page = read('docs/man/mcp-valet.1').replace(/\n/g, ' ');
    const spoken = [...read('src/mcp/version.c').matchAll(/\] = "(\d{4}-\d\d-\d\d)"/g)].map((m) => m[1]);
    assert.deepEqual(sorted(/STANDARDS Model Context Protocol ([^;]*);/.exec(page)[1].match(/\d{4}-\d\d-\d\d/g)), sorted(spoken));
    assert.match(page, /\.Sh CAVEATS .*loopbacks need \.Ic tls , or \.Ic trusted_proxies/);
  });

  test('list the options of the configuration as the table has them', () => {
    const [, section] = /^\.\\" begin: mcp-valet config man\n([^]*)^\.\\" end: mcp-valet config man$/m
      .exec(read('docs/man/mcp-valet.yaml.5'));
    assert.equal(section, run(VALET, 'config', 'man').stdout, 'run tools/man.sh');
  });

  test('show examples that work', () => {
    const unroff = (text) => text.replace(/\\e/g, '\\').replace(/\\&/g, '');
    const examples = (name) => [...read(name).matchAll(/^\.Bd -literal.*\n([^]*?)^\.Ed$/gm)].map((m) => unroff(m[1]));
    const yaml = examples('docs/man/mcp-valet.yaml.5');
    assert.equal(yaml.length, 2);
    writeFileSync(path.join(folder, 'client-secret'), 'x', { mode: 0o600 });
    for (const text of yaml) {
      const file = path.join(folder, 'example.yaml');
      writeFileSync(file, text.replace('/run/credentials/mcp-valet.service/', ''));
      assert.equal(run(VALET, 'check', '--config', file).stderr, '', text);
    }
    const [data] = examples('docs/man/mcp-valet-tenant.1');
    writeFileSync(path.join(folder, 'data.yaml'), data);
    const { users } = JSON.parse(run(TENANT, '--data', path.join(folder, 'data.yaml'), '--describe').stdout);
    assert.deepEqual(Object.keys(users), ['eve', 'locked']);
  });

  const interfaces = [
    ['mcp', ['valet_mcp_tool', 'valet_mcp_resource', 'valet_mcp_template', 'valet_mcp_prompt_argument', 'valet_mcp_prompt',
      'valet_mcp_address', 'valet_mcp_service', 'valet_mcp_content', 'valet_mcp_result'],
    /(?<=^ {4}|\{ |, )VALET_MCP_[A-Z_]+(?= =|,| \})/gm],
    ['validate', ['valet_validator_options', 'valet_token'], /VALET_(?:[RPE]S256|ENTRA_V\d)(?= =)/g],
    ['entra', ['valet_client_options', 'valet_request', 'valet_progress', 'valet_auth_result', 'valet_entra_error',
      'valet_account', 'valet_account_list'], /VALET_(?:NEXT|CLIENT|CACHE|FLOW|METHOD)_(?!COUNT)[A-Z_]+(?=,| =)/g],
  ];
  for (const [name, structs, constants] of interfaces) test(`show functions and structs of ${name}.h`, () => {
    const page = read(`docs/man/valet_${name}.3`);
    const header = read(`include/valet/${name}.h`);
    const names = sorted(header.replace(/^ \*.*$|^typedef [^;{]*;/gm, '').match(/\bvalet_\w+(?=\()/g));
    assert.deepEqual(sorted(page.match(/^\.Nm valet_\w+/gm).map((l) => l.slice(4))), names);
    for (const one of names) assert.match(page, new RegExp(`^\\.F[no] ${one}\\b`, 'm'), one);
    for (const struct of structs) {
      const fields = (text) => new RegExp(`typedef struct ${struct} \\{([^]*?)\\n\\} ${struct};`).exec(text)[1]
        .replace(/\/\*[^]*?\*\//g, '').match(/[^;\s][^;]*/g).map((f) => f.replace(/\s+/g, ' '));
      assert.deepEqual(fields(page), fields(header), struct);
    }
    for (const one of header.match(constants)) assert.ok(page.includes(`.It Dv ${one}`), one);
  });
});

describe('completion', () => {
  test('of bash offers what help lists, and no more', () => {
    assert.deepEqual(complete('mcp-valet', ''), sorted([...commands, 'help', '--help', '--version']));
    for (const name of commands.filter((n) => n !== 'config'))
      assert.deepEqual(complete('mcp-valet', name, ''), sorted([...optionsIn(helpOf(name)), '--help']), name);
    assert.deepEqual(complete('mcp-valet', 'config', ''), sorted([...texts, '--help']));
    assert.deepEqual(complete('mcp-valet', 'help', ''), sorted(commands));
    assert.deepEqual(complete('mcp-valet', 'serve', '--dev', '--a'), ['--audit']);
    assert.deepEqual(complete('mcp-valet', 'token', '--scope', 'x', '--re'), ['--renew']);
    assert.deepEqual(complete('mcp-valet', 'accounts', '--output', ''), ['json', 'table']);
    assert.deepEqual(complete('mcp-valet', 'token', '--account', ''), []);
    assert.deepEqual(complete('mcp-valet', 'dance', ''), ['--help']);
    assert.deepEqual(complete('mcp-valet-tenant', ''), optionsIn(run(TENANT, '--help').stdout));
  });

  test('of bash offers files where they are wanted', () => {
    mkdirSync(path.join(folder, 'files'), { recursive: true });
    for (const name of ['one.yaml', 'two words.yaml']) writeFileSync(path.join(folder, 'files', name), '');
    const files = ['files/one.yaml', 'files/two words.yaml'];
    assert.deepEqual(complete('mcp-valet', 'serve', '--config', 'files/'), files);
    assert.deepEqual(complete('mcp-valet', 'serve', '--config', '=', 'files/o'), [files[0]]);
    assert.deepEqual(complete('mcp-valet', 'serve', '--dev', '--audit', 'files/t'), [files[1]]);
    assert.deepEqual(complete('mcp-valet', 'token', '--cache-file', 'files/o'), [files[0]]);
    assert.ok(complete('mcp-valet', 'check', '--config', '=').includes('files'));
    assert.deepEqual(complete('mcp-valet-tenant', '--data', 'files/o'), [files[0]]);
    assert.deepEqual(complete('mcp-valet', 'serve', '--dev', '--listen', ''), []);
  });

  test('of bash completes at a prompt', async () => {
    const shell = spawn('script', ['-qec', 'bash --norc --noprofile -i', '/dev/null'],
      { env: { ...process.env, PATH: `${BIN}:${process.env.PATH}`, TERM: 'dumb' } });
    const timer = setTimeout(() => shell.kill('SIGKILL'), 20000);
    let out = '';
    shell.stdout.on('data', (d) => { out += d; });
    shell.stdin.write(`source ${ROOT}/completions/mcp-valet.bash\nmcp-valet conf\tsam\t | wc -l\nexit\n`);
    await new Promise((resolve) => { shell.once('close', resolve); });
    clearTimeout(timer);
    const lines = run(VALET, 'config', 'sample').stdout.split('\n').length - 1;
    assert.match(out, new RegExp(`^${lines}\\r?$`, 'm'), out);
  });

  test('of zsh names every command and option, and no others', () => {
    const page = read('completions/_mcp-valet');
    const part = (from, to) => page.slice(page.indexOf(from), page.indexOf(to, page.indexOf(from)));
    const names = (text) => sorted([...text.matchAll(/^\s*'([a-z]+):/gm)].map((m) => m[1]));
    assert.deepEqual(names(part('-a commands=', ')\n\tlocal')), sorted([...commands, 'help']));
    assert.deepEqual(names(part('-a texts=', '_describe')), sorted(texts));
    for (const name of commands) {
      const own = part(`\t\t${name})`, ';;');
      const spec = [...(own.includes('$whom') ? own + part('-a whom=', '\t)') : own).matchAll(/'(?:\([^)]*\)|\*)?(--[a-z-]+)=?\[/g)].map((m) => m[1]);
      assert.deepEqual(sorted(spec), sorted([...optionsIn(helpOf(name)), '--help']), name);
    }
    const tenant = [...read('completions/_mcp-valet-tenant').matchAll(/'(?:\([^)]*\))?(--[a-z-]+)=?\[/g)].map((m) => m[1]);
    assert.deepEqual(sorted(tenant), optionsIn(run(TENANT, '--help').stdout));
    // One line a command: what help says.
    for (const [, name, summary] of helpOf().matchAll(/^ {2}([a-z]+) {2,}(.*)$/gm))
      assert.ok(page.includes(`'${name}:${summary}'`), name);
  });
});

describe('install', () => {
  const build = path.dirname(BIN);
  const cache = path.join(build, 'CMakeCache.txt');
  const skip = !existsSync(cache) ? 'no build folder'
    : /^VALET_SANITIZE:STRING=./m.test(readFileSync(cache, 'utf8')) && 'not for installing';

  test('puts everything in place, the stand-in only if told', { skip }, async () => {
    const at = path.join(folder, 'usr');
    const install = (...args) => execFileSync('cmake', ['--install', build, '--prefix', at, ...args], { stdio: 'pipe' });
    install();
    for (const file of ['bin/mcp-valet', 'share/man/man1/mcp-valet.1', 'share/man/man3/valet_validate.3',
      'share/man/man5/mcp-valet.yaml.5', 'share/bash-completion/completions/mcp-valet',
      'share/zsh/site-functions/_mcp-valet', 'include/valet/status.h', 'include/valet/validate.h',
      'share/doc/mcp-valet/valet.yaml', 'share/doc/mcp-valet/LICENSE'])
      assert.ok(existsSync(path.join(at, file)), file);
    assert.equal(readFileSync(path.join(at, 'share/doc/mcp-valet/valet.yaml'), 'utf8'), run(VALET, 'config', 'sample').stdout);
    const unit = readFileSync(path.join(at, 'lib/systemd/system/mcp-valet.service'), 'utf8');
    assert.match(unit, new RegExp(`^ExecStart=${at}/bin/mcp-valet serve --config /etc/mcp-valet/valet.yaml$`, 'm'));
    assert.doesNotMatch(unit, /@[A-Z]+@/);
    for (const line of ['NoNewPrivileges=yes', 'ProtectSystem=strict', 'MemoryDenyWriteExecute=yes', 'CapabilityBoundingSet=',
      'SystemCallFilter=@system-service', 'StateDirectory=mcp-valet', 'DynamicUser=yes'])
      assert.ok(unit.split('\n').includes(line), line);
    // What the README says to write has to be possible for this unit.
    for (const [, port] of read('README.md').matchAll(/^ *listen: \S+:(\d+)/gm))
      assert.ok(Number(port) >= 1024 || unit.includes('\nAmbientCapabilities=CAP_NET_BIND_SERVICE'), `port ${port}`);
    // The commands of a person, too, wherever it was moved.
    const moved = path.join(folder, 'moved');
    renameSync(at, moved);
    for (const name of commands) assert.equal(run(path.join(moved, 'bin/mcp-valet'), 'help', name).stdout, helpOf(name));
    renameSync(moved, at);
    const valet = path.join(at, 'bin/mcp-valet');
    const args = ['serve', '--dev', '--listen', 'localhost:0'];
    const alone = run(valet, ...args);
    assert.equal(alone.status, 1);
    assert.match(alone.stderr, /the stand-in tenant .*\/usr\/bin\/mcp-valet-tenant is missing/);
    install('--component', 'tenant');
    assert.ok(existsSync(path.join(at, 'share/man/man1/mcp-valet-tenant.1')));
    const served = await Program.start(valet, args, { env: { PATH: '/nowhere' } });
    assert.equal(served.info.event, 'ready');
    assert.deepEqual(await served.stop(), { code: 0, signal: null }, served.stderr);
  });
});
