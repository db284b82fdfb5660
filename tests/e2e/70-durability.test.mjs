// What must outlive the process, what must not open once it was tampered
// with, and how Entra's tokens are renewed under it all.
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import { Browser, request } from './lib/browser.mjs';
import { Client, Mcp } from './lib/client.mjs';
import { Bench, runToEnd, VALET } from './lib/valet.mjs';

const ROOMY = { registration: { dynamic: true, per_address_per_hour: 10000 } };

// The first message of a session, which needs nothing but the token.
const knock = (client, token) => new Mcp(client.resource, token).post({
  jsonrpc: '2.0', id: 1, method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
});
const details = async (client, token) => (await (await new Mcp(client.resource, token).open()).tool('getUserDetails')).result;

async function emul(bench, what, body, method = 'POST') {
  const answer = await request(`${bench.tenant.info.authority}/_emul/${what}`, {
    method, body: body && JSON.stringify(body), headers: body ? { 'content-type': 'application/json' } : {},
  });
  assert.ok(answer.status < 300, answer.text);
  return JSON.parse(answer.text);
}

const counts = async (bench) => (await emul(bench, 'log', undefined, 'GET')).counts;

// How often `name` is counted while `work` runs.
async function counted(bench, name, work) {
  const before_ = (await counts(bench))[name] ?? 0;
  await work();
  return ((await counts(bench))[name] ?? 0) - before_;
}

// Pulls the plug, and starts again at the same port over the same files.
async function crash(bench) {
  assert.equal((await bench.server.stop('SIGKILL')).signal, 'SIGKILL');
  await bench.serve();
}

function assertGrantRefused(answer) {
  assert.equal(answer.status, 400, answer.text);
  assert.equal(JSON.parse(answer.text).error, 'invalid_grant');
}

describe('a server that is killed', () => {
  let bench;
  before(async () => { bench = await Bench.start({ config: ROOMY }); });
  after(() => bench.stop());

  // @spec S-31 S-63
  test('right after /token has answered knows the tokens and Entra’s too', async () => {
    const client = await bench.client().register();
    const tokens = await client.login(bench.users.bengali);
    await crash(bench);
    const user = await details(client, tokens.access_token);
    assert.equal(user.structuredContent.displayName, bench.users.bengali.display_name);
    const fresh = await client.refresh(tokens.refresh_token);
    assert.equal(fresh.status, 200, fresh.text);
    await crash(bench);
    const rotated = JSON.parse(fresh.text);
    assert.ok(!(await details(client, rotated.access_token)).isError);
    assert.equal((await client.refresh(rotated.refresh_token)).status, 200);
  });

  // @spec W-18: the store is ready before anybody is served.
  test('knows its registrations: a sign-in needs no new one', async () => {
    const client = await bench.client().register();
    await crash(bench);
    const { access_token } = await client.login(bench.users.reader);
    assert.equal((await knock(client, access_token)).status, 200);
  });

  test('finishes a sign-in that was under way', async () => {
    const client = await bench.client().register();
    const browser = new Browser();
    const user = bench.users.admin;
    const elsewhere = (url) => !url.startsWith(bench.url);
    const consent = await browser.open(client.authorizeUrl());
    await crash(bench);
    const signIn = await (await consent.submit({ decision: 'approve' })).follow(elsewhere);
    await crash(bench);
    const done = await signIn.submit({ username: user.username, password: user.password });
    const back = new URL((await browser.open(done.next)).next).searchParams;
    await crash(bench);
    assert.equal(back.get('state'), client.state);
    assert.equal((await client.redeem(back.get('code'))).status, 200);
  });

  // @spec W-10 W-19
  test('remembers what was used, rotated and revoked', async () => {
    const client = await bench.client().register();
    const back = await client.signIn(bench.users.admin);
    const first = await client.redeem(back.get('code'));
    assert.equal(first.status, 200);
    await crash(bench);
    assertGrantRefused(await client.redeem(back.get('code')));
    // A code that comes twice was stolen: what it gave is over (RFC 6749, 4.1.2).
    assert.equal((await knock(client, JSON.parse(first.text).access_token)).status, 401);

    const tokens = await client.login(bench.users.admin);
    const fresh = JSON.parse((await client.refresh(tokens.refresh_token)).text);
    await crash(bench);
    assertGrantRefused(await client.refresh(tokens.refresh_token));
    assertGrantRefused(await client.refresh(fresh.refresh_token));
    assert.equal((await knock(client, fresh.access_token)).status, 401);

    const last = await client.login(bench.users.admin);
    const revoked = await request(`${bench.url}/revoke`, {
      method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ token: last.refresh_token, client_id: client.id }).toString(),
    });
    assert.equal(revoked.status, 200);
    await crash(bench);
    assert.equal((await knock(client, last.access_token)).status, 401);
    assertGrantRefused(await client.refresh(last.refresh_token));
  });

  test('in a storm of sign-ins keeps every one that was answered', async () => {
    for (const wanted of [1, 4, 7]) {
      const answered = [];
      let killed;
      const people = Array.from({ length: 8 }, async () => {
        const client = await new Client(bench.url).register();
        const tokens = await client.login(bench.users.admin);
        if (killed) return;
        answered.push({ client, tokens });
        if (answered.length === wanted) killed = bench.server.stop('SIGKILL');
      });
      await Promise.allSettled(people);
      await killed;
      await bench.serve();
      assert.ok(answered.length >= wanted);
      for (const { client, tokens } of answered) {
        assert.equal((await knock(client, tokens.access_token)).status, 200);
        assert.equal((await client.refresh(tokens.refresh_token)).status, 200);
      }
    }
  });
});

