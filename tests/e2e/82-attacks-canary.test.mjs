// Chain 7: every secret of a run is known to the test; after sign-ins, calls
// and all failures that can be reached, none may stand anywhere but where the
// protocol puts it.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { form, request } from './lib/browser.mjs';
import { Bench } from './lib/valet.mjs';
import { ROOMY, jsonPost } from './lib/attack.mjs';
import { Canaries, CanaryBrowser, CanaryClient, CanaryMcp, Eavesdropper } from './lib/canary.mjs';

const canaries = new Canaries();
const browsers = [], clients = [], mcps = [], errors = [];
let bench, tap, live;

const browser = () => { const b = new CanaryBrowser(canaries); browsers.push(b); return b; };
const client = async () => { const c = await new CanaryClient(bench.url, canaries).register(); clients.push(c); return c; };
const mcpOf = (token) => { const m = new CanaryMcp(`${bench.url}/mcp`, token, canaries); mcps.push(m); return m; };
const fault = (body) => jsonPost(`${bench.tenant.info.authority}/_emul/faults`, body);
const clearFaults = () => request(`${bench.tenant.info.authority}/_emul/faults`, { method: 'DELETE' });
const quietly = async (what) => { try { return await what(); } catch (error) { errors.push(error); } };
const get = async (url, options) => {
  const answer = await request(url, options);
  errors.push({ url, text: `${answer.rawHeaders.join('\n')}\n${answer.text}` });
  return answer;
};

async function signIn(user = bench.users.admin) {
  const c = await client();
  const back = await c.signIn(user, browser());
  const tokens = JSON.parse((await c.redeem(back.get('code'))).text);
  const mcp = await mcpOf(tokens.access_token).open();
  return { c, tokens, mcp, code: back.get('code') };
}

// Everything that may go wrong, with real secrets in every hand.
async function fail(good) {
  const { c, tokens, mcp, code } = good;
  const { access_token: access, refresh_token: refresh } = tokens;
  // Graph and Entra in all their moods.
  for (const [where, more] of [['graph', { status: 500 }], ['graph', { status: 401 }], ['graph', { status: 403 }],
    ['graph', { status: 429, retry_after: 1 }], ['graph', { status: 404 }], ['token', { status: 500 }], ['token', { aadsts: 50173 }]]) {
    await fault({ where, ...more, count: 3 });
    await quietly(() => mcp.tool('getUserDetails'));
    await clearFaults();
  }
  for (const more of [{ status: 500 }, { aadsts: 7000215 }, { aadsts: 70008 }, { aadsts: 50076 }]) {
    await fault({ where: 'token', ...more, count: 3 });
    await quietly(async () => (await client()).signIn(bench.users.admin, browser()));
    await clearFaults();
  }
  for (const where of ['discovery', 'keys']) {
    await fault({ where, status: 500, count: 3 });
    await quietly(async () => (await client()).signIn(bench.users.reader, browser()));
    await clearFaults();
  }
  // Calls that are wrong, with the token in the wrong place.
  for (const params of [{ name: access, arguments: {} }, { name: 'getUserDetails', arguments: { token: access } },
    { name: 'getUserDetails', arguments: access }, { name: 'getUserDetails', context: { token: access } }])
    await mcp.post({ jsonrpc: '2.0', id: 7, method: 'tools/call', params });
  await mcp.post({ jsonrpc: '2.0', id: 8, method: access, params: {} });
  await mcp.post(`{"jsonrpc":"2.0","id":"${access}","method":`);
  for (const target of [`/mcp?access_token=${access}`, `/${access}`, `/mcp/${access}`, `/auth/callback?state=${access}&code=${code}`,
    `/authorize?client_id=${c.id}&redirect_uri=${encodeURIComponent(c.redirect)}&state=${access}&code_challenge=${refresh}`,
    `/authorize?client_id=${c.id}&redirect_uri=${encodeURIComponent(`https://x.example/?t=${access}`)}`,
    `/authorize?client_id=${c.id}&redirect_uri=${encodeURIComponent(c.redirect)}&response_type=code&resource=${access}&scope=${refresh}`])
    await get(bench.url + target);
  for (const headers of [{ authorization: `Bearer ${access}x` }, { authorization: `Basic ${access}` }, { authorization: `Bearer ${refresh}` },
    { authorization: `Bearer ${code}` }, { cookie: `valet_browser=${access}` }, { 'mcp-session-id': access, authorization: `Bearer ${access}` },
    { host: access }, { origin: `https://${access}` }, { 'user-agent': access }, { 'x-request-id': access, 'x-correlation-id': access, traceparent: access },
    { 'mcp-protocol-version': access, authorization: `Bearer ${access}` }, { 'content-type': access, authorization: `Bearer ${access}` }])
    await get(`${bench.url}/mcp`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: '{}' });
  // The token desk.
  const back = await c.signIn(bench.users.reader, browser());
  const fresh = back.get('code');
  for (const extra of [{ code_verifier: access }, { redirect_uri: `https://x.example/${access}` }, { resource: `https://x.example/${access}` },
    { client_secret: refresh }]) await c.redeem(fresh, extra);
  await c.token({ grant_type: access });
  await c.redeem(code);
  const again = JSON.parse((await c.redeem(fresh)).text);
  await c.refresh(again.refresh_token, { scope: access });
  const next = JSON.parse((await c.refresh(again.refresh_token)).text);
  await c.refresh(again.refresh_token);
  await c.refresh(next.refresh_token);
  await request(`${bench.url}/revoke`, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: form({ token: next.access_token, client_id: c.id, token_type_hint: next.access_token }) });
  // The first code's sign-in has ended with Graph's refusals; this one's lives.
  const replayed = (await c.signIn(bench.users.reader, browser())).get('code');
  for (let i = 0; i < 2; i++) await c.redeem(replayed);
  await jsonPost(`${bench.url}/register`, { client_name: 'x', redirect_uris: [`javascript:${access}`], software_statement: access });
  // Secrets where an id is expected.
  for (const client_id of [access, refresh, code]) {
    await get(`${bench.url}/authorize?${form({ client_id, redirect_uri: c.redirect })}`);
    await Object.assign(new CanaryClient(bench.url, canaries), { id: client_id }).redeem(code, { code_verifier: access });
    await request(`${bench.url}/revoke`, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: form({ token: 'x', client_id }) });
  }
  // A callback that fails with real values, and one in the wrong browser.
  const half = await client();
  const upstream = new URL((await half.consent(browser())).next);
  await browser().open(`${bench.url}/auth/callback?${form({ code: access, state: upstream.searchParams.get('state') })}`);
  const whole = await client();
  const own = browser();
  const state = new URL((await whole.consent(own)).next).searchParams.get('state');
  await own.open(`${bench.url}/auth/callback?${form({ error: 'server_error', error_description: access, state })}`);
}

