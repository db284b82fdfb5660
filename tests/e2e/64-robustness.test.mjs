// What no careful client sends, and what no careful client does: over HTTP and
// stdio, in both eras, against servers written with valet/mcp.h. Everything
// has its answer, and nothing grows without bound.
import assert from 'node:assert/strict';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as rest } from 'node:timers/promises';
import { ask, exchange, fields } from './lib/attack.mjs';
import { form, request } from './lib/browser.mjs';
import { Client } from './lib/client.mjs';
import { EVERYTHING } from './lib/conformance.mjs';
import { EventStream } from './lib/events.mjs';
import { bodies } from './lib/malformed.mjs';
import { Bench, BIN, growsLess, isSanitized, Program } from './lib/valet.mjs';
import { HttpWire, initialize, legacy, LOUDLY, MODERN, modern, StdioWire } from './lib/wire.mjs';

const LOUD = path.join(BIN, '..', 'e2e', 'loud-server');
const OWN = path.join(BIN, '..', 'e2e', 'own-server');
const CLEAN = { code: 0, signal: null };
const LIMIT = { timeout: 20000 };
const call = (name, args = '{}') => `"name":"${name}","arguments":${args}`;
const greet = (name) => call('greet', `{"name":"${name}"}`);

const codeOf = (answer) => JSON.parse(answer).error?.code;
const textOf = (answer) => JSON.parse(answer).result.content[0].text;
const endQuietly = async (program) => {
  assert.deepEqual(await program.stop(), CLEAN, program.stderr);
  assert.doesNotMatch(program.stderr, /Sanitizer|runtime error:/);
};

// The four ways to one server of a program.
async function openWays(file, listen) {
  const server = await Program.start(file, listen);
  const url = new URL('/mcp', server.info.url).href;
  const ways = new Map([
    ['HTTP, legacy', await HttpWire.open(url)],
    ['HTTP, modern', await HttpWire.open(url, { version: MODERN })],
    ['stdio, legacy', await StdioWire.start(file)],
    ['stdio, modern', await StdioWire.start(file, [], { version: MODERN })],
  ]);
  const stop = async () => {
    for (const way of ways.values()) if (way.child) await endQuietly(way);
    await endQuietly(server);
  };
  return { server, url, ways, stop, pidOf: (way) => way.pid ?? server.pid };
}