describe('a server that is told twice to stop', () => {
  const refused = (port) => new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => { socket.destroy(); resolve(false); });
    socket.on('error', () => resolve(true));
  });
  const pause = () => new Promise((resolve) => { setTimeout(resolve, 20); });

  // With ASan the exit code also says that no code and no verifier was leaked.
  test('while Entra is asked to redeem a code, stops at once and is 0', async (t) => {
    const bench = await Bench.start({ config: ROOMY });
    t.after(() => bench.stop());
    const client = await bench.client().register();
    await client.login(bench.users.reader); // so that Entra's documents are known
    const browser = new Browser();
    const elsewhere = (url) => !url.startsWith(bench.url);
    const consent = await browser.open(client.authorizeUrl());
    const signIn = await (await consent.submit({ decision: 'approve' })).follow(elsewhere);
    const done = await signIn.submit({ username: bench.users.admin.username, password: bench.users.admin.password });
    await emul(bench, 'faults', { where: 'token', delay_ms: 20000 });
    const back = browser.open(done.next).catch((error) => error);
    // Redeeming begins when the sign-in's record was taken from the store.
    const db = new DatabaseSync(bench.storeFile, { readOnly: true });
    const flows = db.prepare("SELECT count(*) AS n FROM record WHERE section = 'flow'");
    for (let tries = 0; flows.get().n > 0; tries++) {
      assert.ok(tries < 500, 'the sign-in does not come back');
      await pause();
    }
    db.close();
    bench.server.child.kill('SIGTERM');
    while (!(await refused(bench.port))) await pause();
    bench.server.child.kill('SIGTERM');
    assert.deepEqual(await bench.server.exited, { code: 0, signal: null }, bench.server.stderr);
    await back;
  });
});

