// `mcp-valet connect` against who would have its tokens: a malicious MCP server,
// a malicious authorization server, another program on the machine, a proxy,
// somebody at the files.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, statSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { request } from './lib/browser.mjs';
import { Canaries } from './lib/canary.mjs';
import { Connector, Person, Town, Trap, Tunnel } from './lib/town.mjs';
import { runToEnd, VALET } from './lib/valet.mjs';

const LIMIT = { timeout: 120000 };
const pause = (ms) => new Promise((r) => { setTimeout(r, ms); });
const until = async (what, condition, ms = 15000) => {
  for (const end = Date.now() + ms; !(await condition()); await pause(20)) assert.ok(Date.now() < end, `in vain: ${what}`);
};
// Nothing of a terminal's: a stranger's text may not move the cursor, change a
// title, or turn around what is written.
const isTame = (text) => {
  const plain = Buffer.from(text, 'latin1').toString('utf8');
  // eslint-disable-next-line no-control-regex
  assert.doesNotMatch(plain, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/, JSON.stringify(plain));
};

// One town, one person, one connector: what came of the first message.
async function meet(over, { person = new Person(), town, args, env, ms, look } = {}) {
  const own = !town;
  town ??= await Town.start({ over });
  const connector = new Connector(town.url, person, { args, env });
  try {
    const answer = await connector.open(ms);
    await look?.({ town, person, connector, answer });
    return { answer, town, stderr: connector.stderr, opened: person.opened, stdout: connector.stdout };
  } finally {
    await connector.close();
    isTame(connector.stderr);
    if (own) await town.stop();
    person.stop();
  }
}

const refused = (answer, pattern) => {
  assert.ok(answer.error, JSON.stringify(answer));
  if (pattern) assert.match(answer.error.message, pattern);
};

