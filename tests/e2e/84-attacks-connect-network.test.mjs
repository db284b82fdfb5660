// `mcp-valet connect` against a public server that would be led into this
// machine's network by it, and against proxies.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { request } from './lib/browser.mjs';
import { meet, Person, refused, Town, Trap, Tunnel } from './lib/town.mjs';

const LIMIT = { timeout: 120000 };

describe('a public server that names addresses', () => {
  let folder, cert, trap;
  const NAMES = ['evil.example', 'as.example', 'other.example'];
  before(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'valet-town-'));
    const openssl = (...args) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=evil.example', '-days', '2',
      '-addext', `subjectAltName=${NAMES.map((n) => `DNS:${n}`).join()}`, '-keyout', 'key.pem', '-out', 'ca.pem');
    cert = { key: readFileSync(path.join(folder, 'key.pem')), cert: readFileSync(path.join(folder, 'ca.pem')), file: path.join(folder, 'ca.pem') };
    trap = await Trap.start();
  });
  after(() => { trap.stop(); rmSync(folder, { recursive: true }); });

  // Who comes by a proxy comes to a server of everybody's.
  async function publicly(over, look, { answer, args = [] } = {}) {
    const town = await Town.start({ over, tls: cert, host: 'evil.example' });
    const tunnel = await Tunnel.start({ 'evil.example:443': town.port }, answer);
    try {
      return await meet(over, { town, args: ['--ca-file', cert.file, ...args], env: { https_proxy: tunnel.url },
        look: (all) => look({ ...all, tunnel }) });
    } finally {
      tunnel.stop();
      await town.stop();
    }
  }

  const hostile = (port) => [
    `https://127.0.0.1:${port}/x`, `https://localhost:${port}/x`, `https://a.localhost:${port}/x`, `https://[::1]:${port}/x`,
    `https://[::ffff:127.0.0.1]:${port}/x`, `https://[64:ff9b::7f00:1]:${port}/x`, 'https://10.1.2.3/x', 'https://192.168.0.1/x',
    'https://169.254.169.254/latest/meta-data', 'https://[fd00::1]/x', 'https://[fe80::1]/x', 'https://0.0.0.0/x', 'https://100.64.0.1/x',
    `https://127.1:${port}/x`, `https://2130706433:${port}/x`, `https://0x7f000001:${port}/x`, `https://0177.0.0.1:${port}/x`,
    `http://127.0.0.1:${port}/x`, `http://localhost:${port}/x`, 'http://as.example/x', 'https://user@as.example/x',
    'https://as.example\\@127.0.0.1/x', 'https://as.example/x#y', 'https://as.example:0/x', 'javascript:alert(1)', 'file:///etc/passwd',
    'data:text/html,x', 'ftp://as.example/x', '//as.example/x', '', 7, null, {},
  ];
  const doc = (name) => `/.well-known/oauth-${name}`;
  const SERVER = doc('authorization-server'), RESOURCE = doc('protected-resource/mcp');
  const PLACES = {
    resource_metadata: (to) => ({ '/mcp': () => [401, { 'www-authenticate': `Bearer resource_metadata="${String(to).replace(/[\\"]/g, '\\$&')}"` }] }),
    authorization_servers: (to) => ({ [RESOURCE]: (ask, town) => [200, {}, { ...town.resource, authorization_servers: [to] }] }),
    authorization_endpoint: (to) => ({ [SERVER]: (ask, town) => [200, {}, { ...town.metadata, authorization_endpoint: to }] }),
    token_endpoint: (to) => ({ [SERVER]: (ask, town) => [200, {}, { ...town.metadata, token_endpoint: to }] }),
    registration_endpoint: (to) => ({ [SERVER]: (ask, town) => [200, {}, { ...town.metadata, registration_endpoint: to }] }),
    'a redirect of its document': (to) => ({ [RESOURCE]: () => [302, { location: String(to).replace(/[\r\n]/g, '') }] }),
    'a redirect of itself': (to) => ({ '/mcp': () => [307, { location: String(to) }] }),
    'a redirect of its registration': (to) => ({ '/register': () => [307, { location: String(to) }] }),
  };

  // @spec CL-19 CL-20 SB-13
  for (const [place, over] of Object.entries(PLACES))
    test(`CL-19 CL-20 SB-13: ${place} leads nobody into this machine or its network`, LIMIT, async () => {
      // Where only a place is new, not the check, some of each kind will do.
      const addresses = hostile(trap.port).filter((_, i) => /endpoint$/.test(place) || i % 3 === 0);
      const came = trap.came;
      // The registration alone may be missing: then the person is told.
      const isFine = (to) => to === null || (place === 'resource_metadata' && typeof to !== 'string');
      await Promise.all(addresses.map(async (to) => {
        // Whatever the browser is shown is ours: it is not followed here.
        const person = new Person({ visit: async (url) => {
          const { headers } = await request(url);
          assert.match(headers.location, /^https:\/\/evil\.example\/authorize\?/, `${place} ${to}`);
          await request(`${new URL(headers.location).searchParams.get('redirect_uri')}?error=access_denied&state=${
            new URL(headers.location).searchParams.get('state')}`);
        } });
        const town = await Town.start({ over: over(to), tls: cert, host: 'evil.example' });
        const tunnel = await Tunnel.start({ 'evil.example:443': town.port });
        try {
          await meet({}, { town, person, args: ['--ca-file', cert.file], env: { https_proxy: tunnel.url }, look: ({ answer }) => {
            refused(answer);
            assert.deepEqual([...new Set(tunnel.asked)].filter((target) => target !== 'evil.example:443' && target !== 'as.example:443'), [], `${place} ${to}`);
            if (!isFine(to) && /endpoint/.test(place) && to !== '') assert.equal(person.opened.length, 0, `${place} ${to}`);
            assert.equal(town.asked('/token').length, 0);
          } });
        } finally {
          tunnel.stop();
          await town.stop();
        }
      }));
      assert.equal(trap.came, came);
    });

  // @spec CL-07 CL-16
  test('CL-07 CL-16: a token for one server is not given to another that names its documents', LIMIT, async () => {
    for (const resource of ['https://other.example/mcp', 'https://evil.example.other.example/mcp', 'https://evil.example:444/mcp',
      'http://evil.example/mcp', 'https://evil.example/mcp/x', 'https://evil.example/mc', 'https://EVIL.example@other.example/mcp', 'urn:x', '', null, 7])
      await publicly({ [RESOURCE]: (ask, town) => [200, {}, { ...town.resource, resource }] }, ({ answer, person, town }) => {
        refused(answer, /another resource/);
        assert.equal(person.opened.length, 0);
        assert.equal(town.asked('/register').length, 0);
      });
  });

  test('a proxy that speaks in the name of the server, or is none, learns nothing', LIMIT, async () => {
    for (const answer of ['HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}', 'SSH-2.0-x\r\n', 'HTTP/1.1 100 Continue\r\n\r\n',
      'HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm="\x1b]0;x\x07"\r\n\r\n', `HTTP/1.1 200 ${'x'.repeat(70000)}\r\n\r\n`])
      await publicly({}, ({ answer: got, town }) => {
        refused(got, /proxy/);
        assert.deepEqual(town.log, []);
      }, { answer });
    // One with a certificate of its own.
    const liar = await Town.start({ tls: cert, host: 'evil.example' });
    const tunnel = await Tunnel.start({ 'honest.example:443': liar.port });
    await meet({}, { town: { url: 'https://honest.example/mcp' }, args: ['--ca-file', cert.file], env: { https_proxy: tunnel.url },
      look: ({ answer }) => { refused(answer, /certificate/); assert.deepEqual(liar.log, []); } });
    tunnel.stop();
    await liar.stop();
  });
});
