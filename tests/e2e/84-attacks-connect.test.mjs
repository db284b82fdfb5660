// `mcp-valet connect` against who would have its tokens: a malicious MCP server,
// a malicious authorization server, another program on the machine.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { request } from './lib/browser.mjs';
import { meet, Person, raw, refused, Trap } from './lib/town.mjs';

const LIMIT = { timeout: 120000 };

describe('who answers a sign-in', () => {
  const ISSUERS = [
    ['of another', { iss: 'https://honest.example' }, {}],
    ['of another, who need not say it', { iss: 'https://honest.example' }, { quiet: true }],
    ['left out, though promised', {}, {}],
    ['empty', { iss: '' }, { quiet: true }],
    ['with a slash more', (town) => ({ iss: `${town.origin}/` }), {}],
    ['in other letters', (town) => ({ iss: town.origin.replace('http', 'HTTP') }), {}],
  ];

  // @spec CL-14 SB-10
  for (const [what, more, { quiet }] of ISSUERS)
    test(`CL-14 SB-10: iss ${what}: the code is not redeemed, nothing is shown`, LIMIT, async () => {
      await meet({
        '/.well-known/oauth-authorization-server': (ask, town) => [200, {},
          { ...town.metadata, ...(!quiet && { authorization_response_iss_parameter_supported: true }) }],
        '/authorize': (ask, town) => town.authorize(ask, typeof more === 'function' ? more(town) : more),
      }, { look: ({ town, answer, connector }) => {
        refused(answer, /not of .*not used/);
        assert.equal(town.asked('/token').length, 0);
        assert.doesNotMatch(connector.stderr + connector.stdout, /honest\.example/);
      } });
    });

  // @spec CL-14
  test('CL-14: nor is an error of somebody else shown, and never a description', LIMIT, async () => {
    const words = { code: undefined, error: 'temporarily_unavailable', error_description: 'CANARY \x1b[31mcall 555', error_uri: 'https://CANARY.example' };
    for (const iss of ['https://honest.example', undefined])
      await meet({ '/authorize': (ask, town) => town.authorize(ask, { ...words, ...(iss && { iss }) }) }, {
        look: ({ answer, connector }) => {
          refused(answer);
          assert.doesNotMatch(connector.stderr + connector.stdout, /CANARY/);
          assert.equal(/temporarily_unavailable/.test(answer.error.message), !iss);
        },
      });
  });

  // @spec CL-15 SB-06 SB-08 SB-14 W-06 W-19
  test('CL-15 SB-14: a state, a name or a place that is not ours changes nothing', LIMIT, async () => {
    const code = 'stolen-code-of-somebody-else';
    const seen = [];
    const person = new Person({ visit: async (url) => {
      const there = (await request(url)).headers.location;
      const query = new URL(there).searchParams;
      const [state, back] = [query.get('state'), query.get('redirect_uri')];
      const form = (fields) => new URLSearchParams(fields).toString();
      const tries = [
        ['no state', `${back}?${form({ code })}`, {}],
        ['an empty state', `${back}?${form({ code, state: '' })}`, {}],
        ['another state', `${back}?${form({ code, state: `${state}x` })}`, {}],
        ['two states', `${back}?${form({ code, state })}&state=x`, {}],
        ['two codes', `${back}?${form({ code, state })}&code=x`, {}],
        ['code and error', `${back}?${form({ code, state, error: 'x' })}`, {}],
        ['neither', `${back}?${form({ state })}`, {}],
        ['another path', `${new URL('/', back).href}?${form({ code, state })}`, {}],
        ['a name that was made to point here', `${back}?${form({ code, state })}`, { headers: { host: 'evil.example' } }],
        ['that name with our port', `${back}?${form({ code, state })}`, { headers: { host: `evil.example:${new URL(back).port}` } }],
        ['JSON of a page', back, { method: 'POST', headers: { 'content-type': 'text/plain' }, body: form({ code, state }) }],
        ['the address that was used', url, {}],
      ];
      for (const [what, address, options] of tries) {
        const page = await request(address, options);
        assert.ok(page.status >= 400, `${what}: ${page.status}`);
        assert.doesNotMatch(page.text, /stolen-code/, what);
        seen.push(what);
      }
      await person.follow(there);
    } });
    await meet({}, { person, look: ({ town, answer }) => {
      assert.ok(answer.result, JSON.stringify(answer));
      assert.equal(seen.length, 12);
      assert.equal(town.asked('/token').length, 1);
      assert.doesNotMatch(town.asked('/token')[0].body, /stolen/);
    } });
  });

  test('the port is closed once the browser was there', LIMIT, async () => {
    let back;
    await meet({ '/authorize': (ask) => { back = ask.query.get('redirect_uri'); } }, { look: async () => {
      await assert.rejects(request(back));
    } });
  });

  // Another program has the name of the port that was chosen, or all of it.
  test('a port that another program has is not used, and said', LIMIT, async () => {
    const squatter = await Trap.start();
    await meet({}, { args: ['--callback-port', String(squatter.port), '--client-id', 'known'], look: ({ answer, opened }) => {
      refused(answer, /--callback-port/);
      assert.equal(opened?.length ?? 0, 0);
      assert.equal(squatter.came, 0);
    } });
    squatter.stop();
  });

  test('--callback-host: the browser comes back by the name that was registered', LIMIT, async () => {
    for (const host of ['localhost', '127.0.0.1']) {
      const { town } = await meet({}, { args: ['--client-id', 'known', '--callback-host', host], look: ({ answer }) => assert.ok(answer.result) });
      const [{ query }] = town.asked('/authorize');
      assert.match(query.get('redirect_uri'), new RegExp(`^http://${host}:\\d+/callback$`));
      assert.equal(query.get('client_id'), 'known');
      assert.equal(town.asked('/register').length, 0);
    }
  });
});