describe('a message', () => {
  let at;
  before(async () => { at = await openWays(EVERYTHING, ['--http', '127.0.0.1:0']); }, LIMIT);
  after(() => at.stop());

  const overAll = (title, what) => {
    for (const name of ['HTTP, legacy', 'HTTP, modern', 'stdio, legacy', 'stdio, modern'])
      test(`${title} (${name})`, LIMIT, () => what(at.ways.get(name)));
  };
  // The one answer to a request of this method.
  const answerTo = async (way, method, more, id) => {
    const { answers } = await way.send(way.write(method, more, id));
    assert.equal(answers.length, 1, answers.join('\n'));
    return answers[0];
  };
  const isRefused = ({ answers, status }, what, codes = [-32700, -32600]) => {
    for (const answer of answers) assert.ok(codes.includes(codeOf(answer)), `${what}: ${answer}`);
    assert.ok(answers.length || status >= 400, what);
  };

  // @spec HT-05 D24
  overAll('has an id of a string or an integer, which comes back exactly', async (way) => {
    const good = ['1', '0', '-1', '"1"', '""', '" "', '"é\u2028😀"', '"\\ud83d\\ude00\\u0041\\n\\""', '9007199254740993',
      '9223372036854775807', '-9223372036854775808', `"${'x'.repeat(1000)}"`];
    for (const id of good)
      for (const [method, more] of [['tools/list', ''], ['tools/call', greet('a')], ['no/such', ''], ['tools/call', greet('a') + ',"z":"\\u0041"']]) {
        const answer = await answerTo(way, method, more, id);
        const restored = /^\{"jsonrpc":"2\.0","id":("(?:[^"\\]|\\.)*"|-?\d+),/.exec(answer)?.[1];
        assert.ok(restored, answer.slice(0, 200));
        if (id.startsWith('"')) assert.equal(JSON.parse(restored), JSON.parse(id));
        else assert.equal(restored, id);
      }
  });

  overAll('with an id that is none is refused without it, and not run', async (way) => {
    for (const id of ['null', 'true', '1.5', '1.0', '1e2', '[]', '{}', '[1]', '18446744073709551616', `"${'x'.repeat(5000)}"`, '"\\ud800"', '-']) {
      const sent = await way.send(way.write('tools/call', greet('a'), id));
      isRefused(sent, id);
      for (const answer of sent.answers) assert.equal(JSON.parse(answer).id ?? null, null, id);
    }
  });

  for (const [what, body] of Object.entries(bodies))
    test(`is refused when it is ${what}, by whatever way`, LIMIT, async () => {
      for (const [name, way] of at.ways) {
        const sent = await way.send(body);
        if (way.child && body === '') assert.deepEqual(sent.answers, [], 'an empty line says nothing');
        else isRefused(sent, name, [-32700, -32600, -32602, -32601]);
      }
    });

  // @spec D3
  overAll('with a key twice, once escaped or deep inside, is refused', async (way) => {
    for (const more of ['"name":"greet","name":"greet"', `${greet('a')},"n\\u0061me":"test_simple_text"`,
      call('greet', '{"name":"a","name":"b"}'), call('greet', '{"name":"a","x":[{"y":1,"\\u0079":2}]}')])
      isRefused(await way.send(way.write('tools/call', more)), more, [-32700]);
    for (const twice of ['"id":2', '"method":"ping"', '"params":{}', '"jsonrpc":"2.0"', '"i\\u0064":2'])
      isRefused(await way.send(way.write('tools/call', greet('a')).replace('{', `{${twice},`)), twice, [-32700]);
  });

  overAll('may be nested so deep and no deeper', async (way) => {
    const deep = (n) => call('test_simple_text', `{"a":${'['.repeat(n)}${']'.repeat(n)}}`);
    assert.match(await answerTo(way, 'tools/call', deep(50)), /simple text/);
    for (const n of [65, 1000, 100000, 400000])
      isRefused(await way.send(way.write('tools/call', deep(n))), `${n} levels`, [-32700]);
    isRefused(await way.send(way.write('tools/call', call('test_simple_text', '{"a":'.repeat(1000) + '1' + '}'.repeat(1000)))), 'objects', [-32700]);
  });

  overAll('has numbers that are kept, or is refused', async (way) => {
    const echo = async (number) => JSON.parse(textOf(await answerTo(way, 'tools/call', call('test_x_mcp_header', `{"n":${number}}`))).slice('Called with '.length)).n;
    for (const number of ['0', '-0', '1e308', '-1.7976931348623157e308', '5e-324', '0.1', '123456789.125', '9007199254740991'])
      assert.ok(await echo(number) === Number(number), number); // −0 is 0
    assert.match(await answerTo(way, 'tools/call', call('test_x_mcp_header', '{"n":9223372036854775807}')), /9223372036854775807/);
    for (const number of ['1e999', '-1e999', '9'.repeat(400), '9223372036854775808', `1${'0'.repeat(100000)}`, 'NaN', 'Infinity', '01', '+1', '.5', '1.', '0x1'])
      isRefused(await way.send(way.write('tools/call', call('test_x_mcp_header', `{"n":${number}}`))), number.slice(0, 20), [-32700]);
    // Where a whole number is wanted.
    for (const seconds of ['1e308', '0.5', '61', '-1', '9223372036854775807'])
      assert.equal(JSON.parse(await answerTo(way, 'tools/call', call('slow_compute', `{"seconds":${seconds}}`))).result.isError, true, seconds);
  });

  overAll('has text that is Unicode, or is refused', async (way) => {
    assert.equal(textOf(await answerTo(way, 'tools/call', greet('\\ud83d\\ude00 é \\u2028'))), 'Hello, 😀 é \u2028!');
    for (const bad of ['\\ud800', '\\udc00', '\\ud83dx', '\\ude00\\ud83d', 'a\\u0000b', '\\u12', '\\x41'])
      isRefused(await way.send(way.write('tools/call', greet(bad))), bad, [-32700]);
    for (const bytes of [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82], [0xf8, 0x88, 0x80, 0x80, 0x80]]) {
      const [head, tail] = way.write('tools/call', greet('@')).split('@').map((text) => Buffer.from(text));
      isRefused(await way.send(Buffer.concat([head, Buffer.from(bytes), tail])), bytes.join(), [-32700]);
    }
  });

  overAll('may be a megabyte and no more, whatever is in it', (way) => growsLess(at.pidOf(way), 150000, async () => {
    const began = Date.now();
    for (const args of [`{"a":[${'0,'.repeat(500000)}0]}`, `{"a":[${'[],'.repeat(300000)}0]}`, `{"a":[${'{},'.repeat(300000)}0]}`, `{"a":"${'x'.repeat(1000000)}"}`,
      `{${Array.from({ length: 60000 }, (_, i) => `"k${i}":0`).join()}}`]) {
      const answer = await answerTo(way, 'tools/call', call('test_x_mcp_header', args));
      assert.match(answer.slice(0, 100), /"result"|"error"/);
    }
    const large = await way.send(way.write('tools/call', call('test_simple_text', `{"a":"${'x'.repeat(1100000)}"}`)));
    if (way.child) isRefused(large, 'a line too long', [-32600]);
    else assert.equal(large.status, 413);
    assert.equal(textOf(await answerTo(way, 'tools/call', greet('a'))), 'Hello, a!');
    assert.ok(Date.now() - began < 10000, `${Date.now() - began} ms`);
  }));

  // @spec HT-05: a notification is never answered, known or not.
  overAll('that is a notification is not answered, however many there are', (way) => growsLess(at.pidOf(way), 30000, async () => {
    const notes = ['"method":"notifications/initialized"', '"method":"notifications/cancelled","params":{"requestId":99}',
      '"method":"notifications/cancelled","params":{"requestId":{}}', '"method":"notifications/progress","params":{"progressToken":1,"progress":1}',
      '"method":"notifications/none"', '"method":"tools/call","params":{"name":"greet"}', '"method":"notifications/roots/list_changed"'];
    const flood = Array.from({ length: 20000 }, (_, i) => `{"jsonrpc":"2.0",${notes[i % notes.length]}}`);
    if (way.child) {
      assert.deepEqual((await way.send(flood.join('\n'))).answers, []);
    } else {
      const { port } = new URL(at.url);
      const head = Object.entries(way.headers('', { host: `localhost:${port}`, ...(way.isModern && { 'mcp-protocol-version': MODERN }) }))
        .map(([name, value]) => `${name}: ${value}\r\n`).join('');
      const all = flood.slice(0, 5000).map((body) => `POST /mcp HTTP/1.1\r\n${head}content-length: ${body.length}\r\n\r\n${body}`).join('');
      const { text } = await exchange(port, all, { quiet: 1000, limit: 15000 });
      assert.equal(text.match(/HTTP\/1\.1 202 /g)?.length, 5000, text.slice(0, 400));
    }
    assert.equal(textOf(await answerTo(way, 'tools/call', greet('a'))), 'Hello, a!');
  }));
});