describe('a store that was tampered with', () => {
  let bench, people;

  // Two people's sessions; the files of the stopped server are put aside.
  before(async () => {
    bench = await Bench.start({ config: ROOMY });
    people = [];
    for (const name of ['admin', 'reader']) {
      const client = await bench.client().register();
      people.push({ client, tokens: await client.login(bench.users[name]) });
    }
    await bench.server.stop();
    for (const file of storeFiles()) copyFileSync(bench.path(file), bench.path(`kept-${file}`));
    assert.ok(storeFiles().length >= 1);
  });
  after(() => bench.stop());

  const storeFiles = () => readdirSync(bench.folder).filter((name) => /^store\.db/.test(name));

  function restore() {
    for (const file of storeFiles()) rmSync(bench.path(file));
    for (const file of readdirSync(bench.folder).filter((name) => name.startsWith('kept-')))
      copyFileSync(bench.path(file), bench.path(file.slice(5)));
  }

  // Changes the database of the stopped server, starts it, and asks.
  async function after_(change, ask) {
    restore();
    const db = new DatabaseSync(bench.storeFile);
    change(db);
    db.close();
    chmodSync(bench.storeFile, 0o600);
    await bench.serve();
    try {
      await ask();
      assert.equal((await request(bench.url)).status, 200, 'it lives on');
    } finally {
      assert.deepEqual(await bench.server.stop(), { code: 0, signal: null });
    }
  }

  const rows = (db, section) => db.prepare('SELECT * FROM record WHERE section = ? ORDER BY key').all(section);
  const write = (db, row, column, value) =>
    db.prepare(`UPDATE record SET ${column} = ? WHERE section = ? AND key = ?`).run(value, row.section, row.key);

  // What each section's records are needed for; nobody gets through.
  const refused = {
    access: async ({ client, tokens }) => {
      const answer = await knock(client, tokens.access_token);
      assert.equal(answer.status, 401, answer.text);
      assert.match(answer.headers['www-authenticate'], /error="invalid_token"/);
    },
    refresh: async ({ client, tokens }) => assertGrantRefused(await client.refresh(tokens.refresh_token)),
    // The access token has a record of its own; what a tool needs is here.
    session: async ({ client, tokens }) => {
      const mcp = await new Mcp(client.resource, tokens.access_token).open();
      const answer = await mcp.post({ jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'getUserDetails', arguments: {} } });
      assert.equal(answer.status, 401, answer.text);
      assert.match(answer.headers['www-authenticate'], /error="invalid_token"/);
      assertGrantRefused(await client.refresh(tokens.refresh_token));
    },
    client: async ({ client, tokens }) => {
      const page = await new Browser().open(client.authorizeUrl());
      assert.equal(page.status, 400);
      assert.equal(page.next, undefined);
      const answer = await client.refresh(tokens.refresh_token);
      assert.ok([400, 401].includes(answer.status), answer.text);
      assert.match(JSON.parse(answer.text).error, /^invalid_(client|grant)$/);
    },
  };

  // Otherwise the tests below would prove nothing.
  test('opens when nothing was changed', async () => {
    await after_(() => {}, async () => {
      for (const { client, tokens } of people) {
        assert.ok(!(await details(client, tokens.access_token)).isError);
        assert.equal((await client.refresh(tokens.refresh_token)).status, 200);
      }
    });
  });

  const flips = [
    ['the first bit', () => [0, 0x80]], ['the key id', () => [2, 0x01]], ['the nonce', () => [12, 0x10]],
    ['the middle', (n) => [n >> 1, 0x04]], ['the last bit', (n) => [n - 1, 0x01]],
  ];
  for (const section of Object.keys(refused)) {
    for (const [what, where] of flips)
      // @spec S-101
      test(`refuses a ${section} record when ${what} is flipped`, async () => {
        await after_((db) => {
          const found = rows(db, section);
          assert.ok(found.length >= 2);
          for (const row of found) {
            const [at, bit] = where(row.value.length);
            row.value[at] ^= bit;
            write(db, row, 'value', row.value);
          }
        }, async () => { for (const person of people) await refused[section](person); });
      });

    test(`refuses ${section} records that were swapped`, async () => {
      await after_((db) => {
        const [a, b] = rows(db, section);
        write(db, a, 'value', b.value);
        write(db, b, 'value', a.value);
      }, async () => { for (const person of people) await refused[section](person); });
    });

    test(`refuses a ${section} record that lives longer than it was sealed for`, async () => {
      await after_((db) => {
        for (const row of rows(db, section)) write(db, row, 'expires', row.expires + 1);
      }, async () => { for (const person of people) await refused[section](person); });
    });

    test(`refuses a ${section} record of another owner`, async () => {
      await after_((db) => {
        for (const row of rows(db, section)) write(db, row, 'owner', Buffer.from('somebody'));
      }, async () => { for (const person of people) await refused[section](person); });
    });

    test(`refuses a ${section} record that is cut short or empty`, async () => {
      for (const size of [0, 1, 13, 30])
        await after_((db) => {
          for (const row of rows(db, section)) write(db, row, 'value', row.value.subarray(0, size));
        }, async () => { for (const person of people) await refused[section](person); });
    });
  }

  test('refuses a refresh record in the place of an access record', async () => {
    await after_((db) => {
      const [donor] = rows(db, 'refresh');
      for (const row of rows(db, 'access')) write(db, row, 'value', donor.value);
    }, async () => { for (const person of people) await refused.access(person); });
  });

  test('does not take one person’s session for another’s', async () => {
    await after_((db) => {
      const [a, b] = rows(db, 'session');
      write(db, a, 'value', b.value);
      write(db, a, 'owner', b.owner);
      write(db, a, 'expires', b.expires);
    }, async () => {
      // Ids sort by their birth: the first one is the first person's.
      await refused.session(people[0]);
      const user = await details(people[1].client, people[1].tokens.access_token);
      assert.equal(user.structuredContent.displayName, bench.users.reader.display_name);
    });
  });

  test('tells the auditor of a record that does not open', async () => {
    await after_((db) => {
      for (const row of rows(db, 'access')) { row.value[20] ^= 1; write(db, row, 'value', row.value); }
    }, async () => {
      await refused.access(people[0]);
      const line = await bench.audit((l) => l.event === 'bearer.reject' && l.reason === 'corrupt_record');
      assert.equal(line.outcome, 'refused');
    });
  });

  test('never crashes over damaged grants, codes and flows', async () => {
    for (const section of ['grant', 'code', 'flow'])
      await after_((db) => {
        for (const row of rows(db, section)) { row.value[20] ^= 1; write(db, row, 'value', row.value); }
      }, async () => {
        const client = await bench.client().register();
        assert.equal((await knock(client, (await client.login(bench.users.admin)).access_token)).status, 200);
      });
  });

  test('holds no token in the clear', async () => {
    for (const file of [...storeFiles(), 'audit.jsonl']) {
      const bytes = readFileSync(bench.path(file)).toString('latin1');
      for (const { tokens } of people)
        for (const token of [tokens.access_token, tokens.refresh_token])
          assert.ok(!bytes.includes(token.slice(5, 48)), file);
      // Entra's are JSON Web Tokens.
      assert.ok(!/eyJ[A-Za-z0-9_-]{20}/.test(bytes), file);
    }
  });

  describe('or whose keys are gone', () => {
    const keys = () => bench.path('keys');
    const start = () => runToEnd(VALET, ['serve', '--config', bench.writeConfig()]);

    test('is one clear line, not a new key over old data', async () => {
      restore();
      renameSync(keys(), bench.path('aside'));
      try {
        const end = await start();
        assert.equal(end.code, 1);
        assert.match(end.stderr, /^mcp-valet: the key file .*keys is missing, and nothing else opens the store/m);
        assert.equal(end.stdout, '');
        assert.ok(!existsSync(keys()));
      } finally {
        renameSync(bench.path('aside'), keys());
      }
      await after_(() => {}, async () => {
        assert.equal((await knock(people[0].client, people[0].tokens.access_token)).status, 200);
      });
    });

    test('opens nothing with somebody else’s key', async () => {
      const own = readFileSync(keys(), 'utf8');
      const [id] = own.split(' ');
      try {
        for (const text of [`${id} ${Buffer.alloc(32, 7).toString('base64url')}\n`, `other ${Buffer.alloc(32, 7).toString('base64url')}\n`]) {
          writeFileSync(keys(), text, { mode: 0o600 });
          await after_(() => {}, async () => {
            for (const person of people) { await refused.access(person); await refused.refresh(person); }
          });
        }
      } finally {
        writeFileSync(keys(), own, { mode: 0o600 });
      }
    });

    test('opens with a newer key beside the old one', async () => {
      const own = readFileSync(keys(), 'utf8');
      try {
        writeFileSync(keys(), `newer ${Buffer.alloc(32, 7).toString('base64url')}\n${own}`, { mode: 0o600 });
        await after_(() => {}, async () => {
          for (const { client, tokens } of people) {
            assert.equal((await knock(client, tokens.access_token)).status, 200);
            assert.equal((await client.refresh(tokens.refresh_token)).status, 200);
          }
        });
      } finally {
        writeFileSync(keys(), own, { mode: 0o600 });
      }
    });
  });
});

