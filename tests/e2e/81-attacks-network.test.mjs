// Attacks from web pages and from the network: DNS rebinding, foreign origins,
// names that are not ours, too much at a time.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { request } from './lib/browser.mjs';
import { s256 } from './lib/client.mjs';
import { Bench } from './lib/valet.mjs';
import { ROOMY, Trail, ask, exchange, fields, freePort, rawRequest } from './lib/attack.mjs';

let bench, admin;
before(async () => {
  bench = await Bench.start({ config: { ...ROOMY, allowed_origins: ['https://app.example.com'] } });
  admin = await bench.signedIn();
});
after(() => bench.stop());

const attack = (name, play) => test(name, async () => play(await Trail.of(bench)));
const PING = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
const send = (options = {}) => ask(bench.port, { method: 'POST', path: '/mcp', body: PING, ...options,
  headers: ['Content-Type: application/json', ...(options.headers ?? [])] });
const bearer = () => `Authorization: Bearer ${admin.tokens.access_token}`;
const cors = (answer) => fields(answer, 'access-control-allow-origin');
const paths = ['/mcp', '/graph/mcp', '/', '/authorize', '/token', '/register', '/auth/callback',
  '/.well-known/oauth-authorization-server', '/.well-known/oauth-protected-resource/mcp', '/unknown'];

