// A desktop whose browser opener notes what it was given, in place of a
// browser; and the person there, by HTTP alone.
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Browser } from './browser.mjs';

export class Desktop {
  constructor() {
    this.folder = mkdtempSync(path.join(os.tmpdir(), 'desktop-'));
    this.file = path.join(this.folder, 'opened');
    this.taken = 0;
    mkdirSync(path.join(this.folder, 'bin'));
    const opener = path.join(this.folder, 'bin', 'xdg-open');
    writeFileSync(opener, '#!/bin/sh\nprintf "%s\\n" "$1" >> "$OPENED"\n');
    chmodSync(opener, 0o755);
    this.env = { DISPLAY: ':99', WAYLAND_DISPLAY: '', OPENED: this.file, PATH: `${this.folder}/bin:/usr/bin:/bin` };
  }

  get opened() { return existsSync(this.file) ? readFileSync(this.file, 'utf8').split('\n').slice(0, -1) : []; }

  // The next address that was opened, in the order in which they were.
  async next() {
    for (let i = 0; this.opened.length <= this.taken; i++) {
      assert.ok(i < 500, 'nothing was opened');
      await new Promise((r) => setTimeout(r, 20));
    }
    return this.opened[this.taken++];
  }

  leave() { rmSync(this.folder, { recursive: true, force: true }); }
}

// Signs in at the address, which leads to the authority.
export async function signInAt(start, user, choice) {
  const page = await (await new Browser().open(start)).follow();
  assert.match(page.text, /name="password"/, page.text);
  const back = await page.submit({ username: user.username, password: user.password });
  return (choice ? await back.submit({ choice }) : back).submit({});
}

// Types the code of "open URL on any device and type the code CODE there".
export async function typeCodeOf(text, user) {
  const [, url, code] = /open (\S+) on any device and type the code (\S+) there/.exec(text);
  const page = await (await new Browser().open(url)).follow();
  const signIn = await page.submit({ otc: code });
  await (await signIn.submit({ username: user.username, password: user.password })).submit({ choice: 'continue' });
}

// Answers the question whether a program may.
export async function decide(url, decision) {
  const page = await new Browser().open(url);
  assert.equal(page.status, 200, page.text);
  const answer = await page.submit({ decision });
  assert.equal(answer.status, 200, answer.text);
  return page;
}
