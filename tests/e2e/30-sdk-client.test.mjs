// The real TypeScript SDK (v1) as MCP client: discovery, registration, PKCE,
// sign-in, tool call, refresh. What it does between is its own business.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Provider, connect } from './lib/sdk.mjs';
import { Bench } from './lib/valet.mjs';

let bench;
before(async () => { bench = await Bench.start(); });
after(() => bench.stop());

for (const name of ['admin', 'reader', 'bengali']) {
  // @spec S-73 S-79 S-123
  test(`the SDK client signs ${name} in and getUserDetails answers with the profile`, async () => {
    const user = bench.users[name];
    const { client, transport } = await connect(bench.url, new Provider(user));
    const { tools } = await client.listTools();
    assert.deepEqual(tools.map((t) => t.name), ['getUserDetails']);
    const result = await client.callTool({ name: 'getUserDetails', arguments: {} });
    assert.ok(!result.isError, JSON.stringify(result));
    assert.equal(result.structuredContent.displayName, user.display_name);
    assert.equal(result.structuredContent.userPrincipalName, user.username);
    assert.match(result.content[0].text, /^User Details\nName: /);
    assert.ok(result.content[0].text.includes(user.display_name));
    await transport.terminateSession();
    await client.close();
  });
}

test('a second start of the client is silent: its tokens still work', async () => {
  const provider = new Provider(bench.users.admin);
  const first = await connect(bench.url, provider);
  await first.client.close();
  provider.redirectToAuthorization = () => assert.fail('asked to sign in again');
  const second = await connect(bench.url, provider);
  assert.ok(!(await second.client.callTool({ name: 'getUserDetails', arguments: {} })).isError);
  await second.client.close();
});

// @spec AS-22
test('the SDK refreshes by itself when its access token is refused', async () => {
  const provider = new Provider(bench.users.admin);
  const first = await connect(bench.url, provider);
  await first.client.close();
  const before = provider.saved.refresh_token;
  provider.saved = { ...provider.saved, access_token: `${provider.saved.access_token.slice(0, -4)}AAAA` };
  provider.redirectToAuthorization = () => assert.fail('asked to sign in again');
  const second = await connect(bench.url, provider);
  assert.notEqual(provider.saved.refresh_token, before, 'the refresh token rotated');
  assert.equal((await second.client.listTools()).tools.length, 1);
  await second.client.close();
});
