// The real TypeScript SDK (v1) as MCP client: discovery, registration, PKCE,
// sign-in, tool call, refresh. What it does between is its own business.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Browser } from './lib/browser.mjs';
import { Bench } from './lib/valet.mjs';

const REDIRECT = 'http://localhost:43210/callback';

// What an application keeps for the SDK; the browser is ours.
class Provider {
  constructor(user) { this.user = user; this.browser = new Browser(); }
  get redirectUrl() { return REDIRECT; }
  get clientMetadata() {
    return {
      client_name: 'sdk client', redirect_uris: [REDIRECT], grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'], token_endpoint_auth_method: 'none',
    };
  }
  clientInformation() { return this.information; }
  saveClientInformation(information) { this.information = information; }
  tokens() { return this.saved; }
  saveTokens(tokens) { this.saved = tokens; }
  codeVerifier() { return this.verifier; }
  saveCodeVerifier(verifier) { this.verifier = verifier; }
  async redirectToAuthorization(url) {
    const elsewhere = (next) => !next.startsWith(REDIRECT);
    const consent = await this.browser.open(url.href);
    let page = await (await consent.submit({ decision: 'approve' })).follow(elsewhere);
    if (page.text.includes('name="password"'))
      page = await (await page.submit({ username: this.user.username, password: this.user.password })).follow(elsewhere);
    this.answer = new URL(page.next).searchParams;
  }
}

async function connect(url, provider) {
  const connectOnce = async () => {
    const client = new Client({ name: 'e2e', version: '1' });
    const transport = new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { authProvider: provider });
    await client.connect(transport).catch((error) => { error.transport = transport; throw error; });
    return { client, transport };
  };
  try {
    return await connectOnce();
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
    await error.transport.finishAuth(provider.answer.get('code'));
    return connectOnce();
  }
}

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