// @spec D15 D23
describe('a flood', () => {
  let at;
  before(async () => { at = await openWays(LOUD, ['127.0.0.1:0']); }, LIMIT);
  after(() => at.stop());

  const shout = (way, count) => way.write('tools/call', call('shout', `{"count":${count}}`), '5', LOUDLY);
  const open = (way, text, headers) => EventStream.open(at.url, { method: 'POST', body: text, headers: way.headers(text, headers) });
  const isResult = (data) => /"id":5,"result"/.test(data ?? '');

  for (const name of ['HTTP, legacy', 'HTTP, modern'])
    test(`of progress and messages keeps their order and the result, read or not (${name})`, LIMIT, async () => {
      const way = at.ways.get(name);
      await growsLess(at.server.pid, 30000, async () => {
        const stream = await open(way, shout(way, 1000));
        await stream.find((e) => isResult(e.data), 15000);
        await stream.endsWithin(2000);
        const steps = stream.events.map((e) => e.data && JSON.parse(e.data)).filter((m) => m?.method === 'notifications/progress').map((m) => m.params.progress);
        assert.ok(steps.length > 10 && steps.every((step, i) => !i || step > steps[i - 1]), `${steps.length}`);

        const slow = await open(way, shout(way, 20000));
        slow.answer.pause();
        await rest(1500);
        slow.answer.resume();
        await slow.find((e) => isResult(e.data), 15000);
      });
    });

  for (const name of ['stdio, legacy', 'stdio, modern'])
    test(`of progress and messages keeps their order and the result, read or not (${name})`, LIMIT, async () => {
      const way = at.ways.get(name);
      await growsLess(way.pid, 10000, async () => {
        const from = way.lines.length;
        way.child.stdout.pause();
        await way.line(shout(way, 20000));
        await rest(1000);
        way.child.stdout.resume();
        await way.find(isResult, { from, ms: 15000 });
        const steps = way.lines.slice(from).map((line) => JSON.parse(line)).filter((m) => m.method === 'notifications/progress').map((m) => m.params.progress);
        assert.ok(steps.length > 10 && steps.every((step, i) => !i || step > steps[i - 1]), `${steps.length}`);
      });
    });

  const touchMuch = async (way) => {
    for (let i = 0; i < 10; i++)
      assert.match((await way.send(way.write('tools/call', call('touch', '{"count":50000}')))).answers[0], /touched/);
  };

  // A session keeps its stream, and is told what it missed when it reads again.
  test('of changes does not grow the stream of a session that does not read, and it hears again (HTTP, legacy)', LIMIT, async () => {
    const way = at.ways.get('HTTP, legacy');
    await growsLess(at.server.pid, 30000, async () => {
      await way.post(legacy('resources/subscribe', '"uri":"loud://watched"'));
      const stream = await EventStream.open(at.url, { headers: way.own });
      assert.equal(stream.status, 200);
      stream.answer.pause();
      await touchMuch(way);
      stream.answer.resume();
      await rest(2500); // one second for what was missed
      const heard = stream.events.length;
      assert.ok(heard > 10 && !stream.isOver);
      await way.send(way.write('tools/call', call('touch', '{"count":1}')));
      await rest(500);
      assert.equal(stream.events.length, heard + 1);
      await stream.cut();
    });
  });

  // A listener is told that it missed something: its stream ends.
  test('of changes ends the stream of who does not read it (HTTP, modern)', LIMIT, async () => {
    const way = at.ways.get('HTTP, modern');
    await growsLess(at.server.pid, 30000, async () => {
      const stream = await open(way, modern('subscriptions/listen', '"notifications":{"resourceSubscriptions":["loud://watched"]}', '"l"'));
      assert.equal(stream.status, 200);
      stream.answer.pause();
      await touchMuch(way);
      stream.answer.resume();
      await stream.endsWithin(5000);
      assert.ok(stream.events.length > 10);
    });
  });

  test('of changes does not grow the queue of a session over stdio that does not read', LIMIT, async () => {
    const way = at.ways.get('stdio, legacy');
    await way.send(way.write('resources/subscribe', '"uri":"loud://watched"'));
    await growsLess(way.pid, 20000, async () => {
      way.child.stdout.pause();
      await way.line(way.write('tools/call', call('touch', '{"count":500000}'), '6'));
      await rest(1500);
      way.child.stdout.resume();
      await way.find((line) => line.includes('"id":6,'));
    });
    await way.send(way.write('resources/unsubscribe', '"uri":"loud://watched"'));
  });

  // There is no stream that would end.
  test('of changes ends the subscription over stdio of who does not read, and says so', LIMIT, async () => {
    const way = at.ways.get('stdio, modern');
    await growsLess(way.pid, 20000, async () => {
      const from = way.lines.length;
      await way.line(modern('subscriptions/listen', '"notifications":{"resourceSubscriptions":["loud://watched"]}', '"l"'));
      await way.find((line) => line.includes('acknowledged'), { from });
      way.child.stdout.pause();
      await way.line(way.write('tools/call', call('touch', '{"count":500000}'), '7'));
      await rest(1000);
      way.child.stdout.resume();
      await way.find((line) => line.includes('"id":7,'), { from });
      const end = JSON.parse(await way.find((line) => line.includes('/cancelled'), { from }));
      assert.equal(end.params.requestId, 'l');
    });
  });

  test('of listeners: one person has 32, and more when others have ended', LIMIT, async () => {
    const way = at.ways.get('HTTP, modern');
    const listen = modern('subscriptions/listen', '"notifications":{"toolsListChanged":true}', '"l"');
    const streams = await Promise.all(Array.from({ length: 32 }, () => open(way, listen)));
    assert.ok(streams.every((stream) => stream.status === 200));
    assert.equal((await way.send(listen)).status, 429);
    await Promise.all(streams.map((stream) => stream.cut()));
    let more;
    for (let tries = 0; tries < 50 && more?.status !== 200; tries++) {
      await rest(20);
      more = await open(way, listen);
    }
    assert.equal(more.status, 200);
    await more.cut();
  });

  for (const name of ['HTTP, legacy', 'HTTP, modern', 'stdio, legacy', 'stdio, modern'])
    test(`of one text is cut off at eight megabytes by an error, and costs nothing afterwards (${name})`, LIMIT, async () => {
      const way = at.ways.get(name);
      const fill = async (count) => (await way.send(way.write('tools/call', call('fill', `{"count":${count}}`)))).answers[0];
      assert.equal(textOf(await fill(7000000)).length, 7000000);
      await growsLess(at.pidOf(way), 30000, async () => {
        for (const count of [7000000, 8388608, 30000000]) {
          const answer = await fill(count);
          if (count > 8000000) assert.equal(codeOf(answer), -32603, answer.slice(0, 200));
        }
      });
    });

  // Answers wait up to a bound, then nothing more is read.
  test('of requests whose answers nobody reads waits in the client, and all are answered in the end (stdio)', LIMIT, async () => {
    const way = await StdioWire.start(LOUD);
    const from = way.lines.length;
    let sent = 0, taken = true;
    way.child.stdout.pause();
    await growsLess(way.pid, 10000, async () => {
      while (taken && sent < 400000) {
        taken = await way.raw(Array.from({ length: 10000 }, (_, i) => `${legacy('ping', '', sent + i)}\n`).join(''), 1000);
        sent += 10000;
      }
    });
    assert.ok(!taken, `it has read ${sent}`);
    way.child.stdout.resume();
    await way.find((line) => line.includes(`"id":${sent - 1},`));
    assert.deepEqual(way.lines.slice(from).map((line) => JSON.parse(line).id), Array.from({ length: sent }, (_, i) => i));
    await endQuietly(way);
  });

  for (const name of ['HTTP, legacy', 'HTTP, modern'])
    test(`of requests whose answers nobody reads waits in the client, and all are answered in the end (${name})`, LIMIT, async () => {
      const way = at.ways.get(name);
      const { port } = new URL(at.url);
      const body = way.write('tools/call', call('fill', '{"count":200000}'));
      const head = Object.entries(way.headers(body, { host: `localhost:${port}`, 'content-length': body.length })).map((h) => h.join(': ')).join('\r\n');
      const socket = net.connect({ port, host: '127.0.0.1' });
      let size = 0;
      socket.on('error', () => {});
      socket.on('data', (bytes) => { size += bytes.length; });
      socket.pause();
      const one = `POST /mcp HTTP/1.1\r\n${head}\r\n\r\n${body}`;
      await growsLess(at.server.pid, 20000, async () => {
        socket.write(one.repeat(200)); // 40 MB of answers
        await rest(1000);
      });
      socket.resume();
      for (let tries = 0; size < 40000000 && tries < 200; tries++) await rest(50);
      assert.ok(size > 40000000, `${size} bytes`);
      socket.destroy();
    });

  test('on standard error is nothing to standard output', LIMIT, async () => {
    for (const name of ['stdio, legacy', 'stdio, modern']) {
      const way = at.ways.get(name), from = way.lines.length;
      await way.send(way.write('tools/call', call('mutter', '{"count":5000}')));
      assert.equal(way.lines.slice(from).filter((line) => line.includes('mutter"')).length, 0);
      assert.equal(way.stderr.match(/mutter/g).length, 5000);
      way.stderr = '';
    }
  });
});

