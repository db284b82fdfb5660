// The official conformance suite with `mcp-valet connect` as the client under
// test: what the requirement sets of both eras want of a client, and what is
// run beside them. A driver (lib/conformance-client.mjs) speaks stdio to it and
// plays the person's browser.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { findFaults, runClientSuite } from './lib/conformance.mjs';
import { BIN } from './lib/valet.mjs';

const ALPHA = '0.2.0-alpha.12';
const DRIVER = path.join(import.meta.dirname, 'lib', 'conformance-client.mjs');
const command = `${process.execPath} ${DRIVER} ${path.join(BIN, 'mcp-valet')}`;

// How many checks have to succeed at least; there are more, one for each
// message, of which nobody knows how many there will be.
const ALWAYS = {
  1: 'tools_call',
  8: 'json-schema-2020-12-preservation',
  5: 'auth/client-credentials-jwt auth/client-credentials-basic',
  10: `auth/metadata-default auth/metadata-var1 auth/metadata-var2 auth/metadata-var3 auth/basic-cimd
    auth/scope-from-www-authenticate auth/scope-from-scopes-supported auth/scope-omitted-when-undefined
    auth/scope-retry-limit auth/pre-registration`,
  15: 'auth/scope-step-up auth/token-endpoint-auth-basic auth/token-endpoint-auth-post auth/token-endpoint-auth-none',
};
// Extensions that we do not speak: run, and not scored. The suite says so.
const EXTENSIONS = 'auth/enterprise-managed-authorization auth/dpop auth/dpop-nonce auth/wif-jwt-bearer';

const sets = {
  '2025-11-25': { ...ALWAYS, 1: `${ALWAYS[1]} initialize`, 2: 'sse-retry', 4: 'elicitation-sep1034-client-defaults' },
  '2026-07-28': {
    ...ALWAYS,
    1: `${ALWAYS[1]} json-schema-ref-no-deref`,
    2: 'auth/resource-mismatch auth/metadata-issuer-mismatch',
    4: 'sep-2322-client-request-state',
    7: 'auth/iss-supported-missing auth/iss-wrong-issuer auth/iss-unexpected auth/iss-normalized',
    8: `${ALWAYS[8]} request-metadata http-standard-headers`,
    10: `${ALWAYS[10]} auth/offline-access-scope auth/offline-access-not-supported auth/iss-supported
      auth/iss-not-advertised
      http-custom-headers http-invalid-tool-headers`,
    20: 'auth/authorization-server-migration',
  },
};

for (const [revision, wanted] of Object.entries(sets))
  test(`a client of ${revision} that connects by it passes all that is required`, async () => {
    const run = await runClientSuite(ALPHA, command, ['--requirements', revision, '--timeout', '90000'], { timeout: 240000 });
    const tolerated = {
      FAILURE: EXTENSIONS.split(' '), WARNING: EXTENSIONS.split(' '),
      SKIPPED: ['http-standard-headers'], // it would look at `initialize` as well, which this era has not
    };
    assert.equal(findFaults(run, { ...wanted, 0: EXTENSIONS }, tolerated).join('\n'), '');
    assert.deepEqual([...run.scenarios].filter(([, checks]) => !checks.length), [], 'scenarios without checks');
  });
