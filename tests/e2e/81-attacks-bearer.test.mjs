// Attacks on the protected resource: bad tokens as an oracle, paths that
// forget the check, foreign pages and names, other people's sessions.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { request } from './lib/browser.mjs';
import { Mcp } from './lib/client.mjs';
import { Bench } from './lib/valet.mjs';
import {
  ROOMY, Trail, ask, assertDeadSoon, codeOf, entraTokens, fields, isDead, withoutDate,
} from './lib/attack.mjs';

let bench, other, admin, reader;
before(async () => {
  bench = await Bench.start({ config: ROOMY });
  other = await Bench.start({ config: ROOMY });
  admin = await bench.signedIn(bench.users.admin);
  reader = await bench.signedIn(bench.users.reader);
});
after(async () => { await bench.stop(); await other.stop(); });

const attack = (name, play) => test(name, async () => play(await Trail.of(bench)));
const PING = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
const JSON_TYPE = 'Content-Type: application/json';
const send = (authorization, { path = '/mcp', method = 'POST', headers = [], body = PING } = {}) => ask(bench.port, {
  method, path, body, headers: [JSON_TYPE, ...headers, ...[authorization].flat().filter(Boolean).map((a) => `Authorization: ${a}`)],
});
const turn = (text, at) => text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);