describe('who answers a sign-in', () => {
  const ISSUERS = [
    ['of another', { iss: 'https://honest.example' }, {}],
    ['of another, who need not say it', { iss: 'https://honest.example' }, { quiet: true }],
    ['left out, though promised', {}, {}],
    ['empty', { iss: '' }, { quiet: true }],
    ['with a slash more', (town) => ({ iss: `${town.origin}/` }), {}],
    ['in other letters', (town) => ({ iss: town.origin.replace('http', 'HTTP') }), {}],
  ];

  // @spec CL-14 SB-10
  for (const [what, more, { quiet }] of ISSUERS)
    test(`CL-14 SB-10: iss ${what}: the code is not redeemed, nothing is shown`, LIMIT, async () => {
      await meet({
        '/.well-known/oauth-authorization-server': (ask, town) => [200, {},
          { ...town.metadata, ...(!quiet && { authorization_response_iss_parameter_supported: true }) }],
        '/authorize': (ask, town) => town.authorize(ask, typeof more === 'function' ? more(town) : more),
      }, { look: ({ town, answer, connector }) => {
        refused(answer, /not of .*not used/);
        assert.equal(town.asked('/token').length, 0);
        assert.doesNotMatch(connector.stderr + connector.stdout, /honest\.example/);
      } });
    });

  // @spec CL-14
  test('CL-14: nor is an error of somebody else shown, and never a description', LIMIT, async () => {
    const words = { code: undefined, error: 'temporarily_unavailable', error_description: 'CANARY \x1b[31mcall 555', error_uri: 'https://CANARY.example' };
    for (const iss of ['https://honest.example', undefined])
      await meet({ '/authorize': (ask, town) => town.authorize(ask, { ...words, ...(iss && { iss }) }) }, {
        look: ({ answer, connector }) => {
          refused(answer);
          assert.doesNotMatch(connector.stderr + connector.stdout, /CANARY/);
          assert.equal(/temporarily_unavailable/.test(answer.error.message), !iss);
        },
      });
  });

  // @spec CL-15 SB-06 SB-08 SB-14 W-06 W-19
  test('CL-15 SB-14: a state, a name or a place that is not ours changes nothing', LIMIT, async () => {
    const code = 'stolen-code-of-somebody-else';
    const seen = [];
    const person = new Person({ visit: async (url) => {
      const there = (await request(url)).headers.location;
      const query = new URL(there).searchParams;
      const [state, back] = [query.get('state'), query.get('redirect_uri')];
      const form = (fields) => new URLSearchParams(fields).toString();
      const tries = [
        ['no state', `${back}?${form({ code })}`, {}],
        ['an empty state', `${back}?${form({ code, state: '' })}`, {}],
        ['another state', `${back}?${form({ code, state: `${state}x` })}`, {}],
        ['two states', `${back}?${form({ code, state })}&state=x`, {}],
        ['two codes', `${back}?${form({ code, state })}&code=x`, {}],
        ['code and error', `${back}?${form({ code, state, error: 'x' })}`, {}],
        ['neither', `${back}?${form({ state })}`, {}],
        ['another path', `${new URL('/', back).href}?${form({ code, state })}`, {}],
        ['a name that was made to point here', `${back}?${form({ code, state })}`, { headers: { host: 'evil.example' } }],
        ['that name with our port', `${back}?${form({ code, state })}`, { headers: { host: `evil.example:${new URL(back).port}` } }],
        ['JSON of a page', back, { method: 'POST', headers: { 'content-type': 'text/plain' }, body: form({ code, state }) }],
        ['the address that was used', url, {}],
      ];
      for (const [what, address, options] of tries) {
        const page = await request(address, options);
        assert.ok(page.status >= 400, `${what}: ${page.status}`);
        assert.doesNotMatch(page.text, /stolen-code/, what);
        seen.push(what);
      }
      await person.follow(there);
    } });
    await meet({}, { person, look: ({ town, answer }) => {
      assert.ok(answer.result, JSON.stringify(answer));
      assert.equal(seen.length, 12);
      assert.equal(town.asked('/token').length, 1);
      assert.doesNotMatch(town.asked('/token')[0].body, /stolen/);
    } });
  });

  test('the port is closed once the browser was there', LIMIT, async () => {
    let back;
    await meet({ '/authorize': (ask) => { back = ask.query.get('redirect_uri'); } }, { look: async () => {
      await assert.rejects(request(back));
    } });
  });

  // Another program has the name of the port that was chosen, or all of it.
  test('a port that another program has is not used, and said', LIMIT, async () => {
    const squatter = await Trap.start();
    await meet({}, { args: ['--callback-port', String(squatter.port), '--client-id', 'known'], look: ({ answer, opened }) => {
      refused(answer, /--callback-port/);
      assert.equal(opened?.length ?? 0, 0);
      assert.equal(squatter.came, 0);
    } });
    squatter.stop();
  });

  test('--callback-host: the browser comes back by the name that was registered', LIMIT, async () => {
    for (const host of ['localhost', '127.0.0.1']) {
      const { town } = await meet({}, { args: ['--client-id', 'known', '--callback-host', host], look: ({ answer }) => assert.ok(answer.result) });
      const [{ query }] = town.asked('/authorize');
      assert.match(query.get('redirect_uri'), new RegExp(`^http://${host}:\\d+/callback$`));
      assert.equal(query.get('client_id'), 'known');
      assert.equal(town.asked('/register').length, 0);
    }
  });
});

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
      const addresses = hostile(trap.port);
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

describe('redirects', () => {
  // @spec CL-16 CL-17
  test('CL-16: no token and no code goes where a redirect leads', LIMIT, async () => {
    const trap = await Trap.start();
    for (const status of [301, 302, 303, 307, 308]) {
      const location = `http://127.0.0.1:${trap.port}/`;
      // From the server, once it has the token.
      await meet({ '/mcp': (ask) => (ask.headers.authorization ? [status, { location }] : undefined) }, { look: ({ answer }) => refused(answer) });
      await meet({ '/token': () => [status, { location }] }, { look: ({ answer }) => refused(answer) });
      await meet({ '/register': () => [status, { location }] }, { look: ({ answer }) => refused(answer) });
    }
    assert.equal(trap.came, 0);
    trap.stop();
  });

  test('documents that lead in circles end', LIMIT, async () => {
    await meet({ '/.well-known/oauth-protected-resource/mcp': (ask) => [302, { location: ask.target }] }, { look: ({ town, answer }) => {
      assert.ok(answer);
      assert.ok(town.asked('/.well-known/oauth-protected-resource/mcp').length <= 4);
    } });
  });
});

