// Reading a message's envelope, against jansson's reading of the same message.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { fixed, median, spread } from './measure.mjs';

const BUILD = path.resolve('..', '..', 'build');
const ROUNDS = 9;

const call = (name, args) => JSON.stringify({
  jsonrpc: '2.0', id: 4711, method: 'tools/call',
  params: { name, arguments: args, _meta: { progressToken: 4711 } },
});

// A search, as a model asks for it.
const search = call('search_issues', {
  query: 'repo:contoso/orders is:open label:bug "connection reset" in:title,body',
  owner: 'contoso', repository: 'orders', state: 'open', labels: ['bug', 'network', 'needs-triage'],
  since: '2026-07-01T00:00:00Z', sort: 'updated', order: 'desc', per_page: 50, page: 1, include_closed: false,
});

// A source file that is written: one long string, an escape at each line's end.
const LINE = '    order_total += line_price(&order->lines[i], order->currency);\n';
const file = call('write_file', { path: 'src/orders/total.c', mode: 'replace', content: LINE.repeat(295) });

// A text that has hardly a byte of ASCII.
const letter = call('send_mail', { to: ['ami@contoso.example'], subject: 'চিঠি', body: 'আমি তোমাকে একটি চিঠি লিখছি। '.repeat(270) });

// Rows for a table: many small members.
const rows = call('insert_rows', {
  table: 'orders',
  rows: Array.from({ length: 205 }, (_, i) => ({
    id: 10000 + i, customer: `customer-${i}`, total: 19.5 + i, paid: i % 3 === 0, note: null, lines: [i, i + 1, i + 2],
  })),
});

function measure(message) {
  return JSON.parse(execFileSync('taskset', ['-c', '0', path.join(BUILD, 'e2e', 'bench-envelope'), String(ROUNDS), '100'],
    { input: message, encoding: 'utf8' }));
}

function row(name, message, goal) {
  const { bytes, rounds } = measure(message);
  const ratios = rounds.map(([ours, theirs]) => theirs / ours);
  const us = (side) => fixed(median(rounds.map((r) => r[side])));
  return `| ${name} | ${bytes} | ${us(0)} | ${us(1)} | **${fixed(median(ratios))}** (${spread(ratios)}) | ${goal} |`;
}

function envelope() {
  execFileSync('cmake', ['--build', BUILD, '--target', 'bench-envelope'], { stdio: ['ignore', 'ignore', 'inherit'] });
  return `Reading the envelope of a \`tools/call\` (kind, id, method, where the parameters stand; the whole strictly checked,
nothing allocated; what a dispatcher reads of the parameters is not part of it) against jansson's \`json_loadb\` with
\`JSON_REJECT_DUPLICATES\` of the same bytes; ${ROUNDS} rounds in turns, µs of one core:

| message | bytes | ours | jansson | ratio, median (range) | goal |
|---|---|---|---|---|---|
${row('a search', search, '≥ 4')}
${row('a file to write', file, '≥ 6')}
${row('a letter in Bengali', letter, '≥ 6')}
${row('rows of a table', rows, '≥ 6')}`;
}

export default { envelope };