describe('over HTTP', () => {
  let server, url, port;
  before(async () => {
    server = await Program.start(EVERYTHING, ['--http', '127.0.0.1:0']);
    url = new URL('/mcp', server.info.url).href;
    port = Number(new URL(url).port);
  }, LIMIT);
  after(() => endQuietly(server));

  // @spec D1 HT-50 HT-84
  test('a header of 2026-07-28 that says something else than the body is refused, and nothing is run', LIMIT, async () => {
    const way = await HttpWire.open(url, { version: MODERN });
    const hello = modern('tools/call', greet('a'));
    const read = modern('resources/read', '"uri":"test://static-text"');
    for (const [text, headers] of [
      [hello, { 'mcp-method': 'tools/list' }], [hello, { 'mcp-method': 'Tools/call' }], [hello, { 'mcp-method': 'tools/call, tools/list' }],
      [hello, { 'mcp-name': 'test_simple_text' }], [hello, { 'mcp-name': 'GREET' }], [hello, { 'mcp-name': '' }], [hello, { 'mcp-method': '' }],
      [hello, { 'mcp-protocol-version': '2025-11-25' }], [hello, { 'mcp-protocol-version': '' }], [read, { 'mcp-name': 'test://static-binary' }],
      [modern('tools/list'), { 'mcp-method': 'tools/call' }],
      [modern('tools/call', call('test_x_mcp_header', '{"region":"a"}')), { 'mcp-param-region': 'b' }],
      [modern('tools/call', call('test_x_mcp_header', '{"region":"a"}')), {}]]) {
      const { status, answers } = await way.send(text, headers);
      assert.deepEqual([status, codeOf(answers[0])], [400, -32020], JSON.stringify(headers));
    }
    const without = way.headers(hello);
    for (const name of ['mcp-method', 'mcp-name', 'mcp-protocol-version']) {
      const { [name]: left, ...headers } = without;
      const answer = await request(url, { method: 'POST', body: hello, headers });
      assert.deepEqual([answer.status, codeOf(answer.text)], [400, -32020], `without ${name}, ${left}`);
    }
  });

  // @spec D4 HT-83
  test('a name in base64 is read before it is compared, and only in its one spelling', LIMIT, async () => {
    const way = await HttpWire.open(url, { version: MODERN });
    const named = async (name) => (await way.send(modern('tools/call', greet('a')), { 'mcp-name': name })).status;
    assert.equal(await named('=?base64?Z3JlZXQ=?='), 200);
    assert.equal(await named('  greet  '), 200);
    for (const name of ['=?base64?Z3JlZXQ?=', '=?base64?Z3JlZXR=?=', '=?base64?Z3J lZXQ=?=', '=?BASE64?Z3JlZXQ=?=', '=?base64?Z3JlZXQ==?=',
      '=?base64?dGVzdF9zaW1wbGVfdGV4dA==?=', '=?base64??=', '=?base64?Z3JlZXQ=', '=?base64?Z3JlZXQA?=', 'Z3JlZXQ='])
      assert.equal(await named(name), 400, name);
    const region = async (header) => (await way.send(modern('tools/call', call('test_x_mcp_header', '{"region":"Zürich "}')), { 'mcp-param-region': header })).status;
    assert.equal(await region('=?base64?WsO8cmljaCA=?='), 200);
    assert.equal(await region('=?base64?WsO8cmljaA==?='), 400);
  });

  // @spec D2 HT-87
  test('the same headers say nothing in a session: the body decides', LIMIT, async () => {
    const way = await HttpWire.open(url);
    const lies = { 'mcp-method': 'tools/list', 'mcp-name': 'test_simple_text', 'mcp-param-region': 'x' };
    assert.equal(textOf((await way.send(legacy('tools/call', greet('a')), lies)).answers[0]), 'Hello, a!');
    const listed = await way.send(legacy('tools/list'), { 'mcp-method': 'tools/call', 'mcp-name': 'greet' });
    assert.ok(JSON.parse(listed.answers[0]).result.tools.length);
    for (const version of [MODERN, '1999-01-01', 'x'])
      assert.equal((await way.send(legacy('ping'), { 'mcp-protocol-version': version })).status, 400, version);
  });

  // @spec D3
  test('a header that stands there twice, or is folded, is refused', LIMIT, async () => {
    const way = await HttpWire.open(url);
    const hello = await HttpWire.open(url, { version: MODERN });
    const twice = async (write, name, value) => {
      const body = write.write('tools/call', greet('a'));
      const lines = Object.entries(write.headers(body)).map((h) => h.join(': '));
      const answer = await ask(port, { method: 'POST', body, headers: [...lines, `${name}: ${value}`] });
      return answer.status;
    };
    assert.equal(await twice(way, 'X-Other', 'a'), 200);
    assert.equal(await twice(hello, 'X-Other', 'a'), 200);
    assert.equal(await twice(way, 'Mcp-Session-Id', way.session), 400);
    for (const [name, value] of [['Mcp-Protocol-Version', MODERN], ['MCP-METHOD', 'tools/call'], ['Mcp-Name', 'greet'], ['Content-Type', 'application/json']])
      assert.ok((await twice(hello, name, value)) >= 400, name);
    assert.equal(await twice(hello, 'X-Other', 'a\r\n b'), 400);
    assert.equal(await twice(hello, 'Content-Length', '5'), 400);
    assert.equal(await twice(hello, 'Host', `localhost:${port}`), 400);
  });

  // @spec D17
  test('a path that is not there is 404 in JSON-RPC, and no lost session', LIMIT, async () => {
    for (const version of ['2025-11-25', MODERN]) {
      const way = await HttpWire.open(url, { version });
      const answer = await request(new URL('/no/mcp', url).href, { method: 'POST', body: way.write('tools/list'), headers: way.headers(way.write('tools/list')) });
      assert.equal(answer.status, 404);
      assert.notEqual(codeOf(answer.text), -32001);
    }
    const unknown = await (await HttpWire.open(url, { version: MODERN })).send(modern('no/such'));
    assert.deepEqual([unknown.status, codeOf(unknown.answers[0])], [404, -32601]);
  });

  // @spec HT-45 HT-46 HT-76
  test('a request of 2026-07-28 knows no session, whatever its headers say, and answers belong to nobody', LIMIT, async () => {
    const way = await HttpWire.open(url, { version: MODERN });
    const answer = await way.post(modern('tools/list'), { 'mcp-session-id': 'x', 'last-event-id': '1-1' });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['mcp-session-id'], undefined);
    const response = await way.send('{"jsonrpc":"2.0","id":"x","result":{}}');
    assert.deepEqual([response.status, codeOf(response.answers[0])], [400, -32600]);
    assert.equal((await way.send('[]')).status, 400);
    assert.equal((await way.send(`[${modern('tools/list')}]`)).status, 400);
  });

  // @spec HT-15 HT-16 D5
  test('arrays are of 2025-03-26 alone, and initialize is in none', LIMIT, async () => {
    const parts = [legacy('ping', '', '1'), legacy('tools/call', greet('b'), '"1"'), initialize('2025-03-26'), '{"jsonrpc":"2.0","method":"notifications/none"}',
      '7', '{"jsonrpc":"2.0","id":3}', legacy('no/such', '', '4'), modern('server/discover', '', '5')];
    const batch = `[${parts}]`;
    const way = await HttpWire.open(url, { version: '2025-03-26' });
    const answer = await way.post(batch);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['mcp-session-id'], undefined, 'no session is opened in one');
    const byId = new Map(JSON.parse(answer.text).map((a) => [JSON.stringify(a.id), a]));
    assert.deepEqual([...byId.keys()].sort(), ['"1"', '"hello"', '1', '3', '4', '5', 'null']);
    assert.equal(byId.get('"1"').result.content[0].text, 'Hello, b!');
    assert.deepEqual(byId.get('1').result, {});
    assert.ok(['"hello"', '3', '4', '5', 'null'].every((id) => byId.get(id).error), answer.text);
    assert.equal((await way.send('[{"jsonrpc":"2.0","method":"notifications/none"}]')).status, 202);
    for (const bad of ['[]', `[${Array(65).fill(legacy('ping'))}]`, `[[${legacy('ping')}]]`]) {
      const sent = await way.send(bad);
      assert.ok(sent.status === 400 || JSON.parse(sent.answers[0]).every((a) => a.error), bad.slice(0, 50));
    }
    assert.equal((await new HttpWire(url).send(`[${initialize('2025-03-26')}]`)).status, 400);
    for (const version of ['2025-06-18', '2025-11-25'])
      assert.equal((await (await HttpWire.open(url, { version })).send(batch)).status, 400, version);
  });

  // @spec HT-31 HT-32
  test('a session that was ended is 404 for everything, and what ran in it ends', LIMIT, async () => {
    const way = await HttpWire.open(url);
    const running = way.post(legacy('tools/call', call('slow_compute', '{"seconds":60}')));
    const stream = await EventStream.open(url, { headers: way.own });
    await rest(100);
    assert.equal((await request(url, { method: 'DELETE', headers: way.own })).status, 204);
    assert.equal((await running).status, 404);
    await stream.endsWithin(1000);
    for (const method of ['POST', 'GET', 'DELETE']) {
      const answer = await request(url, { method, headers: way.headers(''), ...(method === 'POST' && { body: legacy('ping') }) });
      assert.deepEqual([answer.status, codeOf(answer.text)], [404, -32001], method);
    }
    assert.equal((await request(url, { method: 'DELETE', headers: way.bearer })).status, 400);
  });

  // @spec HT-20 HT-25 HT-26
  test('up to 2025-11-25 a stream that was lost is found again, from where it was lost, and only by its session', LIMIT, async () => {
    const way = await HttpWire.open(url), other = await HttpWire.open(url);
    const text = legacy('tools/call', call('test_tool_with_progress'), '5', LOUDLY);
    const stream = await EventStream.open(url, { method: 'POST', body: text, headers: way.headers(text) });
    const { id } = await stream.find((e) => /"progress":0/.test(e.data));
    await stream.cut();
    const again = (who, last) => EventStream.open(url, { headers: { ...who.own, 'last-event-id': last } });
    for (let i = 0; i < 2; i++) { // while it runs, and when it is over
      const found = await again(way, id);
      await found.endsWithin(3000);
      const messages = found.events.filter((e) => e.data).map((e) => JSON.parse(e.data));
      assert.deepEqual(messages.filter((m) => m.method === 'notifications/progress').map((m) => m.params.progress), [50, 100]);
      assert.equal(messages.at(-1).result.content[0].text, 'All 100 steps are done.');
    }
    const foreign = await again(other, id);
    await foreign.endsWithin(1000);
    assert.deepEqual([foreign.status, foreign.events.length], [204, 0]);
    for (const bad of ['x', '-', '1', '1-', '-1', '01-1', '4294967296-1', '1-1-1', `${'9'.repeat(100)}-1`])
      assert.equal((await again(way, bad)).status, 400, bad);
  });

  test('a GET stream begins with an id to come back with, there is one of a session, and it goes on', LIMIT, async () => {
    const way = await HttpWire.open(url);
    const open = (more) => EventStream.open(url, { headers: { ...way.own, ...more } });
    const first = await open();
    const { id } = await first.find((e) => e.id);
    const second = await open({ 'last-event-id': id });
    await first.endsWithin(1000);
    for (let i = 0; i < 2; i++) await way.send(legacy('tools/call', call('test_trigger_tool_change')));
    await second.find((e) => /tools\/list_changed/.test(e.data));
    assert.notEqual((await second.find((e) => e.id)).id, id);
    await second.cut();
  });
});

