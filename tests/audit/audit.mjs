// Runs the public audits of GraphQL over HTTP and the public WebSocket and SSE clients against a running hub.
// usage: HUB_URL=http://127.0.0.1:8000/graphql HUB_AUTHORIZATION="Bearer operator@crossdock.test:…" node audit.mjs
import { auditServer } from 'graphql-http';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWsClient } from 'graphql-ws';
import WebSocket from 'ws';

const url = process.env.HUB_URL;
const authorization = process.env.HUB_AUTHORIZATION;
const socketUrl = url.replace(/^http/, 'ws');
let failed = 0;

function report(name, problem) {
  if (problem) failed += 1;
  console.log(`${problem ? 'FAIL' : 'ok  '} ${name}${problem ? `: ${problem}` : ''}`);
}

async function audits() {
  const fetchFn = (address, init = {}) =>
    fetch(address, { ...init, headers: { authorization, ...init.headers } });
  for (const result of await auditServer({ url, fetchFn })) {
    report(`${result.id} ${result.name}`, result.status === 'ok' ? null : result.reason);
  }
}

async function webSocketClient() {
  const client = createWsClient({ url: socketUrl, webSocketImpl: WebSocket, connectionParams: { authorization } });
  const answer = await new Promise((resolve, reject) =>
    client.subscribe({ query: '{ __typename }' }, { next: resolve, error: reject, complete: () => {} }),
  );
  report('graphql-ws: a query', answer.data?.__typename === 'Query' ? null : JSON.stringify(answer));
  await client.dispose();
}

async function eventsClient() {
  const client = createSseClient({ url, headers: { authorization }, retryAttempts: 0 });
  const answer = await new Promise((resolve, reject) =>
    client.subscribe({ query: '{ __typename }' }, { next: resolve, error: reject, complete: () => {} }),
  );
  report('graphql-sse: a query', answer.data?.__typename === 'Query' ? null : JSON.stringify(answer));
  client.dispose();
}

// Opens a socket, sends the messages, and tells the code with which the hub closes it.
function closeCode(messages, { protocol = 'graphql-transport-ws', hurry = true } = {}) {
  return new Promise((resolve) => {
    const socket = new WebSocket(socketUrl, protocol);
    const timer = setTimeout(() => { socket.terminate(); resolve('none'); }, hurry ? 4000 : 15000);
    socket.on('open', () => messages.forEach((message) => socket.send(message)));
    socket.on('close', (code) => { clearTimeout(timer); resolve(code); });
    socket.on('error', () => {});
  });
}

async function closeCodes() {
  const init = JSON.stringify({ type: 'connection_init', payload: { authorization } });
  const operation = (id) =>
    JSON.stringify({ id, type: 'subscribe', payload: { query: 'subscription { syncEvents { cursor } }' } });
  const malformed = [
    'not json', '42', 'null', '[]', '{}', '{"type":42}', '{"type":"nonsense"}',
    '{"type":"ping","payload":42}', '{"type":"connection_init","payload":[]}',
  ];
  const expected = [
    ...malformed.map((text) => [`4400 for ${text}`, [text], 4400]),
    ['4400 for a subscribe without id', [init, '{"type":"subscribe","payload":{"query":"{a}"}}'], 4400],
    ['4400 for a payload that is no object', [init, '{"id":"1","type":"subscribe","payload":[]}'], 4400],
    ['4400 for a binary message', [Buffer.from([1, 2, 3])], 4400],
    ['4401 for a subscribe before the handshake', [operation('1')], 4401],
    ['4403 for wrong credentials', ['{"type":"connection_init","payload":{"authorization":"Bearer a:b"}}'], 4403],
    ['4409 for an id in use', [init, operation('1'), operation('1')], 4409],
    ['4429 for a second handshake', [init, init], 4429],
    ['4429 for too many subscriptions', [init, ...Array.from({ length: 1000 }, (_, i) => operation(`s${i}`))], 4429],
  ];
  for (const [name, messages, code] of expected) {
    const seen = await closeCode(messages);
    report(name, seen === code ? null : `closed with ${seen}`);
  }
  const other = await closeCode([], { protocol: 'graphql-ws' });
  report('4406 for another subprotocol', other === 4406 ? null : `closed with ${other}`);
  const silent = await closeCode([], { hurry: false });
  report('4408 for a socket that never shakes hands', silent === 4408 ? null : `closed with ${silent}`);
}

await audits();
await webSocketClient();
await eventsClient();
await closeCodes();
console.log(failed ? `${failed} failed` : 'all passed');
process.exit(failed ? 1 : 0);