// @spec RS-09 RS-08: one Bearer challenge, alone, every parameter quoted.
function challengeOf(answer) {
  const lines = fields(answer, 'www-authenticate');
  assert.equal(lines.length, 1, 'exactly one challenge');
  assert.match(lines[0], /^Bearer [a-z_]+="[^"\\]*"(, [a-z_]+="[^"\\]*")*$/);
  const parameters = Object.fromEntries([...lines[0].matchAll(/([a-z_]+)="([^"]*)"/g)].map((m) => [m[1], m[2]]));
  assert.equal(Object.keys(parameters).length, [...lines[0].matchAll(/="/g)].length, 'no parameter twice');
  return parameters;
}

describe('chain 8: bad tokens are no oracle', () => {
  let revoked, theirs, entra, code;
  before(async () => {
    const { client, tokens } = await bench.signedIn();
    revoked = tokens;
    await request(`${bench.url}/revoke`, {
      method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `client_id=${client.id}&token=${tokens.access_token}`,
    });
    theirs = (await other.signedIn()).tokens;
    entra = await entraTokens(bench);
    ({ code } = await codeOf(bench));
    await assertDeadSoon(new Mcp(`${bench.url}/mcp`, revoked.access_token));
  });

  const good = () => admin.tokens.access_token;
  // name → Authorization value(s)
  const bad = {
    'a scheme alone': () => 'Bearer',
    'an empty token': () => 'Bearer ',
    'spaces only': () => 'Bearer    ',
    'nonsense': () => 'Bearer nonsense',
    'no scheme': () => good(),
    'a random one of our form': () => `Bearer mvat_${randomBytes(48).toString('base64url')}`,
    'a random one of the wrong length': () => `Bearer mvat_${randomBytes(47).toString('base64url')}`,
    'another prefix': () => `Bearer mvrt_${good().slice(5)}`,
    'no prefix': () => `Bearer ${good().slice(5)}`,
    'a prefix in other letters': () => `Bearer MVAT_${good().slice(5)}`,
    'its first bit turned': () => `Bearer ${turn(good(), 5)}`,
    'its middle turned': () => `Bearer ${turn(good(), 30)}`,
    'its check turned': () => `Bearer ${turn(good(), good().length - 3)}`,
    'its last letter turned': () => `Bearer ${turn(good(), good().length - 1)}`,
    'one letter less': () => `Bearer ${good().slice(0, -1)}`,
    'one letter more': () => `Bearer ${good()}A`,
    'padding': () => `Bearer ${good()}=`,
    'a token and more': () => `Bearer ${good()} ${good()}`,
    'a comma and more': () => `Bearer ${good()},x=y`,
    'in quotes': () => `Bearer "${good()}"`,
    'a revoked one': () => `Bearer ${revoked.access_token}`,
    'a refresh token': () => `Bearer ${reader.tokens.refresh_token}`,
    'a code': () => `Bearer ${code}`,
    "another server's": () => `Bearer ${theirs.access_token}`,
    "Entra's access token": () => `Bearer ${entra.access_token}`,
    "Entra's id token": () => `Bearer ${entra.id_token}`,
    'an unsigned JWT': () => `Bearer eyJhbGciOiJub25lIn0.${Buffer.from('{"sub":"admin"}').toString('base64url')}.`,
    'the Basic scheme': () => `Basic ${Buffer.from(`x:${good()}`).toString('base64')}`,
    'the DPoP scheme': () => `DPoP ${good()}`,
    'a scheme that begins alike': () => `BearerX ${good()}`,
    'two equal headers': () => [`Bearer ${good()}`, `Bearer ${good()}`],
    'a good and a bad header': () => [`Bearer ${good()}`, 'Bearer x'],
    'a bad and a good header': () => ['Basic eDp5', `Bearer ${good()}`],
    'eight thousand letters': () => `Bearer ${'A'.repeat(8000)}`,
    'other bytes': () => `Bearer mvat_\xff\xfe${good().slice(7)}`,
  };

  for (const [name, value] of Object.entries(bad))
    // @spec W-55 W-56 W-12 W-47
    attack(`W-55 W-56 chain 8: ${name} gets the one 401 of all bad tokens`, async (trail) => {
      const answer = await send(value());
      const reference = await send('Bearer x');
      assert.equal(answer.status, 401, answer.raw);
      assert.equal(withoutDate(answer), withoutDate(reference));
      await trail.refused('bearer.reject');
    });

  // @spec W-12 RS-04
  attack('W-12: it carries a challenge a client can act on', async () => {
    const parameters = challengeOf(await send('Bearer x'));
    assert.equal(parameters.error, 'invalid_token');
    assert.equal(parameters.scope, 'mcp.tools.read');
    assert.equal(parameters.resource_metadata, `${bench.url}/.well-known/oauth-protected-resource/mcp`);
    const metadata = JSON.parse((await request(parameters.resource_metadata)).text);
    assert.equal(metadata.resource, `${bench.url}/mcp`);
  });

  // @spec W-31 AS-21
  test('W-31 W-12: a token that has expired is refused like all others, and expires_in said so in seconds', async () => {
    const brief = await Bench.start({ config: { ...ROOMY, tokens: { access_lifetime: '2s' } } });
    try {
      const { tokens, mcp } = await brief.signedIn();
      assert.ok(tokens.expires_in <= 2);
      assert.ok(!await isDead(mcp));
      await new Promise((r) => setTimeout(r, 2100));
      const ask1 = (token) => ask(brief.port, { method: 'POST', path: '/mcp', body: PING, headers: [JSON_TYPE, `Authorization: Bearer ${token}`] });
      assert.equal(withoutDate(await ask1(tokens.access_token)), withoutDate(await ask1('x')));
      await brief.audit((l) => l.event === 'bearer.reject' && /expired|unknown/.test(l.reason));
    } finally {
      await brief.stop();
    }
  });

  // @spec RS-20
  attack('RS-20: a token in the address or in a form is not looked at', async (trail) => {
    for (const options of [{ path: `/mcp?access_token=${good()}` }, { path: `/mcp?token=${good()}`, method: 'GET', body: '' },
      { headers: [`X-Access-Token: ${good()}`] }, { headers: [`Cookie: access_token=${good()}`] },
      { headers: [`Proxy-Authorization: Bearer ${good()}`] }]) {
      const answer = await send(undefined, options);
      assert.equal(answer.status, 401);
      assert.equal(challengeOf(answer).error, undefined, 'nothing was presented');
      await trail.refused('auth.challenge', 'no_token');
    }
  });

  test('the scheme may be written in any letters (RFC 9110), and that is all that varies', async () => {
    for (const scheme of ['bearer', 'BEARER', 'bEaReR'])
      assert.notEqual((await send(`${scheme} ${good()}`)).status, 401);
  });
});

describe('no way around the check', () => {
  const methods = ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH', 'TRACE', 'get', 'BREW'];
  for (const path of ['/mcp', '/mcp/', '/graph/mcp', '/graph/mcp/', '/mcp?x=y', '/graph/mcp?'])
    // @spec S-01 RS-04 RS-19
    attack(`S-01 RS-19: every method on ${path} is 401 without a token`, async (trail) => {
      for (const method of methods) {
        const answer = await send(undefined, { method, path, body: method === 'POST' ? PING : '' });
        assert.equal(answer.status, 401, `${method}: ${answer.raw}`);
        assert.equal(challengeOf(answer).error, undefined, 'RFC 6750 3: no error when nothing was presented');
        await trail.refused('auth.challenge', 'no_token');
      }
    });

  // What anybody may read: documents without secrets, and pages to sign in.
  const open = new Set(['/', '/jwks', ...['oauth-authorization-server', 'openid-configuration', 'oauth-protected-resource']
    .flatMap((n) => ['', '/mcp', '/graph/mcp'].map((p) => `/.well-known/${n}${p}`)),
  ...['/mcp', '/graph/mcp'].flatMap((p) => ['oauth-authorization-server', 'openid-configuration'].map((n) => `${p}/.well-known/${n}`))]);
  const guesses = ['/sse', '/message', '/messages', '/introspect', '/token', '/register', '/revoke', '/authorize',
    '/authorize/consent', '/auth/callback', '/healthz', '/readyz', '/metrics', '/health', '/admin', '/debug', '/debug/pprof',
    '/test-message', '/.env', '/.git/config', '/config', '/valet.yaml', '/audit.jsonl', '/store.db', '/favicon.ico', '/graph',
    '/graph/', '/graph/mcp/x', '/mcp/x', '//mcp', '/./mcp', '/x/../mcp', '/mcp%2f', '/%6dcp', '/MCP', '/mcp;x', '/mcp//',
    '/mcp%00', '/mcp.json', '/unknown/mcp', '/mcp/mcp', '/graph%2fmcp', '/.well-known/', '/.well-known/x', '/.well-known/../mcp',
    '/_emul/log', '/server-status', '/*', '/mcp\\', '/mcp#x'];
  // @spec S-01 W-72 W-86
  attack('S-01 W-72 W-86: no path answers anything but the public documents', async () => {
    for (const method of ['GET', 'POST', 'DELETE', 'PUT', 'HEAD', 'OPTIONS'])
      for (const path of [...guesses, ...open]) {
        const answer = await send(undefined, { method, path, body: '' });
        if (answer.status < 300)
          assert.ok(open.has(path) && ['GET', 'HEAD'].includes(method), `${method} ${path} answered ${answer.status}: ${answer.body}`);
        assert.ok(answer.status < 500, `${method} ${path}: ${answer.status}`);
        assert.ok(answer.status < 300 || answer.status >= 400, `${method} ${path} leads to ${fields(answer, 'location')}`);
      }
  });

  attack('S-01: nor does a good token open another path', async () => {
    for (const path of guesses) {
      const answer = await send(`Bearer ${admin.tokens.access_token}`, { path, headers: [`Mcp-Session-Id: ${admin.mcp.session}`] });
      assert.ok(answer.status >= 400, `${path}: ${answer.status}`);
    }
  });

  // @spec W-15 RS-17
  attack('W-15 RS-17: a token is good for its resource alone', async (trail) => {
    const graph = await bench.signedIn(bench.users.admin, { path: '/graph/mcp' });
    for (const [tokens, path] of [[admin.tokens, '/graph/mcp'], [admin.tokens, '/graph/mcp/'], [graph.tokens, '/mcp'], [graph.tokens, '/mcp/']]) {
      const answer = await send(`Bearer ${tokens.access_token}`, { path });
      assert.equal(answer.status, 401);
      assert.equal(challengeOf(answer).error, 'invalid_token');
      await trail.refused('bearer.reject', 'wrong_resource');
    }
    assert.ok(!await isDead(graph.mcp) && !await isDead(admin.mcp));
  });
});

describe("other people's sessions", () => {
  // @spec W-02 W-16 SB-21
  attack("W-02 W-16: another user's, client's or sign-in's session is answered like one that does not exist", async (trail) => {
    const again = await bench.signedIn(bench.users.admin);
    const call = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"getUserDetails","arguments":{}}}';
    for (const thief of [reader, again])
      for (const [method, body] of [['POST', call], ['POST', PING], ['DELETE', ''],
        ['POST', '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}']]) {
        const use = (session) => send(`Bearer ${thief.tokens.access_token}`, { method, body, headers: [`Mcp-Session-Id: ${session}`] });
        const answer = await use(admin.mcp.session);
        assert.equal(answer.status, 404, answer.raw);
        assert.equal(withoutDate(answer), withoutDate(await use(randomBytes(32).toString('base64url'))));
        const line = await trail.refused('session.hijack_attempt', 'not_the_owner', (l) => l.client === thief.client.id);
        assert.ok(line.user && line.tenant);
      }
    assert.ok((await admin.mcp.tool('getUserDetails')).result.structuredContent, 'its owner still has it');
  });

  attack('W-02: a session without a token, with two ids, or a session id as token is nothing', async (trail) => {
    const session = `Mcp-Session-Id: ${admin.mcp.session}`;
    assert.equal((await send(undefined, { headers: [session] })).status, 401);
    assert.equal((await send(`Bearer ${admin.mcp.session}`, { headers: [session] })).status, 401);
    assert.equal((await send(`Bearer ${admin.tokens.access_token}`, { headers: [session, session] })).status, 400);
    await trail.refused('bearer.reject', 'forged');
  });

  // @spec W-01 W-74
  test('W-01 W-74: two users at the same time each get their own profile, always', async () => {
    const once = async ({ mcp }, user) => {
      const { result } = await mcp.tool('getUserDetails');
      assert.equal(result.structuredContent.userPrincipalName, user.username);
    };
    for (let round = 0; round < 25; round++)
      await Promise.all(Array.from({ length: 8 }, (_, i) => (i % 2 ? once(admin, bench.users.admin) : once(reader, bench.users.reader))));
    assert.notEqual(admin.tokens.access_token, reader.tokens.access_token);
  });

  // @spec W-14 S-74
  test('W-14 S-74: params.context cannot say who calls, and is not echoed', async () => {
    const token = admin.tokens.access_token;
    for (const context of [{ token }, { user: bench.users.admin.username, token: 'x' }, token, null, [token]]) {
      const answer = await reader.mcp.post({ jsonrpc: '2.0', id: 1, method: 'tools/call',
        params: { name: 'getUserDetails', arguments: {}, context, _meta: { token, user: bench.users.admin.username } } });
      const { result } = JSON.parse(answer.text);
      assert.equal(result.structuredContent.userPrincipalName, bench.users.reader.username);
      assert.ok(!answer.text.includes(token));
    }
  });

  // @spec S-98 S-16
  test('S-98: that a tool was allowed, started, given up and ended stands in the audit, with who and why', async () => {
    const { client, mcp } = await bench.signedIn();
    const trail = await Trail.of(bench);
    const mine = async (event) => bench.audit((l, i) => i >= trail.from && l.event === event && l.client === client.id);
    await request(`${bench.tenant.info.authority}/_emul/faults`, {
      method: 'POST', headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ where: 'graph', delay_ms: 1000 }),
    });
    const call = mcp.tool('getUserDetails').catch((error) => error);
    const { correlation } = await mine('tool.start');
    await request(client.resource, { method: 'DELETE',
      headers: { authorization: `Bearer ${mcp.token}`, 'mcp-session-id': mcp.session } });
    await call;
    await mine('tool.end');
    const story = (await trail.lines()).filter((l) => l.correlation === correlation && /^(rbac|tool)\./.test(l.event));
    assert.deepEqual(story.map((l) => [l.event, l.outcome, l.reason]), [
      ['rbac.allow', 'ok', undefined], ['tool.start', 'ok', undefined],
      ['tool.cancel', 'ok', 'session_end'], ['tool.end', 'refused', 'tool_error']]);
    for (const line of story) assert.ok(line.user && line.tenant && line.session && line.tool === 'getUserDetails' && line.peer);
  });

  // @spec W-25
  test('W-25: what is advertised is there, and what is not is refused', async () => {
    const hello = JSON.parse((await admin.mcp.post({ jsonrpc: '2.0', id: 1, method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } } })).text);
    assert.deepEqual(Object.keys(hello.result.capabilities), ['logging', 'tools']);
    for (const method of ['resources/list', 'prompts/list', 'completion/complete', 'resources/subscribe', 'tools/nothing'])
      assert.equal((await admin.mcp.call(method)).error.code, -32601, method);
    assert.ok((await admin.mcp.call('tools/list')).result.tools.length);
    assert.deepEqual((await admin.mcp.call('logging/setLevel', { level: 'error' })).result, {});
  });

  // @spec W-31 SB-22
  test("W-31: a client that leaks sessions loses its oldest, and nobody else's", async () => {
    const leaky = await bench.signedIn();
    for (let i = 0; i < 101; i++) await new Mcp(leaky.client.resource, leaky.tokens.access_token).open();
    assert.equal((await leaky.mcp.post({ jsonrpc: '2.0', id: 1, method: 'ping' })).status, 404);
    assert.ok(!await isDead(reader.mcp) && !await isDead(admin.mcp));
  });
});
