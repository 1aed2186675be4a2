// Replays tables of requests and what must come back, against any server of the Janus API, and prints TAP.
//
//   node run.mjs [--loose] ws://HOST:PORT/ [FILE...]   against a running server; tables that need settings are skipped
//   node run.mjs [FILE...]                             against the built gateway, started with each table's settings
//
// --loose: events may overtake replies, as some servers let them.
//
// A table: {"settings"?: {name: value}, "define"?: {name: value | [lines of an SDP]}, "tests": [{"name", "steps": [...]}]}. A step:
//   {"send": {...}, "expect"?: {...}}  a request (its "transaction" is added unless there is one) and its reply
//   {"raw": "text", "expect": {...}}   any text; the reply is the next message
//   {"event": {...}}                   the next message
//   {"silence": ms}                    nothing comes
//   {"wait": ms}                       time passes; what comes is kept
//   {"close": true}                    closes the connection
// each with "on": "name" for another connection than the first; connections are opened when they are first named.
import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {difference, fill} from './match.mjs';
import {WebSocketClient} from './websocket.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const args = process.argv.slice(2);
const loose = args.includes('--loose');
const server = args.find(arg => arg.startsWith('ws:'));
let files = args.filter(arg => arg.endsWith('.json'));
if (files.length === 0) files = readdirSync(here).filter(name => name.endsWith('.json')).sort().map(name => join(here, name));

const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));

class Connection {
  messages = [];
  transactions = 0;
  static async open(url) {
    const connection = new Connection();
    connection.socket = await WebSocketClient.open(url, 'janus-protocol');
    connection.socket.onmessage = text => { connection.messages.push(JSON.parse(text)); connection.wake?.(); };
    return connection;
  }
  // The first message for which `wanted` holds; the very first one unless we are loose.
  async next(wanted, ms = 3000) {
    const end = Date.now() + ms;
    for (;;) {
      const at = loose ? this.messages.findIndex(wanted) : this.messages.length > 0 ? 0 : -1;
      if (at >= 0) return this.messages.splice(at, 1)[0];
      const left = end - Date.now();
      if (left <= 0) return undefined;
      await new Promise(resolve => { this.wake = resolve; setTimeout(resolve, left); });
    }
  }
}

async function step(one, connection, kept) {
  const check = (expected, got) => {
    const wrong = difference(expected, got, kept);
    if (wrong) throw new Error(`${wrong}\n  got ${JSON.stringify(got)}`);
  };
  if (one.send) {
    const request = fill(one.send, kept);
    if (!('transaction' in request)) request.transaction = `t${++connection.transactions}`;
    connection.socket.send(JSON.stringify(request));
    if (!one.expect) return;
    const reply = await connection.next(got => got.transaction === request.transaction && got.janus !== 'event' || got.janus === 'error');
    if (reply === undefined) throw new Error('no reply');
    check(one.expect, reply);
    if (one.expect.transaction === undefined) check({transaction: request.transaction}, reply);
  } else if (one.raw !== undefined) {
    connection.socket.send(one.raw);
    check(one.expect, await connection.next(() => true));
  } else if (one.event) {
    const event = await connection.next(got => got.transaction === undefined || got.janus === 'event');
    if (event === undefined) throw new Error(`no event ${JSON.stringify(one.event)}`);
    check(one.event, event);
  } else if (one.silence) {
    await sleep(one.silence);
    if (connection.messages.length > 0) throw new Error(`should be silent, said ${JSON.stringify(connection.messages[0])}`);
  } else if (one.wait) {
    await sleep(one.wait);
  } else if (one.close) {
    connection.socket.close();
    await sleep(50);
  }
}

async function play(test, url, defined) {
  const connections = new Map(), kept = {...defined};
  try {
    for (const [index, one] of test.steps.entries()) {
      const name = one.on ?? 'first';
      if (!connections.has(name)) connections.set(name, await Connection.open(url));
      try {
        await step(one, connections.get(name), kept);
      } catch (error) {
        throw new Error(`step ${index + 1} ${JSON.stringify(one.send ?? one.raw ?? one.event ?? one).slice(0, 200)}\n  ${error.message}`);
      }
    }
    await sleep(20);
    for (const [name, connection] of connections)
      if (connection.messages.length > 0 && !loose)
        throw new Error(`at the end, ${name} said more: ${JSON.stringify(connection.messages[0])}`);
  } finally {
    for (const connection of connections.values()) connection.socket.close();
  }
}

let number = 0, failed = 0;
const report = (ok, name, why = '') => {
  console.log(`${ok ? 'ok' : 'not ok'} ${++number} - ${name}`);
  if (!ok) { ++failed; console.log(why.replace(/^/gm, '# ')); }
};

for (const file of files) {
  const table = JSON.parse(readFileSync(file, 'utf8'));
  const chapter = file.replace(/^.*\//, '').replace(/\.json$/, '');
  if (server && table.settings) {
    console.log(`ok ${++number} - ${chapter} # SKIP it needs settings`);
    continue;
  }
  const defined = Object.fromEntries(Object.entries(table.define ?? {}).map(([name, value]) => [name, Array.isArray(value) ? value.join('\r\n') + '\r\n' : value]));
  let gateway;
  if (!server) gateway = await (await import('../lib/gateway.mjs')).startGateway({set: table.settings ?? {}});
  for (const test of table.tests) {
    try {
      await play(test, server ?? gateway.ws, defined);
      report(true, `${chapter}: ${test.name}`);
    } catch (error) {
      report(false, `${chapter}: ${test.name}`, error.message);
    }
  }
  if (gateway) await gateway.stop().then(() => report(true, `${chapter}: the gateway ends well`), error => report(false, `${chapter}: the gateway ends well`, error.message));
}
console.log(`1..${number}`);
process.exit(failed > 0 ? 1 : 0);
