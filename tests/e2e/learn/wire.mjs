// Stands between the parties and writes down every message as it passes: one
// relay before each that is asked, mcp-valet, the stand-in tenant, the client.
import http from 'node:http';

// Who sent it shows in what it asks for: only browsers want pages, and what
// else comes to the tenant is from mcp-valet.
const sender = (side, headers) =>
  /text\/html/.test(headers.accept ?? '') ? 'browser' : side === 'valet' ? 'client' : 'valet';

const OF_A_CONNECTION = /^(transfer-encoding|connection|keep-alive|content-length)$/i;

export class Wire {
  constructor() {
    this.messages = []; // {kind: request, answer, event or end, exchange, …} as they passed
    this.relays = [];
    this.open = new Set(); // promises of answers that mcp-valet still owes
    this.accepted = Promise.resolve(); // the 202 to the last message
  }

  // A relay; it passes on to the address in `to` once that is known.
  async relay(side, host) {
    const relay = { side, host: undefined, to: undefined };
    relay.server = http.createServer((req, res) => { this.pass(relay, req, res).catch(() => res.destroy()); });
    await new Promise((resolve) => { relay.server.listen(0, '127.0.0.1', resolve); });
    relay.host = `${host}:${relay.server.address().port}`;
    relay.url = `http://${relay.host}`;
    this.relays.push(relay);
    return relay;
  }

  // Things that happen at the same time pass in one order, so that every run
  // tells the same story: answers before what comes on a stream, and the 202
  // to a message before what the message leads to.
  async pass(relay, req, res) {
    const body = await textOf(req);
    if (relay.side === 'tenant') await this.accepted;
    const exchange = {
      side: relay.side, from: sender(relay.side, req.headers), method: req.method,
      target: req.url, path: req.url.split('?')[0], headers: pairs(req.rawHeaders), body,
    };
    this.messages.push({ kind: 'request', exchange });
    const noted = this.ask(relay, req, exchange);
    if (relay.side === 'valet') {
      const settled = noted.catch(() => {}).finally(() => this.open.delete(settled));
      this.open.add(settled);
      if (exchange.path === '/message') this.accepted = settled;
    }
    const answer = await noted;
    res.writeHead(answer.statusCode, answer.rawHeaders.filter((_, i, all) => !OF_A_CONNECTION.test(all[i - (i % 2)])));
    if (exchange.answer.isStream) await this.passEvents(exchange, answer, res);
    res.end(exchange.answer.body);
  }

  // Resolves once the answer is noted; of a stream that is its head.
  async ask(relay, req, exchange) {
    const answer = await new Promise((resolve, reject) => {
      const onward = http.request(relay.to + req.url, { method: req.method, headers: req.rawHeaders, agent: false }, resolve);
      onward.on('error', reject);
      onward.end(exchange.body);
    });
    const isStream = /event-stream/.test(answer.headers['content-type'] ?? '');
    exchange.answer = {
      status: answer.statusCode, reason: answer.statusMessage, headers: pairs(answer.rawHeaders),
      isStream, body: isStream ? '' : await textOf(answer),
    };
    this.messages.push({ kind: 'answer', exchange });
    return answer;
  }

  async passEvents(exchange, answer, res) {
    let rest = '';
    res.flushHeaders();
    answer.setEncoding('utf8');
    for await (const chunk of answer) {
      rest += chunk;
      for (let end; (end = rest.indexOf('\n\n')) >= 0; rest = rest.slice(end + 2)) {
        const event = rest.slice(0, end + 2);
        await Promise.all(this.open);
        if (!event.startsWith(':')) this.messages.push({ kind: 'event', exchange, body: event });
        res.write(event);
      }
    }
    await Promise.all(this.open);
    this.messages.push({ kind: 'end', exchange });
  }

  async stop() {
    for (const { server } of this.relays) {
      server.closeAllConnections();
      await new Promise((resolve) => { server.close(resolve); });
    }
  }
}

const pairs = (raw) => raw.flatMap((name, i) => (i % 2 ? [] : [[name, raw[i + 1]]]));

async function textOf(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