const raw = (text) => ({ res }) => { res.socket.end(text); return null; };

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

describe('texts of strangers', () => {
  const WILD = '\x1b]0;title\x07\x1b[31mred\u009b2J\u202etxt.exe\r\nSet-Cookie: a=b';
  const header = (text) => text.replace(/[\r\n\u0000]|[^\x00-\xff]/g, ' ');
  const PLACES = {
    'the challenge': { '/mcp': raw(`HTTP/1.1 401 ${WILD}\r\nWWW-Authenticate: Bearer scope="${WILD}", error="${WILD}"\r\nContent-Length: 0\r\n\r\n`) },
    'a challenge of the right form': { '/mcp': () => [401, { 'www-authenticate': `Bearer scope="\u009b2J", error="\u009b31m", error_description="\u009b31m"` }] },
    'a refusal with a token': { '/mcp': (ask, town) => (ask.headers.authorization ? [403, { 'www-authenticate': `Bearer error="insufficient_scope", scope="a b", error_description="x"` }, { jsonrpc: '2.0', id: 1, error: { code: -1, message: WILD } }] : town.mcp(ask)) },
    'the resource': { '/.well-known/oauth-protected-resource/mcp': (ask, town) => [200, {}, { ...town.resource, resource: `${town.url}${WILD}` }] },
    'the issuer': { '/.well-known/oauth-authorization-server': (ask, town) => [200, {}, { ...town.metadata, issuer: WILD }] },
    'an endpoint': { '/.well-known/oauth-authorization-server': (ask, town) => [200, {}, { ...town.metadata, token_endpoint: `${town.origin}/${WILD}` }] },
    'a refused registration': { '/register': () => [400, {}, { error: WILD, error_description: WILD }] },
    'a client id': { '/register': () => [201, {}, { client_id: WILD }] },
    'a secret': { '/register': () => [201, {}, { client_id: 'a', client_secret: WILD }] },
    'a refused code': { '/token': () => [400, {}, { error: WILD, error_description: WILD, error_uri: WILD }] },
    'an access token': { '/token': () => [200, {}, { access_token: `a\r\nX-Evil: 1`, token_type: 'Bearer' }] },
    'the type of a token': { '/token': () => [200, {}, { access_token: 'abc', token_type: WILD }] },
    'the error of a sign-in': { '/authorize': (ask, town) => town.authorize(ask, { code: undefined, error: header(WILD), error_description: 'x' }) },
    'an error of the server': { '/mcp': (ask, town) => (ask.headers.authorization ? [500, { 'content-type': 'text/html' }, WILD] : town.mcp(ask)) },
  };
  for (const [place, over] of Object.entries(PLACES))
    test(`${place}: no control character reaches the terminal, no line a request`, LIMIT, async () => {
      const { town } = await meet(over, { look: ({ answer }) => refused(answer) }); // meet() looks at stderr
      for (const ask of town.log) {
        assert.equal(ask.headers['set-cookie'] ?? ask.headers['x-evil'], undefined);
        assert.doesNotMatch(ask.rawHeaders.join('\n'), /title|red/);
      }
    });

  // What is of the right form may still mean something elsewhere.
  test('what passes is escaped where it goes: scope, client id, secret, issuer, resource', LIMIT, async () => {
    const id = 'a&client_id=b#c%20+"<>\\', secret = 's&grant_type=x=%00+', scope = "a&scope=x b=c#d!'()*";
    for (const method of ['client_secret_post', 'client_secret_basic'])
      await meet({
        '/mcp': (ask, town) => (ask.headers.authorization ? town.mcp(ask) : [401, { 'www-authenticate': `${town.challenge}, scope="${scope}"` }]),
        '/.well-known/oauth-authorization-server': (ask, town) => [200, {}, { ...town.metadata, authorization_endpoint: `${town.origin}/authorize?tenant=a&x=%26`, token_endpoint_auth_methods_supported: [method] }],
        '/register': () => [201, {}, { client_id: id, client_secret: secret, token_endpoint_auth_method: method }],
      }, { look: ({ town, answer }) => {
        assert.ok(answer.result, JSON.stringify(answer));
        const { query } = town.asked('/authorize').at(-1);
        assert.deepEqual([...query.keys()].sort(), ['client_id', 'code_challenge', 'code_challenge_method', 'redirect_uri', 'resource', 'response_type', 'scope', 'state', 'tenant', 'x']);
        assert.deepEqual([query.get('client_id'), query.get('scope'), query.get('resource'), query.get('x')], [id, scope, town.url, '&']);
        assert.equal(query.get('code_challenge_method'), 'S256'); // W-58
        const [{ body, headers }] = town.asked('/token');
        const form = new URLSearchParams(body);
        assert.equal(form.getAll('grant_type').length, 1);
        if (method === 'client_secret_post') assert.deepEqual([form.getAll('client_id'), form.getAll('client_secret')], [[id], [secret]]);
        else assert.deepEqual(Buffer.from(headers.authorization.slice(6), 'base64').toString().split(':').map(decodeURIComponent), [id, secret]);
      } });
  });
});

