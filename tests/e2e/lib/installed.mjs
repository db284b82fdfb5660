// libvalet as a user gets it: installed below a folder that was then moved,
// found by pkg-config and by CMake.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { BIN } from './valet.mjs';

export const ROOT = path.resolve(import.meta.dirname, '../../..');
const BUILD = path.dirname(BIN);
const CACHE = path.join(BUILD, 'CMakeCache.txt');
export const EXAMPLES = path.join(ROOT, 'examples');
export const example = (name) => path.join(EXAMPLES, `${name}.c`);
export const examples = () => readdirSync(EXAMPLES).filter((name) => name.endsWith('.c')).map((name) => name.slice(0, -2));

// Why there is nothing to install, or false.
export const notInstallable = !existsSync(CACHE) ? 'no build folder'
  : /^VALET_SANITIZE:STRING=./m.test(readFileSync(CACHE, 'utf8')) && 'not for installing';

const WARNINGS = ['-Wall', '-Wextra', '-Wpedantic', '-Werror'];

export class Installed {
  constructor() {
    this.folder = mkdtempSync(path.join(os.tmpdir(), 'valet-library-'));
    this.prefix = path.join(this.folder, 'moved');
    const first = path.join(this.folder, 'first');
    this.run('cmake', ['--install', BUILD, '--prefix', first]);
    renameSync(first, this.prefix);
    this.lib = path.dirname(path.dirname(this.find('valet.pc')));
  }

  path(name) { return path.join(this.folder, name); }

  // The path of an installed file by its name.
  find(name) {
    const found = readdirSync(this.prefix, { recursive: true }).find((one) => path.basename(one) === name);
    if (!found) throw new Error(`${name} is not installed`);
    return path.join(this.prefix, found);
  }

  run(file, args, env = {}) {
    return execFileSync(file, args, { encoding: 'utf8', stdio: 'pipe', timeout: 120000, env: { ...process.env, ...env } });
  }

  pkgConfig(...args) {
    return this.run('pkg-config', [...args, 'valet'], { PKG_CONFIG_PATH: path.join(this.lib, 'pkgconfig') })
      .trim().split(/\s+/);
  }

  compile(compiler, language, file, ...args) {
    return this.run(compiler, [...WARNINGS, ...language, file, ...args]);
  }

  // With nothing but what pkg-config says.
  build(file) {
    const program = this.path(path.basename(file, '.c'));
    this.compile('cc', ['-std=c11'], file, '-o', program, ...this.pkgConfig('--cflags', '--libs'));
    return program;
  }

  // The same, with libvalet in the program.
  buildStatic(file) {
    const program = this.path(`${path.basename(file, '.c')}-static`);
    const flags = this.pkgConfig('--static', '--cflags', '--libs').map((f) => (f === '-lvalet' ? '-l:libvalet.a' : f));
    this.compile('cc', ['-std=c11'], file, '-o', program, ...flags);
    return program;
  }

  // All examples by their CMakeLists.txt; returns the folder of the programs.
  buildByCMake(link) {
    const folder = this.path(`cmake-${link}`);
    this.run('cmake', ['-S', EXAMPLES, '-B', folder, '-G', 'Ninja', `-DLINK=${link}`, `-DCMAKE_PREFIX_PATH=${this.prefix}`]);
    this.run('cmake', ['--build', folder]);
    return folder;
  }

  needed(program) {
    return [...this.run('readelf', ['-d', program]).matchAll(/\(NEEDED\).*\[(.*)\]/g)].map((m) => m[1]).sort();
  }

  get env() { return { LD_LIBRARY_PATH: this.lib }; }

  done() { rmSync(this.folder, { recursive: true }); }
}
