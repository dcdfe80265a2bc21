// Runs the public audits of GraphQL over HTTP and the public WebSocket and SSE clients against a hub with demo data:
// one of its own, or the one that HUB_URL and HUB_AUTHORIZATION name.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { auditServer } from 'graphql-http';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWsClient } from 'graphql-ws';
import WebSocket from 'ws';

const authorization = process.env.HUB_AUTHORIZATION ?? 'Bearer operator@crossdock.test:crossdock-demo';
const { url, stop } = process.env.HUB_URL ? { url: process.env.HUB_URL, stop: async () => {} } : await ownHub();
const socketUrl = url.replace(/^http/, 'ws');
let failed = 0;

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

// A hub with a data folder that is gone afterwards.
async function ownHub() {
  const data = mkdtempSync(join(tmpdir(), 'crossdock-audit-'));
  const port = await freePort();
  const command = ['up', '--demo', '--port', String(port), '--data', data];
  const hub = spawn(new URL('../../.venv/bin/hub', import.meta.url).pathname, command);
  const ended = new Promise((resolve) => hub.on('exit', resolve));
  let said = '';
  await new Promise((resolve, reject) => {
    for (const stream of [hub.stdout, hub.stderr]) {
      stream.on('data', (text) => { said += text; if (said.includes('ready on')) resolve(); });
    }
    ended.then(() => reject(new Error(said)));
  });
  const stop = async () => { hub.kill('SIGTERM'); await ended; rmSync(data, { recursive: true, force: true }); };
  return { url: `http://127.0.0.1:${port}/graphql`, stop };
}

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
  await streamed('graphql-ws', client);
  await client.dispose();
}

const FOLLOW = 'subscription { notifications(tenants: ["demo"]) { notification { title } } }';
const ADD = `mutation { notificationAdd(input: {tenant: "demo", title: "audit", message: "audit"}) {
  userErrors { message } } }`;

// Follows notifications and adds one: the first answer of the stream must be it.
async function streamed(name, client) {
  const answer = new Promise((resolve, reject) => {
    client.subscribe({ query: FOLLOW }, { next: resolve, error: reject, complete: () => {} });
  });
  const headers = { authorization, 'content-type': 'application/json' };
  const adding = setInterval(() => fetch(url, { method: 'POST', headers, body: JSON.stringify({ query: ADD }) }), 500);
  const told = await answer.finally(() => clearInterval(adding));
  const title = told.data?.notifications?.notification?.title;
  report(`${name}: a subscription`, title === 'audit' ? null : JSON.stringify(told));
}

async function eventsClient() {
  const client = createSseClient({ url, headers: { authorization }, retryAttempts: 0 });
  const answer = await new Promise((resolve, reject) =>
    client.subscribe({ query: '{ __typename }' }, { next: resolve, error: reject, complete: () => {} }),
  );
  report('graphql-sse: a query', answer.data?.__typename === 'Query' ? null : JSON.stringify(answer));
  await streamed('graphql-sse', client);
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
    '{"type":"ping","payload":42}', '{"type":"complete"}', '{"type":"next","id":"1"}', '['.repeat(5000), '{"type":"connection_init","payload":[]}',
  ];
  const expected = [
    ...malformed.map((text) => [`4400 for ${text}`, [text], 4400]),
    ['4400 for a subscribe without id', [init, '{"type":"subscribe","payload":{"query":"{a}"}}'], 4400],
    ['4400 for a query that is no text', [init, '{"id":"1","type":"subscribe","payload":{"query":1}}'], 4400],
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
    report(name.slice(0, 80), seen === code ? null : `closed with ${seen}`);
  }
  const other = await closeCode([], { protocol: 'graphql-ws' });
  report('4406 for another subprotocol', other === 4406 ? null : `closed with ${other}`);
  const silent = await closeCode([], { hurry: false });
  report('4408 for a socket that never shakes hands', silent === 4408 ? null : `closed with ${silent}`);
}

try {
  await audits();
  await webSocketClient();
  await eventsClient();
  await closeCodes();
} finally {
  await stop();
}
console.log(failed ? `${failed} failed` : 'all passed');
process.exit(failed ? 1 : 0);