before(async () => {
  bench = await Bench.start({ serve: false });
  tap = await Eavesdropper.start(bench.tenant.info.authority, canaries);
  bench.config = {
    ...ROOMY, log: { level: 'debug' },
    entra: { tenant_id: bench.tenant.info.tenant.split('/').pop(), client_id: bench.set.apps.web.id,
      client_secret_file: bench.path('secret'), authority_host: tap.url, graph_url: tap.url },
  };
  await bench.serve();
  canaries.add('client secret', bench.set.apps.web.secret);
  live = await signIn();
  await live.mcp.tool('getUserDetails');
  await signIn(bench.users.bengali);
  await fail(await signIn(bench.users.reader));
  // Entra's refreshed tokens too.
  await jsonPost(`${bench.tenant.info.authority}/_emul/settings`, { access_token_seconds: 1 });
  const brief = await signIn();
  await new Promise((r) => setTimeout(r, 1100));
  await brief.mcp.tool('getUserDetails');
  await new Promise((r) => setTimeout(r, 1100));
  await fault({ where: 'token', aadsts: 50173, count: 3 });
  await quietly(() => brief.mcp.tool('getUserDetails'));
  await clearFaults();
  await live.c.refresh(live.tokens.refresh_token);
  await new Promise((r) => setTimeout(r, 300)); // the audit is flushed
});
after(async () => { await tap.stop(); await bench.stop(); });

// What the server wrote, but for the audit trail, which has a test of its own.
const stored = () => readdirSync(bench.folder).filter((name) => !['secret', 'valet.yaml', 'audit.jsonl'].includes(name));
const clean = (bytes, what, only) => assert.deepEqual(canaries.find(bytes, only), [], what);

test('the run has seen secrets of every kind, and the search finds them', () => {
  const names = new Set(canaries.values.values());
  for (const name of ['access_token', 'refresh_token', 'code', 'verifier', 'state', 'flow', 'csrf', 'mcp session', 'client secret', 'cookie valet_browser',
    'upstream access_token', 'upstream refresh_token', 'upstream id_token', 'upstream code', 'upstream code_verifier', 'upstream state', 'upstream nonce'])
    assert.ok(names.has(name), `no ${name} among ${[...names].join(', ')}`);
  for (const [value] of canaries.values)
    for (const disguise of [value, Buffer.from(`xy${value}z`).toString('base64'), Buffer.from(value).toString('hex'), encodeURIComponent(value)])
      assert.ok(canaries.find(`before ${disguise} after`).length, 'the search finds it');
});

