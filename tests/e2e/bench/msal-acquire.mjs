// The same as acquire.c, by msal-node: its cache is deserialised once and then
// in memory.
//   node msal-acquire.mjs CLIENT_ID AUTHORITY KNOWN_HOST DOCUMENT_FILE SCOPE
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { PublicClientApplication } from '@azure/msal-node';

const [clientId, authority, known, file, scope] = process.argv.slice(2);
const app = new PublicClientApplication({ auth: { clientId, authority, knownAuthorities: [known] } });
app.getTokenCache().deserialize(readFileSync(file, 'utf8'));
const [account] = await app.getTokenCache().getAllAccounts();
const request = { account, scopes: [scope] };

async function ask() {
  const result = await app.acquireTokenSilent(request);
  if (!result.fromCache || result.accessToken.length < 9) throw new Error('not from the cache');
}

await ask();
for await (const line of createInterface({ input: process.stdin })) {
  const begin = process.cpuUsage();
  let calls = 0, spent;
  do {
    for (let i = 0; i < 100; i++) await ask();
    calls += 100;
    const { user, system } = process.cpuUsage(begin);
    spent = user + system;
  } while (spent < Number(line) * 1000);
  console.log(JSON.stringify({ us: spent / calls }));
}
