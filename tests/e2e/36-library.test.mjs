// libvalet as a product: what is installed compiles by itself, links both ways,
// and its examples do against the stand-in what they say.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { examples, Installed, notInstallable, ROOT } from './lib/installed.mjs';
import { OIDC, StandIn } from './lib/standin.mjs';

const C = ['-std=c11', '-std=c17'].map((standard) => ['-x', 'c', standard]);
const CPP = [['-x', 'c++', '-std=c++17']];
const compilers = Object.entries({ gcc: C, 'g++': CPP, 'clang-14': [...C, ...CPP] })
  .filter(([name]) => spawnSync(name, ['--version']).status === 0);

test('every function of entra.h has its counterpart in docs/msal.md, which names no other', () => {
  const read = (name) => readFileSync(path.join(ROOT, name), 'utf8');
  const header = read('include/valet/entra.h').replace(/^ \*.*$|^typedef [^;{]*;/gm, '');
  const page = read('docs/msal.md');
  const functions = (text) => [...new Set(text.match(/\bvalet_\w+(?=\()/g))].filter((name) => !/^valet_(entra|validate)$/.test(name)).sort();
  assert.deepEqual(functions(page), functions(header));
  for (const name of page.match(/\bVALET_\w+/g)) assert.match(header, new RegExp(`\\b${name}\\b`));
});

describe('the installed libvalet', { skip: notInstallable }, () => {
  let installed, standIn, programs;
  before(async () => {
    installed = new Installed();
    programs = Object.fromEntries(examples().map((name) => [name, installed.build(name)]));
    standIn = await StandIn.start();
  });
  after(async () => {
    await standIn?.stop();
    installed?.done();
  });

  test('has headers that stand alone, in C and in C++', () => {
    const folder = path.join(installed.prefix, 'include/valet');
    const headers = readdirSync(folder);
    assert.ok(headers.includes('status.h') && headers.includes('validate.h'));
    for (const header of headers.map((name) => `valet/${name}`))
      for (const [compiler, languages] of compilers) for (const language of languages)
        installed.compile(compiler, [...language, `-I${path.dirname(folder)}`, '-fsyntax-only'], '/dev/null',
          '-include', header, '-include', header); // twice: the guard works
  });

  test('is asked for by its SONAME, and needs what valet.pc says', () => {
    for (const program of Object.values(programs)) assert.ok(installed.needed(program).includes('libvalet.so.0'), program);
    const packages = installed.pkgConfig('--print-requires-private').filter((word) => /^[a-z]/.test(word));
    const wanted = packages.map((name) => `lib${name.replace(/^lib/, '')}.so`);
    const needed = installed.needed(installed.find('libvalet.so.0')).filter((name) => !name.startsWith('libc.so'));
    assert.deepEqual(needed.map((name) => name.replace(/\.so\..*/, '.so')), wanted.sort());
  });

  test('is found by CMake, shared and static', () => {
    const shared = installed.buildByCMake('shared');
    const bundled = installed.buildByCMake('static');
    for (const name of examples()) {
      assert.ok(installed.needed(path.join(shared, name)).includes('libvalet.so.0'), name);
      assert.ok(!installed.needed(path.join(bundled, name)).includes('libvalet.so.0'), name);
    }
  });

  describe('validate_token', () => {
    let token;
    before(async () => {
      ({ access_token: token } = await standIn.tokens(
        { scope: `${OIDC} ${standIn.apps.api.scope}` }, { user: standIn.users.reader }));
    });
    const validate = (text, env = {}, program = programs.validate_token) => {
      const { status, stdout, stderr } = spawnSync(program, { input: text, encoding: 'utf8', timeout: 20000,
        env: { ...installed.env, VALET_TENANT: standIn.tenants[0].id, VALET_AUDIENCE: standIn.apps.api.id,
          VALET_AUTHORITY: standIn.base, ...env } });
      return { status, stdout, stderr };
    };
    const isGood = ({ status, stdout, stderr }) => {
      const { id, tenant, display_name: name } = standIn.users.reader;
      assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
      assert.equal(stdout, `person ${id} of tenant ${tenant} by client ${standIn.apps.web.id}\nname: ${name}\n`
        + 'scopes: access_as_user\n');
    };

    test('tells whose token it is', () => isGood(validate(`${token}\n`)));
    test('does the same with the static library, without the other', () =>
      isGood(validate(token, { LD_LIBRARY_PATH: '' }, installed.buildStatic('validate_token'))));
    test('refuses what is no good token, and says why to its log alone', () => {
      assert.deepEqual(validate(token, { VALET_SCOPE: 'Orders.Read' }).status, 1);
      const changed = validate(`${token}x`);
      assert.equal(changed.status, 1);
      assert.match(changed.stderr, /^(signature|malformed): /);
      assert.equal(changed.stdout, '');
      assert.match(validate('x'.repeat(19000)).stderr, /^too_long: /);
    });
    test('tells wrong settings and an issuer that is not there', () => {
      assert.match(validate(token, { VALET_TENANT: 'common' }).stderr, /^settings: /);
      assert.equal(validate(token, { VALET_TENANT: 'common' }).status, 2);
      const away = validate(token, { VALET_AUTHORITY: 'http://127.0.0.1:9' });
      assert.deepEqual([away.status, away.stderr.split(':')[0]], [3, 'keys_unavailable']);
    });
  });
});