test('the run has failed in every way it meant to', async () => {
  const seen = new Set((await bench.audit()).filter((l) => l.outcome === 'refused').map((l) => l.event));
  for (const event of ['auth.challenge', 'bearer.reject', 'request.reject', 'client.reject', 'authorize.reject', 'callback.fail', 'code.reject',
    'code.replay', 'token.reuse', 'token.reject', 'graph.fail', 'credential.fail'])
    assert.ok(seen.has(event), `no ${event} among ${[...seen].join(', ')}`);
});

// @spec W-61 W-23 S-98
test('W-61 W-23 chain 7: no secret is in the log or on standard output', () => {
  clean(bench.server.stderr, 'stderr');
  clean(bench.server.stdout, 'stdout');
});

// @spec W-61 W-23
test('W-61 W-23 chain 7: no secret is in the audit trail', () => clean(readFileSync(bench.auditFile), 'audit'));

// @spec W-09 W-62
test('W-09 W-62 chain 7: no secret is in any file of the store', () => {
  const files = stored();
  assert.ok(files.includes('store.db') && files.includes('keys'), files.join());
  for (const name of files) {
    clean(readFileSync(path.join(bench.folder, name)), name);
  }
  for (const name of [...files, 'audit.jsonl'])
    assert.equal(statSync(path.join(bench.folder, name)).mode & 0o077, 0, `${name} is for its owner alone`);
});

// @spec S-56
test('S-56 chain 7: no secret is in arguments, environment or a core file', () => {
  const of = (name) => readFileSync(`/proc/${bench.server.pid}/${name}`);
  clean(of('cmdline'), 'cmdline');
  // AZURE_CLIENT_SECRET would be there if an operator put it there; here it is in a file.
  try {
    clean(of('environ'), 'environ');
  } catch (error) { // it is not to be read by its own user even: better still
    assert.equal(error.code, 'EACCES');
  }
  assert.match(of('limits').toString(), /^Max core file size\s+0\s+0\s/m);
});

// @spec W-14 W-80 RS-18
test("W-14 W-80 RS-18 chain 7: no byte of Entra's tokens reaches MCP client or browser", () => {
  const upstream = (name) => /^upstream (access_token|refresh_token|id_token|bearer|code_verifier)$|^client secret$/.test(name);
  for (const { url, text } of [...clients, ...mcps].flatMap((c) => c.got)) clean(text, url, upstream);
  for (const { url, text } of browsers.flatMap((b) => b.got)) if (url.startsWith(bench.url)) clean(text, url, upstream);
  for (const error of errors) clean(error.text ?? error.message, 'an error', upstream);
  // And of ours, a call's answer says nothing but the session's id.
  for (const { text } of mcps.flatMap((m) => m.got))
    clean(text, 'an MCP answer', (name) => /^(access_token|refresh_token|code|verifier|cookie|csrf|flow)/.test(name) && !text.includes('"method"') && !text.includes('"id":"mvat_'));
});

// @spec RS-20 W-71
test('RS-20 chain 7: URLs hold no secret but code and state where the protocol puts them', () => {
  const allowed = [
    ['/authorize', ['state']],
    ['/auth/callback', ['code', 'state', 'session_state', 'client_info', 'error_description']],
    ['/callback', ['code', 'state']],
  ];
  for (const b of browsers)
    for (const { url, text } of b.got) {
      const addresses = [url, ...[...text.matchAll(/^(?:location|Location|Referer)\n(.*)$/gm)].map((m) => new URL(m[1], url).href)];
      for (const address of addresses) {
        const u = new URL(address);
        // What Entra itself repeats in the addresses of its pages is its own.
        if (u.origin === tap.url) for (const name of ['state', 'nonce']) u.searchParams.delete(name);
        for (const [end, names] of allowed) if (u.pathname.endsWith(end)) for (const name of names) u.searchParams.delete(name);
        clean(u.href, 'an address of the browser');
      }
    }
});

// @spec W-09 W-62
test('W-09 W-62 chain 7: nor after it was stopped in the middle of its life', async () => {
  const { code } = await bench.server.stop();
  assert.equal(code, 0, bench.server.stderr);
  for (const name of stored())
    clean(readFileSync(path.join(bench.folder, name)), name);
  clean(bench.server.stderr, 'stderr');
});
