// Attacks on the token desk: codes, refresh tokens, revocation, registration.
// Each ends in a refusal and in an audit line that says why.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { Browser, form, request } from './lib/browser.mjs';
import { Mcp, REDIRECT, s256 } from './lib/client.mjs';
import { Bench } from './lib/valet.mjs';
import { ROOMY, Trail, approved, assertDeadSoon, codeOf, isDead, jsonPost, signInAt } from './lib/attack.mjs';

let bench;
before(async () => { bench = await Bench.start({ config: ROOMY }); });
after(() => bench.stop());

const attack = (name, play) => test(name, async () => play(await Trail.of(bench)));
const secret = () => randomBytes(32).toString('base64url');
const json = (answer) => JSON.parse(answer.text);

// An OAuth refusal: its code, no token, nothing to cache, no open door for scripts.
function assertRefused(answer, error, status = 400) {
  assert.equal(answer.status, status, answer.text);
  assert.equal(json(answer).error, error);
  assert.equal(json(answer).access_token, undefined);
  assert.match(answer.headers['cache-control'], /no-store/);
  assert.equal(answer.headers['access-control-allow-origin'], undefined);
}

describe('chain 5: codes', () => {
  // @spec W-57 W-19
  attack('W-57 chain 5: a code that is played again ends everything that came of it', async (trail) => {
    const { client, code } = await codeOf(bench);
    const tokens = json(await client.redeem(code));
    const mcp = await new Mcp(client.resource, tokens.access_token).open();
    assertRefused(await client.redeem(code), 'invalid_grant');
    await trail.refused('code.replay', 'code_replay', (l) => l.client === client.id);
    await assertDeadSoon(mcp);
    await trail.refused('bearer.reject');
    assertRefused(await client.refresh(tokens.refresh_token), 'invalid_grant');
    // A third time says nothing new.
    assertRefused(await client.redeem(code), 'invalid_grant');
  });

  attack("W-57: another client's replay ends it too, and gets nothing", async (trail) => {
    const { client, code } = await codeOf(bench);
    const tokens = json(await client.redeem(code));
    const mcp = await new Mcp(client.resource, tokens.access_token).open();
    const thief = await bench.client().register();
    thief.verifier = client.verifier;
    assertRefused(await thief.redeem(code), 'invalid_grant');
    await trail.refused('code.replay', 'code_replay');
    await assertDeadSoon(mcp);
  });

  attack('W-57: of twenty redemptions at the same time not two succeed', async (trail) => {
    const { client, code } = await codeOf(bench);
    const answers = await Promise.all(Array.from({ length: 20 }, () => client.redeem(code)));
    const good = answers.filter((a) => a.status === 200);
    assert.ok(good.length <= 1, `${good.length} succeeded`);
    for (const answer of answers.filter((a) => a.status !== 200)) assertRefused(answer, 'invalid_grant');
    await trail.refused('code.replay', 'code_replay');
    for (const answer of good) await assertDeadSoon(new Mcp(client.resource, json(answer).access_token));
  });

  // @spec W-19
  attack('W-19 chain 5: a code is of no use to another client, even with the verifier', async (trail) => {
    const { client, code } = await codeOf(bench);
    const thief = await bench.client().register();
    thief.verifier = client.verifier;
    assertRefused(await thief.redeem(code), 'invalid_grant');
    await trail.refused('code.reject', 'client_mismatch', (l) => l.client === thief.id);
  });

  attack('W-19 chain 5: two clients that swap their codes get nothing', async (trail) => {
    const [a, b] = [await codeOf(bench), await codeOf(bench, { user: bench.users.reader })];
    assertRefused(await a.client.redeem(b.code), 'invalid_grant');
    assertRefused(await b.client.redeem(a.code), 'invalid_grant');
    await trail.refused('code.reject', 'client_mismatch', (l) => l.client === a.client.id);
    await trail.refused('code.reject', 'client_mismatch', (l) => l.client === b.client.id);
  });

  for (const [name, extra, error, reason] of [
    ['a wrong verifier', { code_verifier: secret() }, 'invalid_grant', 'verifier_mismatch'],
    ['the challenge as verifier', (c) => ({ code_verifier: s256(c.verifier) }), 'invalid_grant', 'verifier_mismatch'],
    ['a verifier that is too short', { code_verifier: 'abc' }, 'invalid_grant', 'verifier_mismatch'],
    ['no verifier', { code_verifier: '' }, 'invalid_request', 'missing_parameter'],
    ['another redirect URI', { redirect_uri: 'http://127.0.0.1:8765/other' }, 'invalid_grant', 'redirect_mismatch'],
    ['another port of the redirect URI', { redirect_uri: 'http://127.0.0.1:8766/callback' }, 'invalid_grant', 'redirect_mismatch'],
    ['no redirect URI', { redirect_uri: '' }, 'invalid_request', 'missing_parameter'],
    ['another resource (W-15)', (c) => ({ resource: `${c.base}/graph/mcp` }), 'invalid_target', 'resource_mismatch'],
    ["somebody else's resource (W-15)", { resource: 'https://other.example/mcp' }, 'invalid_target', 'resource_mismatch'],
    ['no client', { client_id: '' }, 'invalid_request', 'missing_parameter'],
  ])
    attack(`W-19: a code with ${name} is refused, and tells no more`, async (trail) => {
      const { client, code } = await codeOf(bench);
      assertRefused(await client.redeem(code, typeof extra === 'function' ? extra(client) : extra), error);
      await trail.refused('code.reject', reason);
    });

  // @spec W-13 W-60
  for (const [name, bad] of [
    ['unknown', () => `mvac_${randomBytes(48).toString('base64url')}`],
    ['empty of meaning', () => 'x'],
    ['very long', () => 'x'.repeat(9000)],
    ['with a bit turned', (code) => code.slice(0, 20) + (code[20] === 'A' ? 'B' : 'A') + code.slice(21)],
    ['cut', (code) => code.slice(0, -1)],
    ['longer', (code) => `${code}A`],
    ['in other letters', (code) => code.toLowerCase()],
    ["the client's state (W-60)", (code, client) => client.state],
    ['a NUL in it', (code) => `${code}\0`],
  ])
    attack(`W-13: a code that is ${name} gets invalid_grant, and the server lives`, async (trail) => {
      const { client, code } = await codeOf(bench);
      const answer = await client.redeem(bad(code, client));
      assert.equal(answer.status, 400, answer.text);
      assert.match(json(answer).error, /^invalid_(grant|request)$/);
      if (json(answer).error === 'invalid_grant') await trail.refused('code.reject', 'unknown_code');
      assert.equal((await client.redeem(code)).status, 200, 'the real one is untouched');
    });

  // @spec W-60
  attack('W-60: before the person has signed in, nothing is worth a token', async (trail) => {
    const { client, browser, page, upstream } = await approved(bench);
    const known = [client.state, new URL(upstream).searchParams.get('state'), new URL(upstream).searchParams.get('nonce'),
      ...page.headers['set-cookie'].map((c) => c.split(/[=;]/)[1])];
    for (const code of known) assertRefused(await client.redeem(code), 'invalid_grant');
    const callback = await signInAt(bench, upstream, browser);
    // Entra's own code, before and after the callback.
    const theirs = new URL(callback).searchParams.get('code');
    assertRefused(await client.redeem(theirs), 'invalid_grant');
    await trail.refused('code.reject', 'unknown_code');
  });

  attack('a refresh or access token is no code, and a code is neither', async (trail) => {
    const { client, code } = await codeOf(bench);
    assertRefused(await client.refresh(code), 'invalid_grant');
    const tokens = json(await client.redeem(code));
    assertRefused(await client.redeem(tokens.refresh_token), 'invalid_grant');
    assertRefused(await client.redeem(tokens.access_token), 'invalid_grant');
    assertRefused(await client.refresh(tokens.access_token), 'invalid_grant');
    assert.ok(await isDead(new Mcp(client.resource, code)));
    assert.ok(await isDead(new Mcp(client.resource, tokens.refresh_token)));
    await trail.refused('token.reject', 'unknown_refresh_token');
    await trail.refused('bearer.reject', 'forged');
  });
});

