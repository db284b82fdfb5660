// What is remembered of Microsoft Graph's answers, for whom and for how long;
// and a Graph that is left alone.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { request } from './lib/browser.mjs';
import { Bench, runToEnd, VALET } from './lib/valet.mjs';

const call = async (mcp) => (await mcp.tool('getUserDetails')).result;
const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

async function emul(bench, what, body, method = 'POST') {
  const answer = await request(`${bench.tenant.info.authority}/_emul/${what}`, {
    method, body: body && JSON.stringify(body), headers: body ? { 'content-type': 'application/json' } : {},
  });
  assert.ok(answer.status < 300, answer.text);
  return JSON.parse(answer.text);
}

// How often Graph is asked while `work` runs.
async function asked(bench, work) {
  const count = async () => (await emul(bench, 'log', undefined, 'GET')).counts.graph_me ?? 0;
  const before_ = await count();
  await work();
  return await count() - before_;
}

describe('a profile', () => {
  let bench;
  // The default, and one worker: each has a memory of its own.
  before(async () => { bench = await Bench.start({ config: { workers: 1, limits: { graph_cache: '60s' } } }); });
  after(() => bench.stop());

  // @spec S-100
  test('is asked for once a minute, and the audit tells which was which', async () => {
    const { client, mcp } = await bench.signedIn(bench.users.bengali);
    let first, again;
    assert.equal(await asked(bench, async () => { first = await call(mcp); again = await call(mcp); }), 1);
    assert.equal(first.structuredContent.displayName, bench.users.bengali.display_name);
    assert.deepEqual(again, first);
    const mine = (l) => l.event === 'graph.ok' && l.client === client.id;
    await bench.audit((l) => mine(l) && l.reason === 'remembered');
    const lines = (await bench.audit()).filter(mine);
    assert.deepEqual(lines.map((l) => l.reason), [undefined, 'remembered']);
    assert.equal(lines[0].upstream_correlation, lines[1].upstream_correlation);
    assert.notEqual(lines[0].correlation, lines[1].correlation);
  });

  // @spec S-100 W-02
  test('is never somebody else’s', async () => {
    const [admin, reader] = await Promise.all([bench.signedIn(bench.users.admin), bench.signedIn(bench.users.reader)]);
    for (let i = 0; i < 3; i++)
      for (const [who, user] of [[admin, bench.users.admin], [reader, bench.users.reader]])
        assert.equal((await call(who.mcp)).structuredContent.userPrincipalName, user.username);
  });

  // @spec S-14
  test('goes with the sign-in', async () => {
    const { client, tokens, mcp } = await bench.signedIn(bench.users.reader);
    await call(mcp);
    const revoked = await request(`${bench.url}/revoke`, {
      method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `client_id=${client.id}&token=${tokens.refresh_token}`,
    });
    assert.equal(revoked.status, 200);
    const back = await bench.signedIn(bench.users.reader);
    assert.equal(await asked(bench, () => call(back.mcp)), 1);
    assert.equal(await asked(bench, () => call(back.mcp)), 0);
  });

  // @spec S-08
  test('is of no use to whom Entra ID does not let in any more', async () => {
    await emul(bench, 'settings', { access_token_seconds: 1 });
    try {
      const { mcp } = await bench.signedIn(bench.users.admin);
      await call(mcp);
      await emul(bench, 'faults', { where: 'token', aadsts: 50057, count: 0 });
      await pause(1100);
      const answer = await mcp.post({ jsonrpc: '2.0', id: 9, method: 'tools/call', params: { name: 'getUserDetails', arguments: {} } });
      assert.equal(answer.status, 401, answer.text);
    } finally {
      await emul(bench, 'settings', { access_token_seconds: 0 });
      await emul(bench, 'faults', undefined, 'DELETE');
    }
  });
});

describe('Graph', () => {
  let bench;
  before(async () => { bench = await Bench.start({ config: { workers: 1 } }); });
  after(() => bench.stop());

  // @spec S-100
  test('is asked once for twenty calls at a time', async () => {
    const { mcp } = await bench.signedIn();
    await emul(bench, 'faults', { where: 'graph', delay_ms: 500, count: 1 });
    assert.equal(await asked(bench, async () => {
      for (const { result } of await Promise.all(Array.from({ length: 20 }, () => mcp.tool('getUserDetails'))))
        assert.equal(result.structuredContent.userPrincipalName, bench.users.admin.username);
    }), 1);
    assert.equal(await asked(bench, async () => { await call(mcp); await call(mcp); }), 2, 'nothing is remembered');
  });

  // @spec S-100 W-24
  test('that fails again and again is left alone for a while', async () => {
    const { mcp } = await bench.signedIn();
    const { mcp: other } = await bench.signedIn(bench.users.reader);
    await emul(bench, 'faults', { where: 'graph', status: 500, count: 0 });
    const fails = async (who) => {
      const result = await call(who);
      assert.equal(result.isError, true);
      assert.match(result.content[0].text, /^Error: .*not available at the moment.*correlation id [0-9a-f-]{36}/);
    };
    assert.equal(await asked(bench, async () => { for (let i = 0; i < 5; i++) await fails(mcp); }), 5);
    assert.equal(await asked(bench, async () => { await fails(mcp); await fails(other); }), 0);
    await bench.audit((l) => l.event === 'graph.fail' && l.reason === 'circuit_open');
    await emul(bench, 'faults', undefined, 'DELETE');
    await pause(5200);
    assert.equal((await call(other)).structuredContent.userPrincipalName, bench.users.reader.username);
    assert.ok((await call(mcp)).structuredContent);
  });
});

// @spec S-42
describe('a configuration', () => {
  let bench;
  before(async () => { bench = await Bench.start({ serve: false }); });
  after(() => bench.stop());

  for (const [what, authority_host, graph_url, says] of [
    ['that would send tokens to others', undefined, 'https://graph.microsoft.com.example', /entra\.graph_url has to be Microsoft Graph/],
    ['that would send tokens to another cloud', 'https://login.microsoftonline.us', 'https://graph.microsoft.com', /write graph_url: https:\/\/graph\.microsoft\.us/],
  ])
    test(`${what} is refused`, async () => {
      const file = bench.writeConfig();
      const settings = JSON.parse(readFileSync(file));
      Object.assign(settings.entra, { graph_url }, authority_host && { authority_host });
      writeFileSync(file, JSON.stringify(settings));
      for (const command of [['serve'], ['check']]) {
        const { code, stderr } = await runToEnd(VALET, [...command, '--config', file]);
        assert.equal(code, 2, stderr);
        assert.match(stderr, says);
      }
    });
});