// --- two people ---

const TASKS = { 'io.modelcontextprotocol/clientCapabilities': { extensions: { 'io.modelcontextprotocol/tasks': {} } } };
const withoutDate = ({ status, text, headers: { date, 'x-correlation-id': correlation, ...headers } }) => ({ status, text, headers });

async function signIn(origin, user, scope) {
  const client = await new Client(origin).register();
  const back = await client.signIn(user, undefined, scope && { scope });
  return { client, tokens: JSON.parse((await client.redeem(back.get('code'))).text) };
}

describe('of two people that signed in', () => {
  let bench, url, ann, bob;
  const enter = async (user) => {
    const { client, tokens } = await signIn(new URL(url).origin, user);
    const token = tokens.access_token;
    return { client, tokens, old: await HttpWire.open(url, { token }), old2: await HttpWire.open(url, { token }), now: await HttpWire.open(url, { token, version: MODERN }) };
  };
  const streamOf = (way, text) => EventStream.open(url, { method: 'POST', body: text, headers: way.headers(text) });
  const tool = async (way, name, args, more = '', meta = {}) =>
    JSON.parse((await way.send(modern('tools/call', call(name, args) + more, '1', meta))).answers[0]);
  before(async () => {
    bench = await Bench.start({ serve: false, config: { servers: undefined } });
    bench.server = await Program.start(EVERYTHING, ['--config', bench.writeConfig()]);
    url = new URL('/mcp', bench.server.info.url).href;
    [ann, bob] = await Promise.all([enter(bench.users.admin), enter(bench.users.reader)]);
  }, LIMIT);
  after(() => bench.stop());

  // @spec D6 SB-21 SB-23
  test('one’s session is to the other like one that does not exist', LIMIT, async () => {
    const none = ann.old.session.replace(/^.{8}/, (head) => head.split('').reverse().join(''));
    for (const method of ['POST', 'GET', 'DELETE']) {
      const as = async (session) => withoutDate(await request(url, {
        method, headers: { ...bob.old.headers(''), 'mcp-session-id': session }, ...(method === 'POST' && { body: legacy('tools/call', greet('bob')) }),
      }));
      const foreign = await as(ann.old.session);
      assert.equal(foreign.status, 404);
      assert.deepEqual(foreign, await as(none), method);
    }
    assert.equal(textOf((await ann.old.send(legacy('tools/call', greet('ann')))).answers[0]), 'Hello, ann!');
    await bench.audit((line) => line.event === 'session.hijack' || /not_the_owner/.test(line.reason ?? ''));
  });

  test('two tokens at once are none', LIMIT, async () => {
    const body = legacy('tools/call', greet('a'));
    const lines = Object.entries(ann.old.headers(body)).map((h) => h.join(': '));
    const answer = await ask(new URL(url).port, { method: 'POST', body, headers: [...lines, `Authorization: Bearer ${bob.tokens.access_token}`] });
    assert.ok([400, 401].includes(answer.status), answer.raw);
    assert.ok(fields(answer, 'www-authenticate').length <= 1);
  });

  // @spec D9
  test('a question is answered by who was asked, in the session where it was', LIMIT, async () => {
    const stream = await streamOf(ann.old, legacy('tools/call', call('test_elicitation', '{"message":"Your name?"}'), '5'));
    const question = JSON.parse((await stream.find((e) => /elicitation\/create/.test(e.data))).data);
    assert.match(question.id, /^[0-9a-f-]{36}$/, 'nobody can guess it');
    const answer = (name, id = question.id) => JSON.stringify({ jsonrpc: '2.0', id, result: { action: 'accept', content: { response: name } } });
    for (const way of [bob.old, ann.old2]) assert.equal((await way.send(answer('mallory'))).status, 202);
    assert.equal((await ann.old.send(answer('mallory', question.id.replace(/.$/, 'x')))).status, 202);
    assert.equal((await bob.now.send(answer('mallory'))).status, 400);
    await rest(100);
    assert.ok(!stream.isOver);
    await ann.old.send(answer('ann'));
    await ann.old.send(answer('too late'));
    assert.match((await stream.find((e) => /"id":5,/.test(e.data))).data, /ann/);
  });

  // @spec D10 HT-69 SB-24
  test('what is kept for one is no use to the other, nor for anything else, nor changed', LIMIT, async () => {
    const name = 'test_input_required_result_request_state', confirm = '"inputResponses":{"confirm":{"action":"accept","content":{"ok":true}}}';
    const { result } = await tool(ann.now, name, '{}');
    assert.equal(result.resultType, 'input_required');
    const state = result.requestState;
    const retry = async (way, what, more = {}) => tool(way, more.name ?? name, more.args ?? '{}', `,${confirm},"requestState":${JSON.stringify(what)}`);
    assert.equal((await retry(bob.now, state)).error?.code, -32602);
    assert.equal((await retry(ann.now, state, { args: '{"x":1}' })).error?.code, -32602);
    assert.equal((await retry(ann.now, state, { name: 'test_input_required_result_elicitation' })).error?.code, -32602);
    for (const bad of [`${state}A`, state.slice(1), state.slice(0, -1), state.replace(/^./, (c) => (c === 'A' ? 'B' : 'A')), state.replace(/.{5}$/, 'AAAAA'), '', 'x', ' '])
      assert.ok(!(await retry(ann.now, bad)).result?.content, bad.slice(0, 10));
    assert.match((await retry(ann.now, state)).result.content[0].text, /^state-ok/);
  });

  // @spec D22
  test('a call is taken back by who began it, where it began', LIMIT, async () => {
    const cancel = (id) => `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${id}}}`;
    const running = ann.old.send(legacy('tools/call', call('slow_compute', '{"seconds":1}'), '77'));
    await rest(200);
    for (const way of [bob.old, ann.old2, bob.now, ann.now]) assert.equal((await way.send(cancel('77'))).status, 202);
    assert.equal((await ann.old.send(cancel('"77"'))).status, 202, 'a text is no number');
    assert.equal(textOf((await running).answers[0]), 'Computed for 1 seconds');
    const taken = ann.old.send(legacy('tools/call', call('slow_compute', '{"seconds":60}'), '78'));
    await rest(100);
    await ann.old.send(cancel('78'));
    assert.deepEqual((await taken).answers, []);
  });

  // @spec HT-41 SB-24 EX-12
  test('one’s task is to the other like one that does not exist', LIMIT, async () => {
    const { result } = await tool(ann.now, 'slow_compute', '{"seconds":60}', '', TASKS);
    assert.equal(result.resultType, 'task', JSON.stringify(result));
    const { taskId } = result;
    const none = taskId.replace(/^.{8}/, (head) => head.split('').reverse().join(''));
    const about = async (way, method, id) => (await way.send(modern(method, `"taskId":"${id}"${method === 'tasks/update' ? ',"inputResponses":{}' : ''}`, '1', TASKS)));
    for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
      const foreign = await about(bob.now, method, taskId);
      assert.equal(codeOf(foreign.answers[0]), -32602, foreign.answers[0]);
      assert.deepEqual(foreign, await about(bob.now, method, none));
    }
    const text = modern('subscriptions/listen', `"notifications":{"taskIds":["${taskId}"]}`, '"l"', TASKS);
    const stream = await streamOf(bob.now, text);
    const granted = JSON.parse((await stream.find((e) => /acknowledged/.test(e.data))).data);
    assert.deepEqual(granted.params.notifications, {});
    await stream.cut();
    assert.equal(JSON.parse((await about(ann.now, 'tasks/get', taskId)).answers[0]).result.status, 'working');
    assert.ok(JSON.parse((await about(ann.now, 'tasks/cancel', taskId)).answers[0]).result);
    assert.equal(JSON.parse((await about(ann.now, 'tasks/get', taskId)).answers[0]).result.status, 'cancelled');
  });

  // @spec HT-20 HT-62: the same loss is no reason to stop in one era, and is
  // one in the other.
  test('a connection that breaks takes a call back from 2026-07-28 on, and not before', LIMIT, async () => {
    const lose = async (way) => {
      const from = (await bench.audit()).length;
      const stream = await streamOf(way, way.write('tools/call', call('test_tool_with_progress'), '9', LOUDLY));
      await stream.find((e) => /"progress":0/.test(e.data));
      await stream.cut();
      const isOurs = (line, i) => i >= from && line.tool === 'test_tool_with_progress' && line.event.startsWith('tool.');
      await bench.audit((line, i) => isOurs(line, i) && line.event === 'tool.end');
      return (await bench.audit()).filter(isOurs).map((line) => line.event);
    };
    assert.deepEqual(await lose(ann.old), ['tool.start', 'tool.end']);
    assert.deepEqual(await lose(ann.now), ['tool.start', 'tool.cancel', 'tool.end']);
  });

  // @spec D18
  test('streams of both eras end within two seconds of the revocation, and those of others do not', LIMIT, async () => {
    const cat = await enter(bench.users.bengali);
    const listen = modern('subscriptions/listen', '"notifications":{"toolsListChanged":true}', '"l"');
    const streams = [await EventStream.open(url, { headers: cat.old.own }), await streamOf(cat.now, listen)];
    const others = [await EventStream.open(url, { headers: bob.old.own }), await streamOf(bob.now, listen)];
    const running = streamOf(cat.now, modern('tools/call', call('slow_compute', '{"seconds":60}'), '9'));
    await request(new URL('/revoke', url).href, {
      method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: form({ client_id: cat.client.id, token: cat.tokens.refresh_token }),
    });
    await Promise.all(streams.map((stream) => stream.endsWithin(2000)));
    assert.ok(others.every((stream) => !stream.isOver));
    for (const stream of others) await stream.cut();
    await (await running.catch(() => undefined))?.cut();
  });
});

