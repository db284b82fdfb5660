// The page: prose by people (the template), messages by a run. A mark in the
// template stands for the next messages of the run, so none can be left out or
// shown in another order:
//   {{POST /token}}  a request to an address that ends so, and its answer if
//                    nothing came between
//   {{answer}} {{event}} {{end}}  what else can come next
//   {{claims}}       what is inside the id token that came last
import { claimsOf, Redactor } from './redact.mjs';

// The page's introduction says that they are.
const LEFT_OUT = /^(date|connection|content-length|transfer-encoding|user-agent|x-ms-.*|access-control-.*|expires)$/i;
// What protects pages is shown with pages.
const OF_PAGES = /^(x-content-type-options|referrer-policy|content-security-policy|x-frame-options|strict-transport-security)$/i;

const WIDE = 96;
const NAME = { client: 'MCP client', browser: 'browser', valet: 'mcp-valet', tenant: 'Entra ID', graph: 'Microsoft Graph' };
const asked = (x) => NAME[x.path.startsWith('/v1.0/') ? 'graph' : x.side];

// Long lines are broken where a parameter begins.
const fold = (line) => (line.length > WIDE ? line.replace(/(\?|&amp;|&)(?=[\w%$]+=)/g, '\n    $1') : line);

// Lists of words stay on one line if they are short.
const json = (value) => JSON.stringify(value, null, 2).replace(/\[\n\s+("[^\n]*"(?:,\n\s+"[^\n]*")*)\n\s+\]/g, (all, words) => {
  const line = `[${words.replace(/\n\s+/g, ' ')}]`;
  return line.length < 70 ? line : all;
});

function pretty(headers, body) {
  const type = headers.find(([name]) => /^content-type$/i.test(name))?.[1] ?? '';
  if (/json/.test(type) && body.startsWith('{')) return json(JSON.parse(body));
  if (/urlencoded/.test(type)) return body.replaceAll('&', '\n&');
  return body.replace(/<style>[^]*?<\/style>/, '<style>…</style>').trimEnd().split('\n').map(fold).join('\n');
}

// A message as text. Names come first: lines are as long as what is shown.
function spell(first, headers, body) {
  const isPage = headers.some(([name, value]) => /^content-type$/i.test(name) && /html/.test(value));
  const shown = headers.filter(([name, value]) => !LEFT_OUT.test(name) && value !== '*/*' && (isPage || !OF_PAGES.test(name)));
  const lines = shown.map(([name, value]) => fold(`${name}: ${value}`).replace(/, (?=\w+=")/g, ',\n    ').replace(/; (?=[a-z-]+ ')/g, ';\n    '));
  return [fold(first), ...lines, ...(body ? ['', pretty(headers, body)] : [])].join('\n');
}

const heading = (number, from, to) => `**${number}** · ${from} → ${to}`;

function show({ kind, exchange: x, body }, number, redactor) {
  const said = (first, { headers, body: content }) =>
    spell(redactor.name(first), headers.map(([name, value]) => [name, redactor.name(value)]), redactor.name(content));
  const [head, content] = {
    request: () => [heading(number, NAME[x.from], asked(x)), said(`${x.method} ${x.target} HTTP/1.1`, x)],
    answer: () => [heading(number, asked(x), NAME[x.from]), said(`HTTP/1.1 ${x.answer.status} ${x.answer.reason}`, x.answer)],
    event: () => [`${heading(number, asked(x), NAME[x.from])}, on the stream`, redactor.name(body).trimEnd()],
    end: () => [`${heading(number, asked(x), NAME[x.from])}: the stream ends`],
  }[kind]();
  return redactor.finish(content === undefined ? head : `${head}\n\n\`\`\`http\n${content}\n\`\`\``);
}

const label = ({ kind, exchange: x }) => (kind === 'request' ? `${x.method} ${x.path}` : kind);

export function render(template, run, forget) {
  const redactor = new Redactor(run, forget);
  const rest = [...run.messages];
  let number = 0, claims;
  const next = () => {
    const message = rest.shift();
    if (message.kind === 'answer') claims = /"id_token":"([^"]+)"/.exec(message.exchange.answer.body)?.[1] ?? claims;
    return show(message, ++number, redactor);
  };
  const page = template.replace(/^\{\{(.+)\}\}$/gm, (_, mark) => {
    if (mark === 'claims') return redactor.finish(`\`\`\`json\n${redactor.name(json(claimsOf(claims)))}\n\`\`\``);
    const [method, path] = mark.split(' ');
    const fits = rest.length && (path ? rest[0].kind === 'request' && rest[0].exchange.method === method && rest[0].exchange.path.endsWith(path) : rest[0].kind === mark);
    if (!fits) throw new Error(`the template wants {{${mark}}}, the run has ${rest.length ? label(rest[0]) : 'ended'}`);
    const { exchange } = rest[0];
    const shown = [next()];
    if (path && rest[0]?.kind === 'answer' && rest[0].exchange === exchange) shown.push(next());
    return shown.join('\n\n');
  });
  if (rest.length) throw new Error(`the template does not show ${rest.length} messages; the next is ${label(rest[0])}`);
  return page;
}

// A moment, as HTTP and as JSON have it.
const MOMENT = /\b(\d\d:\d\d:\d\d|[12]\d{9}(\d{3})?)\b/;

// Two runs, one page. What the parties know to be secret is not on it, in
// whatever form; what chance made in one run cannot be in the page of the
// other; and what the clock made is refused by its looks.
export function write(template, [one, other], forget) {
  const page = render(template, one, forget), again = render(template, other, forget);
  for (const run of [one, other]) {
    const found = run.canaries.find(page);
    if (found.length) throw new Error(`the page has secrets on it:\n${found.join('\n')}`);
  }
  if (page !== again) {
    const lines = again.split('\n');
    const at = page.split('\n').findIndex((line, i) => line !== lines[i]);
    throw new Error(`two runs do not tell the same:\n  ${page.split('\n')[at]}\n  ${lines[at]}`);
  }
  const moment = MOMENT.exec(page);
  if (moment) throw new Error(`the page tells when it was made: ${moment[0]}`);
  return page;
}