describe('a run in which every secret is known', () => {
  const canaries = new Canaries();
  let town, person, connector, environment, forms = '';
  const clean = (text, what, only) => assert.deepEqual(canaries.find(text, only), [], what);
  before(async () => {
    town = await Town.start({ over: {
      // A refusal of each kind, with the secret in the stranger's own words.
      '/mcp': (ask, at) => (ask.body.includes('"refuse"') ? [500, {}, `${ask.headers.authorization} is not right`]
        : ask.body.includes('"rpc"') ? [200, {}, { jsonrpc: '2.0', id: JSON.parse(ask.body).id, error: { code: -32000, message: 'no' } }] : at.mcp(ask)),
    } });
    town.lifetime = 4;
    person = new Person();
    connector = new Connector(town.url, person);
    assert.ok((await connector.open()).result);
    assert.equal(await connector.hello(), 'hello to you');
    await connector.ask('tools/call', { name: 'rpc', arguments: {} });
    await pause(4500);
    assert.equal(await connector.hello(), 'hello to you'); // renewed
    for (const [text, name] of town.secrets) canaries.add(name, text);
    environment = readdirSync(person.home).filter((name) => /^started\./.test(name)).map((name) => readFileSync(path.join(person.home, name), 'latin1')).join('\n');
    forms = town.log.map(({ body }) => body).join('\n');
  }, LIMIT);
  after(async () => { await connector.close(); await town.stop(); person.stop(); });

  test('it has seen all of them, and the search finds them', () => {
    const names = new Set(canaries.values.values());
    for (const name of ['access token', 'refresh token', 'code', 'verifier', 'state', 'client secret']) assert.ok(names.has(name), name);
    assert.ok(canaries.find(forms).length);
    assert.ok(town.asked('/token').length >= 2);
  });

  // @spec W-61 W-80
  test('W-61 W-80: none is on standard error, nor in what the client is told', () => {
    clean(connector.stderr, 'stderr');
    clean(connector.stdout, 'stdout');
  });

  test('none is in arguments or environment, ours or of what we start; nothing of ours is open there', () => {
    clean(readFileSync(`/proc/${connector.pid}/cmdline`), 'cmdline');
    try {
      clean(readFileSync(`/proc/${connector.pid}/environ`), 'environ');
    } catch (error) { assert.equal(error.code, 'EACCES'); }
    assert.match(environment, /^HOME=/m);
    clean(environment, "the browser's environment");
    clean(person.opened.join('\n'), "the browser's arguments");
    for (const [, fd, to] of environment.matchAll(/ (\d+) -> (.*)$/gm)) if (fd > 2) assert.match(to, /^\/(dev\/null$|proc|tmp.*(xdg-open|started))/, `${fd} is ${to}`);
    assert.match(readFileSync(`/proc/${connector.pid}/limits`, 'utf8'), /^Max core file size\s+0\s+0\s/m);
  });

  // @spec CL-17 CL-18
  test('CL-17: none is in a URL but code and state where the protocol puts them', () => {
    for (const ask of town.log) {
      const url = new URL(ask.target, town.origin);
      if (ask.path === '/authorize') url.searchParams.delete('state');
      clean(url.href, `${ask.method} ${ask.path}`);
      clean(ask.headers.referer ?? '', 'referer');
    }
    for (const page of person.pages) clean(page.text, `a page at ${page.url}`, (name) => name !== 'state');
  });

  // @spec CL-18 W-17
  test('CL-18 W-17: none is in a file in clear, and each file is for its owner alone', () => {
    const names = readdirSync(person.home).filter((name) => name.startsWith('cache'));
    assert.ok(names.includes('cache.connect') && names.includes('cache.connect.key'), names.join());
    for (const name of names) {
      clean(readFileSync(path.join(person.home, name)), name);
      assert.equal(statSync(path.join(person.home, name)).mode & 0o777, 0o600, name);
    }
  });

  test('nor do they go back to the client in what a stranger repeats', async () => {
    const answer = await connector.ask('tools/call', { name: 'refuse', arguments: {} });
    assert.ok(answer.error, JSON.stringify(answer));
    for (const [text, name] of town.secrets) canaries.add(name, text);
    clean(JSON.stringify(answer), 'an answer');
    clean(connector.stderr, 'stderr');
  });
});

