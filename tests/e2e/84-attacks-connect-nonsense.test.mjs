// `mcp-valet connect` and answers that are too long, too slow, or no HTTP.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { meet, raw, refused } from './lib/town.mjs';

const LIMIT = { timeout: 120000 };

describe('too much, too slowly, or nonsense', () => {
  const drip = (bytes, ms) => ({ res }) => {
    res.socket.on('error', () => {});
    const timer = setInterval(() => { if (!res.socket?.write(bytes)) clearInterval(timer); }, ms);
    res.on('close', () => clearInterval(timer));
    res.socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n');
    return null;
  };
  const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n';
  const BAD = {
    'a document of a megabyte': () => [200, {}, ' '.repeat(1 << 20)],
    'a document that never ends': drip('x'.repeat(60000), 1),
    'headers that never end': drip('X-A: b\r\n', 1),
    'a header of 64 kB': () => [200, { 'x-a': 'b'.repeat(65536) }, '{}'],
    'a thousand headers': raw(`${HEAD}${'X-A: b\r\n'.repeat(1000)}\r\n{}`),
    'a depth of 100000': () => [200, {}, '['.repeat(100000)],
    'two lengths': raw(`${HEAD}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}}`),
    'a length and chunks': raw(`${HEAD}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`),
    'a chunk of 2^64': raw(`${HEAD}Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n{}`),
    'a negative length': raw(`${HEAD}Content-Length: -1\r\n\r\n{}`),
    'a folded header': raw(`${HEAD}X-A: b\r\n c\r\nContent-Length: 2\r\n\r\n{}`),
    'a switch of protocols': raw('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'),
    'interim answers for ever': drip('HTTP/1.1 103 Early Hints\r\n\r\n', 1),
    'no HTTP at all': raw('\x1b[2J\x00\xff\r\n\r\n'),
    'nothing': raw(''),
  };
  for (const [what, over] of Object.entries(BAD))
    for (const place of ['/.well-known/oauth-protected-resource/mcp', '/token', '/mcp']) {
      // What is no document is as good as none: there are other ways.
      if (/depth/.test(what) && /well-known/.test(place)) continue;
      test(`${what} at ${place} is an error in bounded time and memory`, LIMIT, async () => {
        await meet({ [place]: (ask, town) => (place === '/mcp' && ask.headers.authorization === undefined ? [401, { 'www-authenticate': town.challenge }] : over(ask, town)) }, {
          ms: 60000,
          look: async ({ answer, connector }) => {
            refused(answer);
            assert.ok(Buffer.byteLength(JSON.stringify(answer)) < 4096, 'no error repeats what came');
            assert.equal(connector.child.exitCode, null);
          },
        });
      });
    }
});
