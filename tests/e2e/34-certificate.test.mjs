// A server that proves itself to Entra ID by a certificate, without a secret.
import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { Bench, runToEnd, VALET } from './lib/valet.mjs';

let bench, pem;

const certify = async (app) => {
  const answer = await fetch(`${bench.tenant.info.authority}/_emul/certificate`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ app }),
  });
  assert.equal(answer.status, 201);
  return answer.json();
};

const write = (name, text, mode = 0o600) => {
  writeFileSync(bench.path(name), text);
  chmodSync(bench.path(name), mode);
  return bench.path(name);
};

const entra = (extra) => ({
  tenant_id: bench.tenant.info.tenant.split('/').pop(), client_id: bench.set.apps.web.id,
  authority_host: bench.tenant.info.authority, graph_url: bench.tenant.info.graph,
  ...extra,
});

const check = (extra) => {
  bench.config = { entra: entra(extra) };
  return runToEnd(VALET, ['check', '--config', bench.writeConfig()], { env: bench.env });
};

before(async () => {
  bench = await Bench.start({ serve: false });
  pem = await certify('web');
});
after(() => bench.stop());

describe('a certificate in place of a secret', () => {
  test('signs people in, who then call tools', async () => {
    // @spec S-04
    bench.config = { entra: entra({ client_certificate_file: write('web.pem', pem.certificate + pem.key) }) };
    await bench.serve();
    const { mcp } = await bench.signedIn();
    const answer = await mcp.tool('getUserDetails');
    assert.match(JSON.stringify(answer), /admin/i);
    assert.doesNotMatch(bench.server.stderr, /PRIVATE KEY/);
  });

  test('is read before anybody signs in: what cannot be used is refused by check', async () => {
    for (const [text, mode, what] of [
      [pem.certificate, 0o600, /client_certificate_file: .+/],
      [pem.key, 0o600, /client_certificate_file: .+/],
      ['no PEM\n', 0o600, /client_certificate_file: .+/],
      ['', 0o600, /names a file that is empty/],
      [pem.certificate + (await certify('daemon')).key, 0o600, /client_certificate_file: .+/],
      [pem.certificate + pem.key, 0o644, /may be read by others|alone may read/],
    ]) {
      const { code, stderr } = await check({ client_certificate_file: write('bad.pem', text, mode) });
      assert.notEqual(code, 0);
      assert.match(stderr, what);
      assert.doesNotMatch(stderr, /PRIVATE KEY|BEGIN/);
    }
  });

  test('does not stand beside a secret', async () => {
    const { code, stderr } = await check({
      client_certificate_file: write('web.pem', pem.certificate + pem.key),
      client_secret_file: bench.path('secret'),
    });
    assert.notEqual(code, 0);
    assert.match(stderr, /client_certificate_file and client_secret_file are both given/);
  });
});