// @spec D18
test('a subscription ends with the token that it was asked for with', LIMIT, async () => {
  const bench = await Bench.start({ serve: false, config: { servers: undefined, tokens: { access_lifetime: '2s' } } });
  try {
    bench.server = await Program.start(EVERYTHING, ['--config', bench.writeConfig()]);
    const url = new URL('/mcp', bench.server.info.url).href;
    const { tokens } = await signIn(new URL(url).origin, bench.users.admin);
    const way = await HttpWire.open(url, { token: tokens.access_token, version: MODERN });
    const text = modern('subscriptions/listen', '"notifications":{"toolsListChanged":true}', '"l"');
    const stream = await EventStream.open(url, { method: 'POST', body: text, headers: way.headers(text) });
    assert.equal(stream.status, 200);
    await stream.endsWithin(4000);
    assert.equal(JSON.parse(stream.events.at(-1).data).result.resultType, 'complete');
  } finally {
    await bench.stop();
  }
});

describe('of two people that may do different things', () => {
  let bench, url, admin, reader;
  before(async () => {
    bench = await Bench.start({ serve: false, config: { servers: undefined, open_scopes: ['notes.read'] } });
    bench.server = await Program.start(OWN, ['signed-in', bench.writeConfig()]);
    ({ url } = bench.server.info);
    const enter = async (user, scope) => (await signIn(new URL(url).origin, user, scope)).tokens.access_token;
    admin = await enter(bench.users.admin, 'mcp.tools.read notes.read Mcp.Admin');
    reader = await enter(bench.users.reader, 'mcp.tools.read notes.read');
  }, LIMIT);
  after(() => bench.stop());

  // @spec D8 HT-71 HT-72
  test('what one may see is not kept for the other', LIMIT, async () => {
    for (let i = 0; i < 2; i++)
      for (const [token, names] of [[admin, 'greet who read_note read_secret'], [reader, 'greet who read_note']])
        for (const version of ['2025-11-25', MODERN]) {
          const way = await HttpWire.open(url, { token, version });
          const { result } = JSON.parse((await way.send(way.write('tools/list'))).answers[0]);
          assert.equal(result.tools.map((t) => t.name).join(' '), names);
          if (version === MODERN) assert.equal(result.cacheScope, 'private');
        }
  });

  // @spec D5
  test('what is denied is denied next to what is not, in a batch too', LIMIT, async () => {
    const way = await HttpWire.open(url, { token: reader, version: '2025-03-26' });
    const answer = await way.post(`[${legacy('tools/call', call('greet'), '1')},${legacy('tools/call', call('read_secret'), '2')},${legacy('tools/call', call('greet'), '3')}]`);
    assert.doesNotMatch(answer.text, /For admins/);
    const byId = new Map(JSON.parse(answer.text).map((a) => [a.id, a]));
    assert.equal(byId.get(1).result.content[0].text, 'Hello');
    assert.ok(byId.get(2).error);
    assert.equal(byId.get(3).result.content[0].text, 'Hello');
    await bench.audit((line) => line.event === 'rbac.deny' && line.tool === 'read_secret');
  });

  // @spec D1 D4
  test('a header that names what is allowed opens nothing', LIMIT, async () => {
    const body = modern('tools/call', call('read_secret'));
    const way = await HttpWire.open(url, { token: reader, version: MODERN });
    for (const [name, status] of [['greet', 400], ['=?base64?Z3JlZXQ=?=', 400], ['read_secret', 403], ['=?base64?cmVhZF9zZWNyZXQ=?=', 403]]) {
      const answer = await way.post(body, { 'mcp-name': name });
      assert.equal(answer.status, status, name);
      assert.doesNotMatch(answer.text, /For admins/);
    }
    const session = await HttpWire.open(url, { token: reader });
    assert.equal((await session.post(legacy('tools/call', call('read_secret')), { 'mcp-method': 'tools/call', 'mcp-name': 'greet' })).status, 403);
  });
});