describe('chain 6: refresh tokens', () => {
  // @spec W-10 AS-22
  attack('W-10 chain 6: a refresh token that comes again kills the family, its tokens and its MCP session', async (trail) => {
    const { client, tokens, mcp } = await bench.signedIn();
    const next = json(await client.refresh(tokens.refresh_token));
    assert.notEqual(next.refresh_token, tokens.refresh_token);
    assert.notEqual(next.access_token, tokens.access_token);
    const second = await new Mcp(client.resource, next.access_token).open();
    assertRefused(await client.refresh(tokens.refresh_token), 'invalid_grant');
    await trail.refused('token.reuse', 'refresh_reuse', (l) => l.client === client.id && l.session);
    await Promise.all([assertDeadSoon(mcp), assertDeadSoon(second)]);
    assertRefused(await client.refresh(next.refresh_token), 'invalid_grant');
    // The MCP sessions died with it: a new sign-in of the same user and client
    // does not find them.
    const back = await client.signIn(bench.users.admin);
    const again = json(await client.redeem(back.get('code')));
    const revived = new Mcp(client.resource, again.access_token);
    for (const { session } of [mcp, second]) {
      revived.session = session;
      assert.equal((await revived.post({ jsonrpc: '2.0', id: 1, method: 'ping' })).status, 404);
    }
    await bench.audit((l, i) => i >= trail.from && l.event === 'session.close');
  });

  attack('W-10: a refresh token of long ago kills the family as well', async (trail) => {
    const { client, tokens } = await bench.signedIn();
    let last = tokens;
    for (let i = 0; i < 4; i++) last = json(await client.refresh(last.refresh_token));
    assertRefused(await client.refresh(tokens.refresh_token), 'invalid_grant');
    await trail.refused('token.reuse', 'refresh_reuse');
    await assertDeadSoon(new Mcp(client.resource, last.access_token));
  });

  attack('W-10: of ten refreshes with one token at the same time not two live on', async (trail) => {
    const { client, tokens } = await bench.signedIn();
    const answers = await Promise.all(Array.from({ length: 10 }, () => client.refresh(tokens.refresh_token)));
    const good = answers.filter((a) => a.status === 200);
    // One comes first and gets the successor; the next one is reuse (ADR 4).
    assert.equal(good.length, 1, `${good.length} succeeded`);
    const won = json(good[0]);
    for (const answer of answers.filter((a) => a !== good[0])) assertRefused(answer, 'invalid_grant');
    await trail.refused('token.reuse', 'refresh_reuse');
    assertRefused(await client.refresh(won.refresh_token), 'invalid_grant');
    await assertDeadSoon(new Mcp(client.resource, won.access_token));
  });

  // @spec W-19
  attack("W-10: another client's refresh token is of no use, and its owner keeps it", async (trail) => {
    const { client, tokens } = await bench.signedIn();
    const thief = await bench.client().register();
    assertRefused(await thief.refresh(tokens.refresh_token), 'invalid_grant');
    await trail.refused('token.reject', 'client_mismatch', (l) => l.client === thief.id);
    assert.equal((await client.refresh(tokens.refresh_token)).status, 200);
  });

  for (const [name, extra, error, reason] of [
    ['a wider scope', { scope: 'mcp.tools.read mcp.admin' }, undefined, undefined],
    ['another resource', (c) => ({ resource: `${c.base}/graph/mcp` }), 'invalid_target', 'resource_mismatch'],
    ['a scope that is no scope', { scope: '"' }, 'invalid_scope', 'wider_scope'],
  ])
    attack(`W-15 W-27: ${name} at refresh gives no more than was granted`, async (trail) => {
      const { client, tokens } = await bench.signedIn();
      const answer = await client.refresh(tokens.refresh_token, typeof extra === 'function' ? extra(client) : extra);
      if (!error) { // unknown words are dropped, and the answer says what is left (AS-30)
        assert.equal(json(answer).scope, 'mcp.tools.read');
        return;
      }
      assertRefused(answer, error);
      await trail.refused('token.reject', reason);
    });

  for (const [name, bad] of [['a random one', () => `mvrt_${randomBytes(64).toString('base64url')}`],
    ['one with a bit turned', (t) => t.slice(0, 60) + (t[60] === 'A' ? 'B' : 'A') + t.slice(61)],
    ['one with another family', (t) => `mvrt_${'A'.repeat(20)}${t.slice(25)}`], ['nonsense', () => '%00']])
    attack(`W-10: as refresh token ${name} gets invalid_grant and harms nobody`, async (trail) => {
      const { client, tokens, mcp } = await bench.signedIn();
      assertRefused(await client.refresh(bad(tokens.refresh_token)), 'invalid_grant');
      await trail.refused('token.reject', 'unknown_refresh_token');
      assert.ok(!await isDead(mcp));
    });
});