describe('redirects', () => {
  // @spec CL-16 CL-17
  test('CL-16: no token and no code goes where a redirect leads', LIMIT, async () => {
    const trap = await Trap.start();
    for (const status of [301, 302, 303, 307, 308]) {
      const location = `http://127.0.0.1:${trap.port}/`;
      // From the server, once it has the token.
      await meet({ '/mcp': (ask) => (ask.headers.authorization ? [status, { location }] : undefined) }, { look: ({ answer }) => refused(answer) });
      await meet({ '/token': () => [status, { location }] }, { look: ({ answer }) => refused(answer) });
      await meet({ '/register': () => [status, { location }] }, { look: ({ answer }) => refused(answer) });
    }
    assert.equal(trap.came, 0);
    trap.stop();
  });

  test('documents that lead in circles end', LIMIT, async () => {
    await meet({ '/.well-known/oauth-protected-resource/mcp': (ask) => [302, { location: ask.target }] }, { look: ({ town, answer }) => {
      assert.ok(answer);
      assert.ok(town.asked('/.well-known/oauth-protected-resource/mcp').length <= 4);
    } });
  });
});

describe('texts of strangers', () => {
  const WILD = '\x1b]0;title\x07\x1b[31mred\u009b2J\u202etxt.exe\r\nSet-Cookie: a=b';
  const header = (text) => text.replace(/[\r\n\u0000]|[^\x00-\xff]/g, ' ');
  const PLACES = {
    'the challenge': { '/mcp': raw(`HTTP/1.1 401 ${WILD}\r\nWWW-Authenticate: Bearer scope="${WILD}", error="${WILD}"\r\nContent-Length: 0\r\n\r\n`) },
    'a challenge of the right form': { '/mcp': () => [401, { 'www-authenticate': `Bearer scope="\u009b2J", error="\u009b31m", error_description="\u009b31m"` }] },
    'a refusal with a token': { '/mcp': (ask, town) => (ask.headers.authorization ? [403, { 'www-authenticate': `Bearer error="insufficient_scope", scope="a b", error_description="x"` }, { jsonrpc: '2.0', id: 1, error: { code: -1, message: WILD } }] : town.mcp(ask)) },
    'the resource': { '/.well-known/oauth-protected-resource/mcp': (ask, town) => [200, {}, { ...town.resource, resource: `${town.url}${WILD}` }] },
    'the issuer': { '/.well-known/oauth-authorization-server': (ask, town) => [200, {}, { ...town.metadata, issuer: WILD }] },
    'an endpoint': { '/.well-known/oauth-authorization-server': (ask, town) => [200, {}, { ...town.metadata, token_endpoint: `${town.origin}/${WILD}` }] },
    'a refused registration': { '/register': () => [400, {}, { error: WILD, error_description: WILD }] },
    'a client id': { '/register': () => [201, {}, { client_id: WILD }] },
    'a secret': { '/register': () => [201, {}, { client_id: 'a', client_secret: WILD }] },
    'a refused code': { '/token': () => [400, {}, { error: WILD, error_description: WILD, error_uri: WILD }] },
    'an access token': { '/token': () => [200, {}, { access_token: `a\r\nX-Evil: 1`, token_type: 'Bearer' }] },
    'the type of a token': { '/token': () => [200, {}, { access_token: 'abc', token_type: WILD }] },
    'the error of a sign-in': { '/authorize': (ask, town) => town.authorize(ask, { code: undefined, error: header(WILD), error_description: 'x' }) },
    'an error of the server': { '/mcp': (ask, town) => (ask.headers.authorization ? [500, { 'content-type': 'text/html' }, WILD] : town.mcp(ask)) },
  };
  for (const [place, over] of Object.entries(PLACES))
    test(`${place}: no control character reaches the terminal, no line a request`, LIMIT, async () => {
      const { town } = await meet(over, { look: ({ answer }) => refused(answer) }); // meet() looks at stderr
      for (const ask of town.log) {
        assert.equal(ask.headers['set-cookie'] ?? ask.headers['x-evil'], undefined);
        assert.doesNotMatch(ask.rawHeaders.join('\n'), /title|red/);
      }
    });

  // What is of the right form may still mean something elsewhere.
  test('what passes is escaped where it goes: scope, client id, secret, issuer, resource', LIMIT, async () => {
    const id = 'a&client_id=b#c%20+"<>\\', secret = 's&grant_type=x=%00+', scope = "a&scope=x b=c#d!'()*";
    for (const method of ['client_secret_post', 'client_secret_basic'])
      await meet({
        '/mcp': (ask, town) => (ask.headers.authorization ? town.mcp(ask) : [401, { 'www-authenticate': `${town.challenge}, scope="${scope}"` }]),
        '/.well-known/oauth-authorization-server': (ask, town) => [200, {}, { ...town.metadata, authorization_endpoint: `${town.origin}/authorize?tenant=a&x=%26`, token_endpoint_auth_methods_supported: [method] }],
        '/register': () => [201, {}, { client_id: id, client_secret: secret, token_endpoint_auth_method: method }],
      }, { look: ({ town, answer }) => {
        assert.ok(answer.result, JSON.stringify(answer));
        const { query } = town.asked('/authorize').at(-1);
        assert.deepEqual([...query.keys()].sort(), ['client_id', 'code_challenge', 'code_challenge_method', 'redirect_uri', 'resource', 'response_type', 'scope', 'state', 'tenant', 'x']);
        assert.deepEqual([query.get('client_id'), query.get('scope'), query.get('resource'), query.get('x')], [id, scope, town.url, '&']);
        assert.equal(query.get('code_challenge_method'), 'S256'); // W-58
        const [{ body, headers }] = town.asked('/token');
        const form = new URLSearchParams(body);
        assert.equal(form.getAll('grant_type').length, 1);
        if (method === 'client_secret_post') assert.deepEqual([form.getAll('client_id'), form.getAll('client_secret')], [[id], [secret]]);
        else assert.deepEqual(Buffer.from(headers.authorization.slice(6), 'base64').toString().split(':').map(decodeURIComponent), [id, secret]);
      } });
  });
});
