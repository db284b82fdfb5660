// The stand-in's built-in set with a crowd of people added.
import { readFileSync, writeFileSync } from 'node:fs';

const builtIn = new URL('../../../src/apps/tenant/assets/default.yaml', import.meta.url);

// Writes the data file; returns the people as {username, password}. The web
// application gets a redirect URI at `origin` too: https ones are registered
// with their port.
export function writeCrowd(file, count, origin = 'http://localhost:3001') {
  const crowd = Array.from({ length: count }, (_, i) => ({ username: `person${i}@contoso.example`, password: `made-up-pass-${i}` }));
  const lines = crowd.map((p, i) => `  person${i}:
    id: 00000000-0000-4000-8000-${String(i).padStart(12, '0')}
    username: ${p.username}
    password: ${p.password}
    display_name: Person ${i}
    roles: [Mcp.Reader]
`);
  writeFileSync(file, readFileSync(builtIn, 'utf8').replace('"http://localhost:3001/auth/callback"', `$&, "${origin}/auth/callback"`).replace(/^users:\n/m, `users:\n${lines.join('')}`));
  return crowd;
}
