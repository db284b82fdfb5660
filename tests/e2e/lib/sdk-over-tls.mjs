// A program of its own, since node reads NODE_EXTRA_CA_CERTS when it starts:
//   node sdk-over-tls.mjs URL USERNAME PASSWORD [sse]
// signs in with the SDK, calls the tool, writes its answer as JSON.
import { connect, connectSse, Provider } from './sdk.mjs';

const [url, username, password, transportName] = process.argv.slice(2);
const provider = new Provider({ username, password });
const { client, transport } = await (transportName === 'sse' ? connectSse : connect)(url, provider);
const result = await client.callTool({ name: 'getUserDetails', arguments: {} });
await transport.terminateSession?.();
await client.close();
console.log(JSON.stringify(result));
process.exit(0); // connections that are kept would hold it
