// A program that signs in with Microsoft's own library, and is told what to
// do by lines of JSON. It is one of its own since Node reads
// NODE_EXTRA_CA_CERTS when it starts, and never again.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { ConfidentialClientApplication, CryptoProvider, PublicClientApplication } from '@azure/msal-node';

const apps = new Map();
const asked = [];
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

// An ICachePlugin as the library's users write it: the cache is a file.
const cacheIn = (file) => ({
  async beforeCacheAccess(context) {
    if (existsSync(file)) context.tokenCache.deserialize(readFileSync(file, 'utf8'));
  },
  async afterCacheAccess(context) {
    if (context.cacheHasChanged) writeFileSync(file, context.tokenCache.serialize(), { mode: 0o600 });
  },
});

// A function cannot come as JSON: it keeps what it was called with.
const withCallback = ({ assertion, ...auth }) => (assertion ? { ...auth, clientAssertion: async (about) => {
  asked.push(about);
  return assertion;
} } : auth);

const commands = {
  make({ name, kind, auth, cacheFile }) {
    const Kind = kind === 'public' ? PublicClientApplication : ConfidentialClientApplication;
    apps.set(name, new Kind({ auth: withCallback(auth), ...(cacheFile && { cache: { cachePlugin: cacheIn(cacheFile) } }) }));
  },
  cache: ({ name, method, args }) => apps.get(name).getTokenCache()[method](...args),
  pkce: () => new CryptoProvider().generatePkceCodes(),
  call: ({ name, method, args }) => apps.get(name)[method](...args),
  asked: () => asked.splice(0),
  device: ({ name, args }) => apps.get(name).acquireTokenByDeviceCode({
    ...args[0], deviceCodeCallback: (device) => say({ device }),
  }),
  interactive: ({ name, args }) => apps.get(name).acquireTokenInteractive({
    ...args[0], openBrowser: async (url) => say({ open: url }),
  }),
};

const describe = (e) => ({
  kind: e.name, code: e.errorCode, suberror: e.subError, text: e.errorMessage ?? e.message, number: e.errorNo,
  claims: e.claims,
});

for await (const line of createInterface({ input: process.stdin })) {
  const { id, command, ...options } = JSON.parse(line);
  // Not awaited: an interactive call waits for a browser that others move.
  Promise.resolve().then(() => commands[command](options)).then(
    (result) => say({ id, result: result ?? null }), (e) => say({ id, error: describe(e) }));
}
