// The official SDKs as clients: what an application keeps for them, and
// connecting over either transport. The browser is ours.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { UnauthorizedError as UnauthorizedErrorV2 } from '@modelcontextprotocol/client';
import { Browser } from './browser.mjs';

const REDIRECT = 'http://localhost:43210/callback';

export class Provider {
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

const plain = () => new Client({ name: 'e2e', version: '1' });

// Connects a client of `make`, of v1 or v2, signing in if that is asked for.
export async function connectBy(Transport, url, provider, options, make = plain) {
  const connectOnce = async () => {
    const client = make();
    const transport = new Transport(new URL(url), { authProvider: provider, ...options });
    await client.connect(transport).catch((error) => { error.transport = transport; throw error; });
    return { client, transport };
  };
  try {
    return await connectOnce();
  } catch (error) {
    if (!(error instanceof UnauthorizedError) && !(error instanceof UnauthorizedErrorV2)) throw error;
    await error.transport.finishAuth(provider.answer.get('code'), provider.answer.get('iss') ?? undefined);
    return connectOnce();
  }
}

export const connect = (base, provider, options) => connectBy(StreamableHTTPClientTransport, `${base}/mcp`, provider, options);
export const connectSse = (base, provider, options) => connectBy(SSEClientTransport, `${base}/sse`, provider, options);