describe('chain 10: names and pages that are not ours', () => {
  for (const host of ['evil.example', 'evil.example:PORT', 'localhost', 'localhost:1', 'localhost:0PORT', 'localhost.:PORT',
    'localhost.evil.example:PORT', '127.0.0.1', '127.0.0.1:1', '127.1:PORT', '127.0.0.2:PORT', '0.0.0.0:PORT', '2130706433:PORT',
    '0x7f000001:PORT', '[::]:PORT', '[::ffff:127.0.0.1]:PORT', '169.254.169.254', 'xn--localhost-:PORT', 'localhost:PORT:PORT', 'a'.repeat(300)])
    // @spec W-22 S-58 SB-14
    attack(`W-22 S-58 chain 10: the Host ${host.slice(0, 40)} is refused on every path, token or not`, async (trail) => {
      for (const path of paths) {
        const answer = await send({ host: host.replaceAll('PORT', bench.port), path, headers: [bearer()] });
        assert.ok([400, 403].includes(answer.status), `${path}: ${answer.raw}`);
        assert.deepEqual(cors(answer), []);
        if (answer.status === 403) await trail.refused('request.reject', 'foreign_host');
      }
    });

  attack('W-22: no Host, two Hosts, an empty one, or one in the target that differs are refused', async () => {
    const { port } = bench;
    const ours = `Host: localhost:${port}`;
    for (const [host, headers, path] of [[null, []], [null, [ours, ours]], [null, [ours, 'Host: evil.example']], [null, ['Host: evil.example', ours]],
      ['', []], [`localhost:${port}`, [], 'http://evil.example/mcp'], ['evil.example', [], `http://localhost:${port}/mcp`]]) {
      const { answers, closed } = await exchange(port, rawRequest(port, { method: 'POST', path: path ?? '/mcp', host, headers: [...headers, bearer()], body: PING }), { limit: 1500 });
      assert.equal(answers.length, 1);
      assert.ok([400, 403].includes(answers[0].status), answers[0].raw);
      assert.ok(closed || answers[0].status === 403);
    }
  });

  test('W-22: the names of this computer are ours', async () => {
    for (const host of ['localhost', 'LOCALHOST', '127.0.0.1', '[::1]'])
      assert.equal((await send({ host: `${host}:${bench.port}` })).status, 401);
  });

  for (const origin of ['https://evil.example', 'null', 'http://evil.example:PORT', 'http://localhost.evil.example', 'https://app.example.com.evil.example',
    'https://app.example.com:444', 'http://app.example.com', 'file://', 'chrome-extension://abc', 'http://localhost:PORT@evil.example', '', 'x',
    'http://169.254.169.254', 'https://APP.example.com/x'])
    // @spec HT-01 HT-02 W-22
    attack(`W-22 HT-02 chain 10: the Origin ${JSON.stringify(origin)} is 403 on every path, token or not, and gets no CORS`, async (trail) => {
      for (const path of paths)
        for (const method of ['POST', 'OPTIONS', 'GET']) {
          const answer = await send({ method, path, headers: [`Origin: ${origin.replace('PORT', bench.port)}`, bearer(), 'Access-Control-Request-Method: POST'] });
          assert.equal(answer.status, 403, `${method} ${path}: ${answer.raw}`);
          assert.deepEqual(cors(answer), []);
          await trail.refused('request.reject', 'foreign_origin');
        }
    });

  attack('W-22: two Origins are refused, even two allowed ones', async (trail) => {
    assert.equal((await send({ headers: [`Origin: ${bench.url}`, `Origin: ${bench.url}`] })).status, 403);
    await trail.refused('request.reject', 'foreign_origin');
  });

  for (const origin of ['http://localhost:6274', 'http://127.0.0.1:1', 'https://app.example.com', 'OWN'])
    // @spec HT-02; 4.3 of the research
    test(`CORS: ${origin} may ask, gets its own name back, also on refusals, and never on pages`, async () => {
      const name = origin === 'OWN' ? bench.url : origin;
      const head = [`Origin: ${name}`];
      for (const [path, status] of [['/mcp', 401], ['/graph/mcp', 401], ['/token', 400], ['/register', 400], ['/unknown', 404]]) {
        const answer = await send({ path, headers: head });
        assert.equal(answer.status, status, answer.raw);
        assert.deepEqual(cors(answer), [name], path);
        assert.match(fields(answer, 'vary').join(), /origin/i);
        assert.match(fields(answer, 'access-control-expose-headers').join(), /www-authenticate/i);
        assert.deepEqual(fields(answer, 'access-control-allow-credentials'), []);
      }
      const preflight = await send({ method: 'OPTIONS', body: '', headers: [...head, 'Access-Control-Request-Method: POST', 'Access-Control-Request-Headers: authorization'] });
      assert.equal(preflight.status, 204, 'before authentication');
      assert.equal(preflight.body, '');
      assert.match(fields(preflight, 'access-control-allow-headers').join(), /authorization/);
      for (const path of ['/authorize?x=y', '/auth/callback?x=y', '/authorize/consent', '/']) {
        const answer = await send({ path, method: path.includes('consent') ? 'POST' : 'GET', body: '', headers: head });
        assert.deepEqual(cors(answer), [], path);
      }
    });

  attack('a request without Origin gets no CORS header at all', async () => {
    for (const path of paths) assert.deepEqual(cors(await send({ path })), []);
  });
});