describe('what is kept', () => {
  let town;
  before(async () => { town = await Town.start(); });
  after(async () => { await town.stop(); });
  const pages = () => town.asked('/authorize').length;
  async function once(person, options) {
    const connector = new Connector(town.url, person, options);
    try {
      const answer = await connector.open();
      return { answer, said: answer.result && await connector.hello(), stderr: connector.stderr };
    } finally { await connector.close(); }
  }

  test('is of one person: another home signs in by itself, and a file of another is refused', LIMIT, async () => {
    const [alice, bob] = [new Person(), new Person()];
    const from = pages();
    await once(alice);
    await once(bob);
    await once(alice);
    assert.equal(pages() - from, 2);
    const used = new Set(town.asked('/mcp').map((ask) => ask.headers.authorization));
    assert.ok(used.size >= 3, 'two tokens, and none');
    // Bob's document in the place of Alice's; her key does not open it.
    copyFileSync(`${bob.cache}.connect`, `${alice.cache}.connect`);
    const { answer } = await once(alice);
    refused(answer, /changed|another/);
    assert.deepEqual(readFileSync(`${alice.cache}.connect`), readFileSync(`${bob.cache}.connect`), 'nothing was written over');
    assert.equal(pages() - from, 2, 'and nobody was asked');
    [alice, bob].forEach((person) => person.stop());
  });

  test('is not another document with a good seal', LIMIT, async () => {
    const person = new Person();
    await once(person);
    // A document of an older day may be put back: it is the person's own. One
    // of another place of theirs is sealed with another key.
    const env = { MCP_VALET_CACHE_FILE: path.join(person.home, 'other') };
    await once(person, { args: ['--no-cache'], env });
    copyFileSync(`${person.cache}.connect`, path.join(person.home, 'third.connect'));
    copyFileSync(`${person.cache}.connect.key`, path.join(person.home, 'third.connect.key'));
    chmodSync(path.join(person.home, 'third.connect.key'), 0o600);
    const from = pages();
    const third = Object.assign(Object.create(person), { cache: path.join(person.home, 'third') });
    assert.equal((await once(third)).said, 'hello to you');
    assert.equal(pages(), from);
    // Half of it, none of it, one bit of it.
    const whole = readFileSync(`${person.cache}.connect`);
    for (const bad of [whole.subarray(0, whole.length / 2), Buffer.from('{}'), Buffer.from(whole).fill(whole[40] ^ 1, 40, 41), Buffer.alloc(0)]) {
      writeFileSync(`${person.cache}.connect`, bad);
      refused((await once(person)).answer, /changed|another|read/);
      assert.deepEqual(readFileSync(`${person.cache}.connect`), bad);
    }
    assert.equal(pages(), from);
    person.stop();
  });

  test('is refused when others may read or write it, or it is a link', LIMIT, async () => {
    const person = new Person();
    await once(person);
    const from = pages();
    for (const end of ['', '.key', '.lock']) {
      const file = `${person.cache}.connect${end}`;
      chmodSync(file, 0o644);
      refused((await once(person)).answer);
      chmodSync(file, 0o600);
      renameSync(file, `${file}.real`);
      symlinkSync(`${file}.real`, file);
      refused((await once(person)).answer, /link|not a file of ours/);
      unlinkSync(file);
      renameSync(`${file}.real`, file);
    }
    // A link where the turn is taken, to a file that must not be emptied.
    const [turn] = readdirSync(person.home).filter((name) => name.endsWith('.turn'));
    assert.ok(turn);
    const victim = path.join(person.home, 'victim');
    writeFileSync(victim, 'mine', { mode: 0o600 });
    unlinkSync(path.join(person.home, turn));
    symlinkSync(victim, path.join(person.home, turn));
    town.live.clear();
    town.refresh.clear();
    refused((await once(person)).answer, /link/);
    assert.equal(readFileSync(victim, 'utf8'), 'mine');
    assert.equal(pages(), from);
    chmodSync(person.home, 0o777);
    refused((await once(person)).answer, /written by others/);
    chmodSync(person.home, 0o700);
    person.stop();
  });

  test('is noticed to be gone by who runs: forgotten, removed, signed in to anew', LIMIT, async () => {
    const person = new Person();
    const connector = new Connector(town.url, person);
    await connector.open();
    const from = pages();
    assert.equal(await connector.hello(), 'hello to you');
    assert.equal((await runToEnd(VALET, ['connect', town.url, '--cache-file', person.cache, '--forget'], { env: person.env })).code, 0);
    await pause(1500);
    assert.equal(await connector.hello(), 'hello to you');
    assert.equal(pages() - from, 1, 'asked again after it was forgotten');
    for (const name of readdirSync(person.home)) if (/^cache\.connect(\.key)?$/.test(name)) unlinkSync(path.join(person.home, name));
    await pause(1500);
    assert.equal(await connector.hello(), 'hello to you');
    assert.equal(pages() - from, 2, 'asked again after it was removed');
    // Another process signs in as somebody else: from then on it is them.
    await runToEnd(VALET, ['connect', town.url, '--cache-file', person.cache, '--forget'], { env: person.env });
    assert.ok((await once(person)).answer.result);
    await pause(1500);
    const before = pages();
    assert.equal(await connector.hello(), 'hello to you');
    assert.equal(pages(), before);
    assert.equal(town.asked('/mcp').at(-1).headers.authorization, `Bearer ${[...town.live].at(-1)}`);
    await connector.close();
    person.stop();
  });

  test('is nowhere, where there is no keyring: that is said, and nothing stands in for it', LIMIT, async () => {
    const person = new Person();
    const from = pages();
    const { answer } = await once(person, { args: ['--secret-service'] });
    refused(answer, /Secret Service|bus/);
    assert.equal(pages(), from);
    assert.ok(!existsSync(`${person.cache}.connect`));
    person.stop();
  });
});