// --- the life of a server over stdio ---

describe('over stdio', () => {
  const ways = [['legacy', '2025-11-25'], ['modern', MODERN]];
  const isJson = (line) => JSON.parse(line).jsonrpc === '2.0';
  const soon = (way, ms) => (isSanitized(way.pid) ? 4 * ms : ms);
  const within = async (way, limit, what) => {
    const ms = soon(way, limit), began = Date.now();
    what();
    assert.deepEqual(await way.end(), CLEAN, way.stderr);
    assert.ok(Date.now() - began < ms, `${Date.now() - began} ms`);
    assert.equal(way.part, '', 'no half line');
    assert.ok(way.lines.every(isJson));
    assert.equal(way.stderr, '');
  };

  for (const [era, version] of ways) {
    // @spec ST-05 ST-06
    for (const [what, stop] of [['its client closes the pipe', (way) => way.child.stdin.end()], ['SIGTERM comes', (way) => way.child.kill('SIGTERM')],
      ['SIGINT comes', (way) => way.child.kill('SIGINT')]]) {
      test(`it ends at once and cleanly when ${what} (${era})`, LIMIT, async () => {
        const way = await StdioWire.start(EVERYTHING, [], { version });
        await way.send(way.write('tools/list'));
        await within(way, 1000, () => stop(way));
      });
      test(`it ends at once and cleanly when ${what}, also with a tool at work and half a message on its way (${era})`, LIMIT, async () => {
        const way = await StdioWire.start(EVERYTHING, [], { version });
        await way.line(way.write('tools/call', call('slow_compute', '{"seconds":60}')));
        await way.line(way.write('tools/call', call('test_sampling', '{"prompt":"x"}'), '2'));
        await way.raw(way.write('tools/call', greet('a')).slice(0, 40));
        await rest(100);
        await within(way, 1000, () => stop(way));
      });
    }

    test(`it ends at once and cleanly when nobody can read its answers any more (${era})`, LIMIT, async () => {
      const way = await StdioWire.start(EVERYTHING, [], { version });
      await way.line(way.write('tools/call', call('slow_compute', '{"seconds":60}')));
      const ms = soon(way, 1000), began = Date.now();
      way.child.stdout.destroy();
      await way.line(way.write('tools/call', greet('a')));
      assert.deepEqual(await way.end(), CLEAN, way.stderr);
      assert.ok(Date.now() - began < ms, `${Date.now() - began} ms`);
    });

    test(`it ends although its client does not read (${era})`, LIMIT, async () => {
      const way = await StdioWire.start(LOUD, [], { version });
      way.child.stdout.pause();
      await way.line(way.write('tools/call', call('fill', '{"count":5000000}')));
      await rest(200);
      const began = Date.now();
      way.child.kill('SIGTERM');
      const gone = new Promise((resolve) => way.child.once('exit', (code) => resolve(code)));
      assert.equal(await gone, 0);
      assert.ok(Date.now() - began < 2000, `${Date.now() - began} ms`);
      way.child.stdout.destroy();
    });

    // @spec ST-01 ST-02
    test(`whole lines come out, whenever it is stopped in a flood (${era})`, LIMIT, async () => {
      await Promise.all([0, 10, 30, 70, 130, 200].map(async (ms) => {
        const way = await StdioWire.start(LOUD, [], { version });
        await way.line(way.write('tools/call', call('shout', '{"count":1000000}'), '5', LOUDLY));
        await way.find((line) => line.includes('notifications/'));
        await rest(ms);
        await within(way, 1500, () => way.child.kill('SIGTERM'));
      }));
    });

    test(`what was asked before the end is answered before the end (${era})`, LIMIT, async () => {
      const way = await StdioWire.start(EVERYTHING, [], { version });
      const from = way.lines.length;
      const asked = Array.from({ length: 500 }, (_, i) => way.write('tools/call', greet('a'), i));
      await within(way, 2000, () => way.child.stdin.end(asked.join('\n'))); // the last without its line end
      assert.deepEqual(way.lines.slice(from).map((line) => JSON.parse(line).id), asked.map((_, i) => i));
    });

    test(`lines may come in any pieces, with CR and empty ones between (${era})`, LIMIT, async () => {
      const way = await StdioWire.start(EVERYTHING, [], { version });
      const bytes = Buffer.from(`\n\r\n${way.write('tools/call', greet('é😀'), '7')}\r\n\n`);
      for (const byte of bytes) {
        await way.raw(Buffer.from([byte]));
        if (byte > 127) await rest(1);
      }
      assert.equal(textOf(await way.find((line) => line.includes('"id":7,'))), 'Hello, é😀!');
      assert.equal(way.lines.filter((line) => line.includes('"error"')).length, 0);
      await endQuietly(way);
    });
  }

  // @spec ST-10 HT-76
  test('both eras may be spoken in turn, and nothing but ping before either', LIMIT, async () => {
    const way = new StdioWire(EVERYTHING);
    const asked = async (text, id) => {
      await way.line(text);
      return JSON.parse(await way.find((line) => line.includes(`"id":${id},`)));
    };
    assert.equal((await asked(legacy('tools/list', '', '1'), 1)).error.code, -32600);
    assert.deepEqual((await asked(legacy('ping', '', '2'), 2)).result, {});
    assert.ok((await asked(modern('server/discover', '', '3'), 3)).result.supportedVersions.includes(MODERN));
    assert.ok((await asked(modern('tools/list', '', '4'), 4)).result.tools.length);
    assert.ok((await asked(initialize('2025-11-25'), '"hello"')).result);
    assert.ok((await asked(legacy('tools/list', '', '5'), 5)).result.tools.length);
    assert.equal((await asked(modern('tools/list', '', '6').replace(MODERN, '2030-01-01'), 6)).error.code, -32022);
    await endQuietly(way);
  });

  // @spec ST-04
  test('batches are of 2025-03-26 there too, and initialize is in none', LIMIT, async () => {
    const batch = `[${legacy('ping', '', '1')},${initialize('2025-03-26')},{"jsonrpc":"2.0","method":"notifications/none"},${legacy('tools/call', greet('b'), '"1"')}]`;
    for (const [version, isGood] of [['2025-03-26', true], ['2025-06-18', false], ['2025-11-25', false], [MODERN, false]]) {
      const way = await StdioWire.start(EVERYTHING, [], { version });
      const { answers: [answer, ...more] } = await way.send(batch);
      assert.deepEqual(more, []);
      const parts = JSON.parse(answer);
      assert.equal(Array.isArray(parts), isGood, answer);
      if (isGood) assert.deepEqual(parts.map((p) => [p.id, !!p.error]), [[1, false], ['hello', true], ['1', false]]);
      else assert.equal(parts.error.code, -32600);
      await endQuietly(way);
    }
  });
});
