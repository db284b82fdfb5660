// A person at a desktop of their own, whose browser is ours: it signs in as
// soon as a page is opened.
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Browser } from './browser.mjs';
import { describeTenant } from './valet.mjs';

export class Desk {
  constructor({ user } = {}) {
    this.user = user ?? describeTenant().users.admin;
    this.home = mkdtempSync(path.join(os.tmpdir(), 'valet-desk-'));
    this.cache = path.join(this.home, 'cache');
    const notes = path.join(this.home, 'opened');
    writeFileSync(path.join(this.home, 'xdg-open'), `#!/bin/sh\nprintf '%s\\n' "$1" >> ${notes}\n`);
    chmodSync(path.join(this.home, 'xdg-open'), 0o755);
    writeFileSync(notes, '');
    this.env = { HOME: this.home, DISPLAY: ':99', PATH: `${this.home}:/usr/bin:/bin` };
    this.opened = []; // addresses, each of which was signed in at
    this.timer = setInterval(() => {
      for (const url of readFileSync(notes, 'utf8').split('\n').slice(this.opened.length, -1)) {
        this.opened.push(url);
        this.signIn(url).catch((error) => { this.error = error; });
      }
    }, 20);
  }

  async signIn(url) {
    let page = await (await new Browser().open(url)).follow();
    if (page.text.includes('name="decision"'))
      page = await (await page.submit({ decision: 'approve' })).follow();
    if (page.text.includes('name="password"'))
      page = await (await page.submit({ username: this.user.username, password: this.user.password })).follow();
    assert.equal(page.status, 200, page.text);
  }

  stop() {
    clearInterval(this.timer);
    rmSync(this.home, { recursive: true });
    assert.equal(this.error, undefined);
  }
}
