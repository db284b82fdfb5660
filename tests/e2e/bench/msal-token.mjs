// What a script does in place of `mcp-valet token`: one token from msal-node's
// cache, which is a plain file.
//   node msal-token.mjs CLIENT_ID AUTHORITY KNOWN_HOST DOCUMENT_FILE SCOPE
import { readFileSync, writeFileSync } from 'node:fs';
import { PublicClientApplication } from '@azure/msal-node';

const [clientId, authority, known, file, scope] = process.argv.slice(2);
const app = new PublicClientApplication({
  auth: { clientId, authority, knownAuthorities: [known] },
  cache: { cachePlugin: {
    async beforeCacheAccess(context) { context.tokenCache.deserialize(readFileSync(file, 'utf8')); },
    async afterCacheAccess(context) {
      if (context.cacheHasChanged) writeFileSync(file, context.tokenCache.serialize(), { mode: 0o600 });
    },
  } },
});
const [account] = await app.getTokenCache().getAllAccounts();
const result = await app.acquireTokenSilent({ account, scopes: [scope] });
if (!result.fromCache) throw new Error('not from the cache');
console.log(JSON.stringify({ accessToken: result.accessToken, expiresOn: result.expiresOn }));