describe('Entra’s token', () => {
  let bench;
  before(async () => { bench = await Bench.start({ config: ROOMY }); });
  after(() => bench.stop());

  const many = (mcp) => Promise.all(Array.from({ length: 20 }, () => mcp.tool('getUserDetails')));

  // @spec S-31 S-83 S-102
  test('that has expired is renewed once, silently, for twenty calls at a time', async () => {
    await emul(bench, 'settings', { access_token_seconds: 1 });
    const { mcp } = await bench.signedIn();
    await emul(bench, 'settings', { access_token_seconds: 0 });
    const refreshes = await counted(bench, 'token.refresh_token', async () => {
      for (const { result } of await many(mcp)) assert.ok(!result.isError, JSON.stringify(result));
    });
    assert.equal(refreshes, 1);
    await bench.audit((line) => line.event === 'credential.renew' && line.outcome === 'ok');
    assert.equal(await counted(bench, 'token.refresh_token', () => many(mcp)), 0, 'the new one is kept');
  });

  test('that Graph refuses is renewed once for twenty calls at a time', async () => {
    const { mcp } = await bench.signedIn();
    // All twenty are under way, as one request, before it is refused.
    await emul(bench, 'faults', { where: 'graph', status: 401, count: 1, delay_ms: 500 });
    const refreshes = await counted(bench, 'token.refresh_token', async () => {
      for (const { result } of await many(mcp)) assert.ok(!result.isError, JSON.stringify(result));
    });
    assert.equal(refreshes, 1);
  });

  // @spec S-08
  test('that Graph refuses even when renewed ends the sign-in: 401 with a challenge, and no loop', async () => {
    const { client, tokens, mcp } = await bench.signedIn();
    await emul(bench, 'faults', { where: 'graph', status: 401, count: 0 });
    try {
      const answer = await mcp.post({ jsonrpc: '2.0', id: 9, method: 'tools/call', params: { name: 'getUserDetails', arguments: {} } });
      assert.equal(answer.status, 401, answer.text);
      assert.match(answer.headers['www-authenticate'], /error="invalid_token"/);
      await bench.audit((line) => line.event === 'credential.fail' && line.outcome === 'refused');
      assert.equal((await client.refresh(tokens.refresh_token)).status, 400, 'the family is dead');
      assert.equal((await mcp.post({ jsonrpc: '2.0', id: 10, method: 'ping' })).status, 401, 'the access token too');
    } finally {
      await fetch(`${bench.tenant.info.authority}/_emul/faults`, { method: 'DELETE' });
    }
  });

  test('renewed, then killed: the new one is what was kept', async () => {
    await emul(bench, 'settings', { access_token_seconds: 1 });
    const { client, tokens, mcp } = await bench.signedIn();
    await emul(bench, 'settings', { access_token_seconds: 0 });
    await mcp.tool('getUserDetails');
    await crash(bench);
    const refreshes = await counted(bench, 'token.refresh_token', async () => {
      assert.ok(!(await details(client, tokens.access_token)).isError);
    });
    assert.equal(refreshes, 0);
  });

  const CALL = { jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'getUserDetails', arguments: {} } };

  // @spec S-08
  test('that Entra takes back: the call that finds out is 401 with a challenge', async () => {
    const { mcp } = await bench.signedIn(bench.users.bengali);
    await emul(bench, 'revoke', { user: 'bengali' });
    const answers = await Promise.all([mcp.post(CALL), mcp.post({ ...CALL, id: 8 })]);
    for (const answer of answers) {
      assert.equal(answer.status, 401, answer.text);
      assert.match(answer.headers['www-authenticate'],
        new RegExp(`^Bearer realm="mcp-valet", error="invalid_token", scope="[^"]+", resource_metadata="${bench.url}/`));
    }
  });

  // @spec S-08 S-14
  test('that Entra takes back ends the session, and nobody else’s', async () => {
    const { client, tokens, mcp } = await bench.signedIn(bench.users.reader);
    const other = await bench.signedIn(bench.users.admin);
    await emul(bench, 'revoke', { user: 'reader' });
    assert.notEqual((await mcp.post(CALL)).status, 200);
    const line = await bench.audit((l) => l.event === 'credential.fail' && l.client === client.id);
    assert.match(line.reason, /^(AADSTS50173|sign_in_ended)$/);
    assert.equal((await mcp.post(CALL)).status, 401);
    assertGrantRefused(await client.refresh(tokens.refresh_token));
    assert.ok(!(await other.mcp.tool('getUserDetails')).result.isError);
    await crash(bench);
    assert.equal((await knock(client, tokens.access_token)).status, 401);
    // Signing in again is all it takes.
    const again = await client.login(bench.users.reader);
    assert.ok(!(await details(client, again.access_token)).isError);
  });

  test('is not renewable for a while: an error that names a number, and no sign-out', async () => {
    await emul(bench, 'settings', { access_token_seconds: 1 });
    const { client, tokens, mcp } = await bench.signedIn();
    await emul(bench, 'settings', { access_token_seconds: 0 });
    const expired = Date.now() + 1100;
    while (Date.now() < expired) await new Promise((resolve) => { setTimeout(resolve, 50); });
    await emul(bench, 'faults', { where: 'token', status: 503, count: 0 });
    const { result } = await mcp.tool('getUserDetails');
    assert.equal(result.isError, true);
    assert.match(result.content[0].text, /not available at the moment.*correlation id [0-9a-f-]{36}/);
    await emul(bench, 'faults', undefined, 'DELETE');
    assert.equal((await knock(client, tokens.access_token)).status, 200);
    assert.ok(!(await mcp.tool('getUserDetails')).result.isError);
  });
});

