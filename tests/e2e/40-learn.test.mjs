// The pages for learners say what is so.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { freePort } from './lib/attack.mjs';
import { request } from './lib/browser.mjs';
import { Mcp, REDIRECT } from './lib/client.mjs';
import { Bench, Program, VALET, runToEnd } from './lib/valet.mjs';
import { record } from './learn/flow.mjs';
import { write } from './learn/page.mjs';
import { NAMES } from './learn/redact.mjs';

const ROOT = path.resolve(import.meta.dirname, '../..');
const read = (name) => readFileSync(path.join(ROOT, name), 'utf8');

// @spec S-03
describe('one sign-in, message by message', () => {
  const template = read('tests/e2e/learn/one-sign-in.md');
  let runs;
  before(async () => { runs = await Promise.all([record(), record()]); });

  test('the page is what runs tell, and every name on it stands for something', () => {
    const page = write(template, runs);
    assert.equal(page, read('docs/learn/one-sign-in.md'));
    for (const [, , , name] of NAMES) assert.ok(page.includes(name), name);
  });

  for (const name of [...NAMES.map((row) => row[3]), '…(password of admin@contoso.example)', '…(password of reader@contoso.example)'])
    test(`without the name ${name} no page is written`, () => {
      assert.throws(() => write(template, runs, name), /secrets on it|do not tell the same/);
    });

  test('no page is written that has a secret in another form', () => {
    for (const [secret, name] of runs[0].canaries.values)
      for (const form of ['base64', 'hex'])
        assert.throws(() => write(`${template}\n${Buffer.from(`:${secret}:`).toString(form)}\n`, runs), /secrets on it/, name);
  });

  test('no page is written that tells the time', () => {
    for (const moment of [String(Math.floor(Date.now() / 1000)), new Date().toUTCString()])
      assert.throws(() => write(`${template}\n${moment}\n`, runs), /when it was made/);
  });

  test('no message can be left out of the template, or change places', () => {
    assert.throws(() => write(template.replace('{{GET /v1.0/me}}', ''), runs), /the run has GET/);
    assert.throws(() => write(template.replace(/\{\{POST \/mcp\}\}(?![^]*\{\{)/, ''), runs), /does not show 2 messages/);
    assert.throws(() => write(template.replace('{{GET /callback}}', '{{POST /token}}'), runs), /the template wants/);
  });
});

// @spec S-117 S-92
describe('coming from the samples', () => {
  const page = read('docs/learn/coming-from-the-samples.md');
  // The rows of the first table of a section, without its head.
  const rows = (title) => page.split(`\n## ${title}\n`)[1].split('\n## ')[0].match(/^\|.*\|$/gm)
    .slice(2).map((row) => row.split('|').slice(1, -1).map((cell) => cell.trim()));
  const quoted = (cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, text]) => text);
  const known = () => Object.assign(bench.client(), { id: 'known' });
  let bench, options;
  before(async () => {
    bench = await Bench.start({
      config: { registration: { dynamic: false }, clients: [{ id: 'known', name: 'known', redirect_uris: [REDIRECT] }] },
    });
    // Each option with its variables, as the program tells them.
    options = new Map();
    let last;
    for (const line of (await runToEnd(VALET, ['config', 'options'])).stdout.split('\n')) {
      if (/^ {2}\S/.test(line)) options.set(last = line.trim(), '');
      else if (last) options.set(last, `${options.get(last)} ${line.trim()}`);
    }
    for (const [option, text] of options) options.set(option, /environment: ([\w, ]+)/.exec(text)?.[1].trim().split(/, */) ?? []);
  });
  after(() => bench.stop());

  test('each endpoint is there and answers to nothing what the page says', async () => {
    const table = rows('Endpoints');
    for (const [, here, , status] of table) {
      const [method, target] = quoted(here)[0].split(' ');
      assert.equal((await request(bench.url + target, { method })).status, Number(status), here);
    }
    // And the page forgets none that the server names.
    const all = table.map(([, here]) => quoted(here)[0].split(' ')[1]);
    const metadata = JSON.parse((await request(`${bench.url}/.well-known/openid-configuration`)).text);
    for (const [name, url] of Object.entries(metadata))
      if (/_endpoint$|_uri$/.test(name)) assert.ok(all.includes(new URL(url).pathname), name);
  });

  test('each variable stands for the option that the page says, and none is missing', () => {
    const named = new Set();
    for (const [there, here, also] of rows('Environment variables')) {
      const variables = [...quoted(there), ...quoted(also)];
      for (const variable of variables) {
        named.add(variable);
        if (here === 'not read') assert.ok(![...options.values()].flat().includes(variable), variable);
        else assert.ok(options.get(quoted(here)[0])?.includes(variable), `${variable}: ${here}`);
      }
    }
    for (const variable of [...options.values()].flat()) assert.ok(named.has(variable), variable);
  });

  test('the sample’s variables start a server, and nothing else is needed', async () => {
    const port = await freePort();
    const [example] = /export (.+)/.exec(page) ?? [];
    const env = { FR_TENANT_ID: bench.set.tenants[0].id, FR_API_CLIENT_ID: bench.set.apps.web.id, FR_API_CLIENT_SECRET: bench.set.apps.web.secret };
    assert.deepEqual(Object.keys(env), [...example.matchAll(/FR_\w+/g)].map(([name]) => name));
    const server = await Program.start(VALET, ['serve'], { cwd: bench.folder, env: { ...env, FR_PUBLIC_CLIENT_ID: 'unused', PORT: String(port) } });
    try {
      assert.equal(server.info.url, `http://localhost:${port}`);
      await server.says(/the client secret comes from the environment variable FR_API_CLIENT_SECRET/);
    } finally {
      assert.deepEqual(await server.stop(), { code: 0, signal: null }, server.stderr);
    }
  });

  test('each option on the page exists, and the file on it is accepted', async () => {
    for (const title of ['Environment variables', 'Configuration', 'From the other samples'])
      for (const [, here] of rows(title))
        for (const word of quoted(here).filter((text) => /^[a-z_]+(\.[a-z_*]+)*$/.test(text) && text !== 'getUserDetails'))
          assert.ok(options.has(word), word);
    writeFileSync(bench.path('client-secret'), 'a-secret', { mode: 0o600 });
    writeFileSync(bench.path('sample.yaml'), /```yaml\n([^]+?)```/.exec(page)[1]);
    const { code, stderr } = await runToEnd(VALET, ['check', '--config', bench.path('sample.yaml')]);
    assert.equal(code, 0, stderr);
  });

  test('clear text is taken where the page says: on a loopback, and from a proxy that is named', async () => {
    const settings = (more) => bench.writeConfig({ public_url: 'https://mcp.example.com', ...more });
    const codeOf = async (more) => (await runToEnd(VALET, ['check', '--config', settings(more)])).code;
    assert.equal(await codeOf({ listen: '127.0.0.1:3001' }), 0);
    assert.equal(await codeOf({ listen: '0.0.0.0:3001' }), 2);
    assert.equal(await codeOf({ listen: '0.0.0.0:3001', trusted_proxies: ['10.0.0.5'] }), 0);
    const cells = [...rows('Configuration').map(([there, here]) => [there, here]), ...page.match(/^\| W-21 .*$/gm).map((row) => row.split('|').slice(2, 4))];
    for (const [, here] of cells.filter(([there]) => /without TLS|clear text/.test(there))) assert.match(here, /loopback.*prox/);
  });

  test('the tools are those that the server has, and the text is the sample’s', async () => {
    const client = known();
    const { access_token } = await client.login(bench.users.admin);
    const mcp = await new Mcp(client.resource, access_token).open();
    const { result: { tools } } = await mcp.call('tools/list');
    assert.deepEqual(tools.map((tool) => tool.name), rows('Tools').map(([, here]) => quoted(here)[0]));
    const { result } = await mcp.tool('getUserDetails');
    const [, , what] = rows('Tools')[0];
    const [title, ...labels] = quoted(what).filter((word) => word !== 'structuredContent');
    assert.deepEqual(result.content[0].text.split('\n').map((line) => line.split(':')[0]), [title, ...labels]);
    assert.ok(result.structuredContent);
  });

  test('each weakness on the page has a test', () => {
    const ledger = read('docs/spec-ledger.md');
    for (const [numbers] of rows('What went wrong there and cannot here'))
      for (const number of numbers.split(', '))
        assert.match(ledger, new RegExp(`^\\| ${number} \\|.*\\| [^–|]+ \\|$`, 'm'), number);
  });

  test('a client that asks for User.Read gets in, and one with a secret is told why not', async () => {
    const client = known();
    const back = await client.signIn(bench.users.reader, undefined, { scope: 'User.Read' });
    const refused = await client.redeem(back.get('code'), { client_secret: 'x' });
    assert.equal(refused.status, 401);
    assert.equal(JSON.parse(refused.text).error, 'invalid_client');
    const tokens = JSON.parse((await client.redeem(back.get('code'))).text);
    const answer = await request(`${bench.url}/mcp`, { method: 'POST', headers: { authorization: `Bearer ${tokens.access_token}` } });
    assert.notEqual(answer.status, 401);
    assert.notEqual(answer.status, 403);
  });
});
