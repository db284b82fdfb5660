// The official conformance suite, both versions that matter, against a server
// written with valet/mcp.h (examples/everything.c): as everybody on this
// machine reaches it, and signed in. There is no list of expected failures.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client } from './lib/client.mjs';
import { EVERYTHING, findFaults, Injector, runSuite } from './lib/conformance.mjs';
import { Bench, Program } from './lib/valet.mjs';

const STABLE = '0.1.16';
const ALPHA = '0.2.0-alpha.12';

// What all runs have: in 0.1.16 with one check each, later with one more, that
// every message fits the schema of the protocol.
const ALWAYS = `
  completion-complete tools-call-simple-text tools-call-image tools-call-audio tools-call-embedded-resource
  tools-call-mixed-content tools-call-error tools-call-with-progress resources-list resources-read-text
  resources-read-binary resources-templates-read prompts-list prompts-get-simple prompts-get-with-args
  prompts-get-embedded-resource prompts-get-with-image`;
const WITH_SESSIONS = `
  logging-set-level ping tools-call-with-logging tools-call-sampling tools-call-elicitation resources-subscribe
  resources-unsubscribe`;

const runs = [
  {
    title: 'all of 0.1.16', version: STABLE, args: ['--suite', 'all'],
    wanted: {
      0: 'server-sse-polling', // asks as a client of 2025-03-26 would, which is not told how to come back
      1: `${ALWAYS} ${WITH_SESSIONS} server-initialize tools-list server-sse-multiple-streams`,
      2: 'dns-rebinding-protection',
      4: 'json-schema-2020-12',
      5: 'elicitation-sep1034-defaults elicitation-sep1330-enums',
    },
    tolerated: { WARNING: ['server-sse-polling'] },
  },
  {
    title: 'what 2025-11-25 requires, and what is run beside it', version: ALPHA, args: ['--requirements', '2025-11-25'],
    wanted: {
      1: 'server-sse-multiple-streams', // answered as JSON, so there are no streams to look at
      2: `${ALWAYS} ${WITH_SESSIONS} dns-rebinding-protection`,
      3: 'server-initialize server-session-lifecycle server-sse-polling tools-list',
      6: 'elicitation-sep1034-defaults elicitation-sep1330-enums',
      8: 'json-schema-2020-12',
    },
  },
  {
    title: 'what 2026-07-28 requires, tasks and mirrored headers beside it', version: ALPHA, args: ['--requirements', '2026-07-28'],
    wanted: {
      0: 'tasks-status-notifications', // skipped by the suite, which has yet to learn where they are told
      1: 'server-sse-multiple-streams',
      2: `${ALWAYS} dns-rebinding-protection input-required-result-capability-check
        input-required-result-ignore-extra-params input-required-result-missing-input-response
        input-required-result-result-type input-required-result-tampered-state
        input-required-result-unsupported-methods tasks-mrtr-composition`,
      3: `input-required-result-basic-elicitation input-required-result-basic-list-roots
        input-required-result-basic-sampling input-required-result-multiple-input-requests
        input-required-result-non-tool-request input-required-result-request-state
        input-required-result-validate-input tasks-request-state-removal tasks-required-task-error`,
      4: 'input-required-result-multi-round sep-2164-resource-not-found tasks-mrtr-input tasks-wire-fields tools-list',
      5: 'tasks-capability-negotiation tasks-request-headers',
      8: 'caching json-schema-2020-12',
      9: 'tasks-dispatch-and-envelope tasks-lifecycle',
      10: 'http-custom-header-server-validation',
      14: 'http-header-validation',
      30: 'server-stateless',
    },
    tolerated: { SKIPPED: ['tasks-status-notifications'] },
  },
];

// The URL is asked for late: it is not known before the server is started.
function passes(getUrl) {
  for (const { title, version, args, wanted, tolerated } of runs)
    test(title, async () => {
      const run = await runSuite(version, getUrl(), args);
      assert.equal(findFaults(run, wanted, tolerated).join('\n'), '');
      // These cannot pass by accident, as much can before a wall of refusals.
      for (const name of ['tools-call-image', 'prompts-get-with-args'])
        assert.ok(run.scenarios.get(name).every(({ status }) => status === 'SUCCESS'), name);
    });
}

describe('without sign-in, the server passes', () => {
  let server;
  before(async () => { server = await Program.start(EVERYTHING, ['--http', '127.0.0.1:0']); });
  after(async () => {
    const { code } = await server.stop();
    assert.equal(code, 0, server.stderr);
    assert.doesNotMatch(server.stderr, /Sanitizer|runtime error:/);
  });

  passes(() => endpoint(server));
});

describe('with sign-in, the server passes', () => {
  let bench, injector;
  before(async () => {
    bench = await Bench.start({ serve: false, config: { servers: undefined } });
    bench.server = await Program.start(EVERYTHING, ['--config', bench.writeConfig()]);
    const url = endpoint(bench.server);
    const { access_token } = await new Client(new URL(url).origin).login(bench.users.admin);
    injector = await Injector.start(url, access_token);
  });
  after(async () => {
    await injector?.stop();
    await bench?.stop();
  });

  passes(() => injector.url);

  test('nothing without a token', async () => {
    const answer = await fetch(endpoint(bench.server), {
      method: 'POST', headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
    });
    assert.equal(answer.status, 401);
    assert.match(answer.headers.get('www-authenticate'), /resource_metadata=/);
  });
});

// The ready line has the server's address, with the path or without.
function endpoint(server) {
  const url = new URL(server.info.url);
  if (url.pathname === '/') url.pathname = '/mcp';
  return url.href;
}