describe('Graph that asks for patience', () => {
  let bench, signedIn;
  before(async () => { bench = await Bench.start(); signedIn = await bench.signedIn(); });
  after(() => bench.stop());

  // @spec S-100 W-24: attack chain 14
  for (const [what, retry_after, status] of [['seconds', 1, 429], ['a date', 'date:1', 429], ['seconds, being busy', 1, 503]])
    test(`in ${what} is asked again, and the call succeeds`, async () => {
      const before_ = (await bench.audit()).filter((line) => line.event === 'graph.throttle').length;
      await emul(bench, 'faults', { where: 'graph', status, retry_after, count: 2 });
      const start = performance.now();
      const asked = await counted(bench, 'graph_me', async () => {
        assert.ok(!(await signedIn.mcp.tool('getUserDetails')).result.isError);
      });
      assert.equal(asked, 3);
      if (typeof retry_after === 'number') assert.ok(performance.now() - start >= 1900, 'it waited as it was told');
      for (let tries = 0; ; tries++) {
        const lines = (await bench.audit()).filter((line) => line.event === 'graph.throttle');
        if (lines.length === before_ + 1) {
          assert.equal(lines.at(-1).tool, 'getUserDetails');
          assert.ok(lines.at(-1).correlation);
          break;
        }
        assert.ok(tries < 40, `${lines.length - before_} lines`);
        await new Promise((resolve) => { setTimeout(resolve, 50); });
      }
    });

  test('for longer than anybody waits is an error that says so, and the next call succeeds', async () => {
    await emul(bench, 'faults', { where: 'graph', status: 429, retry_after: 3600, count: 0 });
    const { result } = await signedIn.mcp.tool('getUserDetails');
    assert.equal(result.isError, true);
    assert.match(result.content[0].text, /not available at the moment.*correlation id [0-9a-f-]{36}/);
    await emul(bench, 'faults', undefined, 'DELETE');
    assert.ok(!(await signedIn.mcp.tool('getUserDetails')).result.isError);
  });
});