describe('where it listens and what it says of itself', () => {
  // @spec W-21 HT-03
  test('W-21: it listens on loopback alone, and every URL it names has the port that was bound', async () => {
    const hex = bench.port.toString(16).toUpperCase().padStart(4, '0');
    const local = ['tcp', 'tcp6'].flatMap((f) => readFileSync(`/proc/net/${f}`, 'utf8').split('\n').slice(1))
      .map((l) => l.trim().split(/\s+/)).filter((c) => c[3] === '0A' && c[1]?.endsWith(`:${hex}`)).map((c) => c[1].split(':')[0]);
    assert.ok(local.length >= 1);
    for (const address of local) assert.match(address, /^(0100007F|00000000000000000000000001000000)$/);
    for (const path of ['oauth-authorization-server', 'oauth-protected-resource', 'openid-configuration']) {
      const { text } = await request(`${bench.url}/.well-known/${path}`);
      for (const [url] of text.matchAll(/https?:[^"]+/g)) assert.ok(url.startsWith(bench.url), url);
    }
  });

  // @spec W-21 S-58
  test('W-21: a Host header never gets into a URL that is handed out', async () => {
    for (const path of ['/.well-known/oauth-authorization-server', '/.well-known/oauth-protected-resource', '/mcp']) {
      const answer = await send({ method: 'GET', path, body: '', host: `127.0.0.1:${bench.port}`, headers: ['X-Forwarded-Host: evil.example', 'Forwarded: host=evil.example', 'X-Forwarded-Proto: https'] });
      assert.doesNotMatch(answer.raw, /evil|127\.0\.0\.1/);
    }
  });

  // @spec SB-04 W-06
  test('W-06 SB-04: behind https the cookies are __Host- and Secure', async () => {
    const port = await freePort();
    const other = await Bench.start({ config: { ...ROOMY, listen: `127.0.0.1:${port}`, public_url: 'https://mcp.example.com' } });
    try {
      const client = { client_name: 'x', redirect_uris: ['https://app.example/cb'] };
      const host = 'mcp.example.com';
      const made = await ask(port, { method: 'POST', path: '/register', host, body: JSON.stringify(client), headers: ['Content-Type: application/json'] });
      const { client_id } = JSON.parse(made.body);
      const page = await ask(port, { host, path: `/authorize?response_type=code&client_id=${client_id}&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&code_challenge=${s256('x')}&code_challenge_method=S256` });
      assert.equal(page.status, 200, page.raw);
      for (const cookie of fields(page, 'set-cookie'))
        assert.match(cookie, /^__Host-[^;]+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=\d+; Secure$/);
      assert.equal(fields(page, 'set-cookie').length, 1);
    } finally {
      await other.stop();
    }
  });
});

describe('limits', () => {
  // What the product allows when nothing is written, not what our tests take.
  const STRICT = { ...ROOMY, limits: { requests_per_minute: undefined, pending_sign_ins_per_address: undefined } };

  // Sends one request again and again until it is refused; how often it was not?
  async function countUntil429(port, one) {
    let good = 0;
    for (let sent = 0; sent < 2000; sent += 200) {
      const { answers } = await exchange(port, one.repeat(200), { quiet: 2000, limit: 20000, end: true });
      const at = answers.findIndex((a) => a.status === 429);
      if (at >= 0) return { good: good + at, refused: answers[at] };
      good += answers.length;
    }
    assert.fail('no limit within 2,000 requests');
  }

  // @spec W-29 S-64
  test('W-29 S-64: the desk stops answering one address that asks too much, and says when to come back', async () => {
    const other = await Bench.start({ config: STRICT });
    try {
      const trail = await Trail.of(other);
      const { good, refused } = await countUntil429(other.port, rawRequest(other.port, { path: '/jwks' }));
      assert.ok(good >= 600, `refused after ${good} requests`);
      assert.match(fields(refused, 'retry-after').join(), /^[1-9]\d*$/);
      assert.equal((await ask(other.port, { path: '/mcp' })).status, 401, 'other doors stay open');
      await trail.refused(undefined, undefined, (l) => l.event !== 'auth.challenge');
    } finally {
      await other.stop();
    }
  });

  // @spec W-08 W-29
  test('W-08 W-29: sign-ins of one address are bounded, before and after they can begin', async () => {
    const other = await Bench.start({ config: STRICT });
    try {
      const trail = await Trail.of(other);
      const url = new URL((await other.client().register()).authorizeUrl());
      const begin = await countUntil429(other.port, rawRequest(other.port, { path: url.pathname + url.search }));
      assert.ok(begin.good >= 300 && begin.good < 600, `refused after ${begin.good} sign-ins`);
      await trail.refused('authorize.reject', 'too_many_flows');
      // Those are requests too; so are requests for nothing.
      await countUntil429(other.port, rawRequest(other.port, { path: '/authorize?x=y' }));
      await trail.refused('request.reject', 'too_many_requests');
    } finally {
      await other.stop();
    }
  });
});