describe('the token door', () => {
  // @spec W-59
  for (const [grant, error] of [[undefined, 'invalid_request'], ['', 'invalid_request'], ['password', 'unsupported_grant_type'],
    ['client_credentials', 'unsupported_grant_type'], ['Authorization_Code', 'unsupported_grant_type'],
    ['urn:ietf:params:oauth:grant-type:jwt-bearer', 'unsupported_grant_type'],
    ['urn:ietf:params:oauth:grant-type:device_code', 'unsupported_grant_type']])
    attack(`W-59: grant_type ${grant} is no grant`, async (trail) => {
      const { client, code } = await codeOf(bench);
      const fields = { code, redirect_uri: REDIRECT, code_verifier: client.verifier };
      assertRefused(await client.token(grant === undefined ? fields : { ...fields, grant_type: grant }), error);
      await trail.refused('token.reject', 'grant_type');
    });

  for (const name of ['grant_type', 'code', 'client_id', 'redirect_uri', 'code_verifier', 'resource'])
    attack(`a second ${name} at the token door is refused`, async (trail) => {
      const { client, code } = await codeOf(bench);
      const all = { grant_type: 'authorization_code', code, client_id: client.id, redirect_uri: REDIRECT,
        code_verifier: client.verifier, resource: client.resource };
      assertRefused(await request(`${bench.url}/token`, {
        method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: `${form(all)}&${form({ [name]: all[name] })}`,
      }), 'invalid_request');
      await trail.refused('token.reject', 'repeated_parameter');
      assert.equal((await client.redeem(code)).status, 200);
    });

  for (const [name, headers, extra] of [
    ['Basic', { authorization: `Basic ${Buffer.from('x:y').toString('base64')}` }, {}],
    ['post', {}, { client_secret: 'x' }],
    ['assertion', {}, { client_assertion: 'x.y.z', client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' }],
  ])
    // @spec W-28 W-30
    attack(`W-28: a client secret (${name}) that we never gave proves nothing`, async (trail) => {
      const { client, code } = await codeOf(bench);
      const answer = await request(`${bench.url}/token`, {
        method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
        body: form({ grant_type: 'authorization_code', code, client_id: client.id, redirect_uri: REDIRECT,
          code_verifier: client.verifier, ...extra }),
      });
      assertRefused(answer, 'invalid_client', 401);
      await trail.refused('token.reject', 'client_authentication');
    });

  attack('an unknown client gets invalid_client, by which it knows to register again', async (trail) => {
    const { client, code } = await codeOf(bench);
    assertRefused(await Object.assign(client, { id: 'mvc_unknown' }).redeem(code), 'invalid_client', 401);
    await trail.refused('token.reject', 'unknown_client');
  });

  for (const [name, path, body, type] of [
    ['JSON at the token door', 'token', '{"grant_type":"refresh_token"}', 'application/json'],
    ['a form without its type', 'token', 'grant_type=refresh_token', 'text/plain'],
    ['broken escapes', 'token', 'grant_type=%zz', 'application/x-www-form-urlencoded'],
    ['a NUL', 'token', 'grant_type=refresh_token%00', 'application/x-www-form-urlencoded'],
    ['JSON at the revocation door', 'revoke', '{"token":"x"}', 'application/json'],
    ['JSON at the consent door', 'authorize/consent', '{"decision":"approve"}', 'application/json'],
  ])
    attack(`${name} is refused`, async (trail) => {
      const answer = await request(`${bench.url}/${path}`, { method: 'POST', headers: { 'content-type': type }, body });
      assert.equal(answer.status, 400, answer.text);
      await trail.refused(undefined);
    });

  // @spec W-77 W-28 W-59
  attack('W-77 W-28 W-59: answers with tokens are not cached, and metadata says what there is', async () => {
    const { client, code } = await codeOf(bench);
    const answer = await client.redeem(code);
    assert.match(answer.headers['cache-control'], /no-store/);
    assert.equal(answer.headers['access-control-allow-origin'], undefined);
    const tokens = json(answer);
    assert.equal(tokens.token_type, 'Bearer');
    assert.ok(Number.isInteger(tokens.expires_in) && tokens.expires_in > 500 && tokens.expires_in <= 600, 'seconds (W-31)');
    const registered = json(await jsonPost(`${bench.url}/register`, {
      client_name: 'wants a secret', redirect_uris: [REDIRECT], token_endpoint_auth_method: 'client_secret_basic' }));
    assert.equal(registered.token_endpoint_auth_method ?? 'none', 'none', JSON.stringify(registered));
    assert.equal(registered.client_secret, undefined);
    const metadata = json(await request(`${bench.url}/.well-known/oauth-authorization-server`));
    assert.deepEqual(metadata.token_endpoint_auth_methods_supported, ['none']);
    assert.deepEqual(metadata.code_challenge_methods_supported, ['S256']);
    assert.deepEqual(metadata.response_types_supported, ['code']);
    assert.deepEqual([...metadata.grant_types_supported].sort(), ['authorization_code', 'refresh_token']);
    assert.equal(metadata.authorization_response_iss_parameter_supported, true);
    for (const [key, url] of Object.entries(metadata).filter(([k]) => /_endpoint$|_uri$/.test(k)))
      assert.notEqual((await request(url, { method: 'PUT' })).status, 404, `${key} exists`);
  });
});

describe('revocation', () => {
  const revoke = (client, fields) => request(`${bench.url}/revoke`, {
    method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: form({ client_id: client.id, ...fields }),
  });

  for (const kind of ['access_token', 'refresh_token'])
    // @spec W-11 S-14
    attack(`W-11: a revoked ${kind} ends the whole family within two seconds`, async () => {
      const { client, tokens, mcp } = await bench.signedIn();
      assert.equal((await revoke(client, { token: tokens[kind], token_type_hint: 'nonsense' })).status, 200);
      await bench.audit((l) => l.event === 'token.revoke' && l.client === client.id && l.outcome === 'ok');
      await assertDeadSoon(mcp);
      await bench.audit((l) => l.event === 'session.close' && l.client === client.id);
      assertRefused(await client.refresh(tokens.refresh_token), 'invalid_grant');
      assert.equal((await revoke(client, { token: tokens[kind] })).status, 200, 'again');
    });

  attack("W-11: nobody can end another client's tokens, nor learn whether they live", async (trail) => {
    const { client, tokens, mcp } = await bench.signedIn();
    const thief = await bench.client().register();
    const answers = [];
    for (const token of [tokens.access_token, tokens.refresh_token, 'nonsense', `mvat_${secret()}`])
      answers.push(await revoke(thief, { token }));
    assert.deepEqual([...new Set(answers.map((a) => `${a.status} ${a.text}`))], ['200 ']);
    await trail.refused('token.revoke', 'client_mismatch', (l) => l.client === thief.id);
    await trail.refused('token.revoke', 'unknown_token');
    assert.ok(!await isDead(mcp));
    assert.equal((await client.refresh(tokens.refresh_token)).status, 200);
  });

  attack('W-11: an unknown client, a missing or a doubled token are refused with a reason', async (trail) => {
    const client = await bench.client().register();
    assertRefused(await revoke({ id: 'mvc_unknown' }, { token: 'x' }), 'invalid_client', 401);
    assertRefused(await revoke(client, {}), 'invalid_request');
    assert.equal((await trail.lines()).filter((l) => l.event === 'token.revoke' && l.outcome === 'refused').length, 2);
  });
});

// @spec W-17 W-29
test('W-17 W-29: registration is off unless switched on, and then has a quota', async () => {
  const other = await Bench.start({ config: { registration: { dynamic: false } } });
  try {
    const body = { client_name: 'x', redirect_uris: [REDIRECT] };
    const post = () => jsonPost(`${other.url}/register`, body);
    assert.equal((await post()).status, 403);
    await other.audit((l) => l.event === 'client.reject' && l.reason === 'registration_off');
    assert.equal(json(await request(`${other.url}/.well-known/oauth-authorization-server`)).registration_endpoint, undefined);
    await other.server.stop();
    await other.serve({ registration: { dynamic: true, per_address_per_hour: 2 } });
    assert.deepEqual([(await post()).status, (await post()).status, (await post()).status], [201, 201, 429]);
    await other.audit((l) => l.event === 'client.reject' && l.reason === 'registration_quota');
    await other.server.stop();
    await other.serve({ registration: { dynamic: true, per_address_per_hour: 100, max: 3 } });
    assert.deepEqual([(await post()).status, (await post()).status], [201, 503]);
    await other.audit((l) => l.event === 'client.reject' && l.reason === 'registrations_full');
  } finally {
    await other.stop();
  }
});
