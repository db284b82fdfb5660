// A real browser: Debian's Chromium, without a screen. What a page says on
// the console is kept, for a Content-Security-Policy that is broken shows
// itself there alone.
import http from 'node:http';
import path from 'node:path';
import { mkdirSync } from 'node:fs';
import { chromium } from 'playwright-core';

export const ARTEFACTS = process.env.VALET_ARTEFACTS ??
  path.resolve(import.meta.dirname, '../../../build/artefacts');

const OPTIONS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync'];

export const launch = (extra = []) => chromium.launch({
  executablePath: process.env.VALET_CHROMIUM ?? '/usr/bin/chromium', args: [...OPTIONS, ...extra], timeout: 60000,
});

// One person's browser: cookies of its own.
export class Window {
  static async open(chrome, options = {}) {
    const window = new Window();
    window.console = [];
    window.context = await chrome.newContext({ viewport: { width: 900, height: 900 }, ...options });
    window.context.setDefaultTimeout(15000);
    window.context.on('console', (message) => window.console.push(`${message.type()}: ${message.text()}`));
    window.context.on('weberror', (error) => window.console.push(`error: ${error.error()}`));
    return window;
  }

  tab() { return this.context.newPage(); }

  // What went wrong inside the pages. Chromium itself reports every answer of
  // 4xx and 5xx there, and that no program has registered a scheme.
  get complaints() {
    return this.console.filter((line) => /^(error|warning)/.test(line) &&
      !/Failed to load resource: the server responded with a status of|does not have a registered handler/.test(line));
  }

  close() { return this.context.close(); }
}

// Pictures of a page for people to look at, in three shapes.
export async function picture(tab, name) {
  mkdirSync(ARTEFACTS, { recursive: true });
  const size = tab.viewportSize();
  for (const [shape, width, colorScheme] of [['light', 900, 'light'], ['dark', 900, 'dark'], ['narrow', 360, 'light']]) {
    await tab.setViewportSize({ width, height: 760 });
    await tab.emulateMedia({ colorScheme });
    await tab.screenshot({ path: path.join(ARTEFACTS, `page-${name}-${shape}.png`), fullPage: true });
  }
  await tab.setViewportSize(size);
  await tab.emulateMedia({ colorScheme: null });
}

// The MCP client's own little server, on an origin of its own: keeps the
// answers that browsers bring.
export class Listener {
  static async start() {
    const listener = new Listener();
    listener.answers = [];
    listener.server = http.createServer((req, res) => {
      const url = new URL(req.url, listener.origin);
      if (url.pathname === '/callback') listener.answers.push(url.searchParams);
      res.writeHead(url.pathname === '/callback' ? 200 : 404, { 'content-type': 'text/html' });
      res.end('<!doctype html><title>client</title><link rel="icon" href="data:,"><p>You can close this window.');
    });
    await new Promise((resolve) => { listener.server.listen(0, '127.0.0.1', resolve); });
    listener.origin = `http://127.0.0.1:${listener.server.address().port}`;
    listener.redirect = `${listener.origin}/callback`;
    return listener;
  }

  stop() {
    this.server.closeAllConnections();
    return new Promise((resolve) => { this.server.close(resolve); });
  }
}
