// A server that speaks one era alone: stands in front of one that speaks both,
// and answers the other era as servers do that have never heard of it.
import http from 'node:http';

const LIMITED = {
  legacy: (body) => body.params?._meta?.['io.modelcontextprotocol/protocolVersion'] &&
    [400, { jsonrpc: '2.0', error: { code: -32000, message: 'Bad Request: Server not initialized' }, id: null }],
  modern: (body) => body.method && !body.params?._meta?.['io.modelcontextprotocol/protocolVersion'] &&
    [400, { jsonrpc: '2.0', error: { code: -32602, message: 'The _meta has no protocolVersion' }, id: body.id ?? null }],
};

// `url` of the one behind; only `era` gets through.
export async function oneEra(era, url) {
  const behind = new URL(url);
  const server = http.createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const refusal = era === 'modern' && request.method !== 'POST' ? [405, {}] : body.length && LIMITED[era](JSON.parse(body));
    if (refusal) {
      response.writeHead(refusal[0], { 'content-type': 'application/json' });
      response.end(JSON.stringify(refusal[1]));
      return;
    }
    const onward = http.request({
      host: behind.hostname, port: behind.port, path: behind.pathname, method: request.method,
      headers: { ...request.headers, host: behind.host },
    }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      response.flushHeaders();
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    onward.end(body);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/mcp`,
    stop: () => { server.closeAllConnections(); server.close(); },
  };
}
