// What changes with every run, or must not be read by anybody, gets a name
// that stays. Values are learned from the messages, by the field that carries
// them first, and replaced wherever they are.
import { unescapeHtml } from '../lib/browser.mjs';

// [who was asked, field, what the value looks like, its name]. A second value
// of a name gets a number.
export const NAMES = [
  ['', '', /^mvat_/, 'mvat_…(access token)'],
  ['', '', /^mvrt_/, 'mvrt_…(refresh token)'],
  ['', '', /^mvac_/, 'mvac_…(code)'],
  ['', '', /^mvc_/, 'mvc_…(client id)'],
  ['valet', 'state', /./, '…(state of the client)'],
  ['valet', 'code_challenge', /./, '…(challenge of the client)'],
  ['valet', 'code_verifier', /./, '…(verifier of the client)'],
  ['valet', 'cookie valet_browser', /./, '…(the browser’s number)'],
  ['valet', 'cookie valet_flow', /./, '…(proof of the approval)'],
  ['valet', 'flow', /./, '…(this sign-in)'],
  ['valet', 'csrf', /./, '…(form token)'],
  ['valet', 'mcp-session-id', /./, '…(MCP session)'],
  ['valet', 'sessionId', /./, '…(SSE session)'],
  ['valet', 'x-correlation-id', /./, '…(correlation id)'],
  ['tenant', 'state', /./, '…(state of mcp-valet)'],
  ['tenant', 'nonce', /./, '…(nonce of mcp-valet)'],
  ['tenant', 'code_challenge', /./, '…(challenge of mcp-valet)'],
  ['tenant', 'code_verifier', /./, '…(verifier of mcp-valet)'],
  ['tenant', 'client_secret', /./, '…(client secret)'],
  ['tenant', 'cookie ESTSAUTH', /./, '…(Entra’s session)'],
  ['valet', 'code', /^1\./, '1.…(code of Entra)'],
  ['valet', 'session_state', /./, '…(Entra’s session state)'],
  ['tenant', 'access_token', /./, 'eyJ…(Entra’s access token)'],
  ['tenant', 'refresh_token', /./, '1.…(Entra’s refresh token)'],
  ['tenant', 'id_token', /./, 'eyJ…(id token)'],
  ['tenant', 'kid', /./, '…(key id)'],
  ['tenant', 'n', /./, '…(modulus)'],
  ['tenant', 'x5c', /./, '…(certificate)'],
  ['tenant', 'aio', /./, '…(Entra’s own 1)'],
  ['tenant', 'rh', /./, '…(Entra’s own 2)'],
  ['tenant', 'uti', /./, '…(Entra’s own 3)'],
  ['tenant', 'request-id', /./, '…(Graph’s request id)'],
  ['tenant', 'client-request-id', /./, '…(correlation id of the call)'],
];

// Numbers and marks that are too short to be looked for everywhere.
const PATTERNS = [
  [/("client_id_issued_at": ?)\d+/g, '$1…(time)'],
  [/("(?:iat|nbf|exp|auth_time)": ?)\d+/g, '$1…(time)'],
  [/("(?:ext_)?expires_in": ?)(?:600|59\d)\b/g, '$1…(600 or a little less)'],
  [/("(?:ext_)?expires_in": ?)\d{4}\b/g, '$1…(of 60 to 90 minutes)'],
  [/valet_flow_[0-9a-f]{8}/g, 'valet_flow_…'],
  [/'sha256-[A-Za-z0-9+/=]+'/g, '\'sha256-…\''],
];

const PLACES = { valet: 'localhost:3001', tenant: '127.0.0.1:3002', client: '127.0.0.1:8765' };

// [side, field, value] of everything in a message that has a name.
function* fieldsOf(side, headers, body, target, hosts) {
  const sides = Object.fromEntries(Object.entries(hosts).map(([name, host]) => [host, name]));
  const params = function* (of, text) {
    for (const [name, value] of new URLSearchParams(text)) yield [of, name, value];
  };
  if (target?.includes('?')) yield* params(side, target.split('?')[1]);
  for (const [name, value] of headers) {
    const field = name.toLowerCase();
    if (/^(set-)?cookie$/.test(field))
      for (const [, cookie, is] of value.matchAll(/([\w]+?)(?:_[0-9a-f]{8})?=([\w-]{16,})/g)) yield [side, `cookie ${cookie}`, is];
    yield [side, field, value];
  }
  if (body.startsWith('{')) yield* jsonFields(side, JSON.parse(body));
  else if (/^[\w.-]+=[^\s<]*$/.test(body)) yield* params(side, body);
  for (const [, name, value] of body.matchAll(/<input type="hidden" name="(\w+)" value="([^"]+)"/g)) yield [side, name, value];
  const text = unescapeHtml([...headers.map(([, value]) => value), body].join('\n'));
  for (const [, host, query] of text.matchAll(/(?:https?:\/\/([\w.:]+))?\/[\w./-]*\?([^\s"<>]+)/g))
    yield* params(sides[host] ?? side, query);
}

function* jsonFields(side, value, field = '') {
  if (Array.isArray(value)) for (const item of value) yield* jsonFields(side, item, field);
  else if (value && typeof value === 'object') for (const [name, item] of Object.entries(value)) yield* jsonFields(side, item, name);
  else if (typeof value === 'string') {
    yield [side, field, value];
    if (field === 'id_token') yield* jsonFields(side, claimsOf(value));
  }
}

export const claimsOf = (jwt) => JSON.parse(Buffer.from(jwt.split('.')[1], 'base64url'));

export class Redactor {
  // `forget` is a name that is not used: so a test shows that it is missed.
  constructor({ messages, hosts, users }, forget) {
    this.values = new Map();
    this.counts = new Map();
    this.hosts = hosts;
    for (const { username, password } of Object.values(users)) this.values.set(password, `…(password of ${username})`);
    for (const { kind, exchange: x, body } of messages) {
      if (kind === 'request') this.learn(fieldsOf(x.side, x.headers, x.body, x.target, hosts));
      if (kind === 'answer') this.learn(fieldsOf(x.side, x.answer.headers, x.answer.body, undefined, hosts));
      if (kind === 'event') this.learn(fieldsOf(x.side, [], body, undefined, hosts));
    }
    for (const [value, name] of this.values) if (name === forget) this.values.delete(value);
  }

  learn(fields) {
    for (const [side, field, value] of fields) {
      const row = NAMES.find(([of, is, like]) => (!of || of === side) && (!is || is === field) && like.test(value));
      if (!row || this.values.has(value)) continue;
      const name = row[3], count = (this.counts.get(name) ?? 0) + 1;
      this.counts.set(name, count);
      this.values.set(value, count === 1 ? name : name.replace(/\)$/, ` ${count})`));
    }
  }

  // The longest first: a value may be part of another.
  name(text) {
    for (const value of [...this.values.keys()].sort((a, b) => b.length - a.length))
      for (const form of new Set([value, encodeURIComponent(value)])) text = text.replaceAll(form, this.values.get(value));
    for (const [side, host] of Object.entries(this.hosts))
      for (const form of [String, encodeURIComponent]) text = text.replaceAll(form(host), form(PLACES[side]));
    return text;
  }

  // What is left, once a message is written out.
  finish(text) {
    return PATTERNS.reduce((rest, [pattern, name]) => rest.replace(pattern, name), text);
  }
}
