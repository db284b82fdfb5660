// Our token cache, as programs/cache_shell.c lets it be driven.
import path from 'node:path';
import { Lines } from './lines.mjs';
import { BIN } from './valet.mjs';

export class CacheShell extends Lines {
  static start() { return new CacheShell(path.join(BIN, '..', 'e2e', 'cache-shell')); }
}
