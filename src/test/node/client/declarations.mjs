// Compares the declarations with the code: what it exports, the members of what it gives, and the options that it reads. Needs no service.

import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import path from "node:path";
import ts from "typescript";
import * as client from "../../../main/resources/static/client/socket-proxy.js";

const DIRECTORY = path.resolve(import.meta.dirname, "../../../main/resources/static/client");
const ENTRY = path.join(DIRECTORY, "socket-proxy.d.ts");

const program = ts.createProgram([ENTRY], { strict: true, target: ts.ScriptTarget.ES2022, types: [] });
const checker = program.getTypeChecker();
const exported = new Map(
  checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(ENTRY))).map((symbol) => [symbol.name, symbol]),
);

/** The members that the declarations of the type name, those of its base apart. */
function declared(name) {
  assert.ok(exported.has(name), `${name} is declared`);
  return checker.getDeclaredTypeOfSymbol(exported.get(name)).getProperties()
    .filter(({ declarations }) => declarations?.some((declaration) => declaration.getSourceFile().fileName.startsWith(DIRECTORY)))
    .map((property) => property.name);
}

/** The members that the object has, and its classes up to the base. */
function members(object, base = Object.prototype) {
  const names = [];
  for (let at = object; at !== base && at !== null; at = Object.getPrototypeOf(at)) {
    names.push(...Object.getOwnPropertyNames(at));
  }
  return names.filter((name) => name !== "constructor");
}

function same(name, inCode, base = Object.prototype) {
  const unique = (names) => [...new Set(names)].filter((member) => !(member in base || /^\d+$/.test(member))).sort();
  assert.deepEqual(unique(declared(name)), unique(inCode), `${name}: what is declared, and what the code has`);
}

/** Compares the members that `use` reads of what it is given. */
async function reads(name, use, values = {}) {
  const read = [];
  const watched = new Proxy(values, {
    get: (target, member) => {
      if (typeof member === "string") {
        read.push(member);
      }
      return target[member];
    },
    ownKeys: () => declared(name),
    getOwnPropertyDescriptor: (target, member) => ({ value: target[member], enumerable: true, configurable: true }),
  });
  await use(watched);
  same(name, read);
}

// A service that has every socket and attaches every stream.

const address = { host: "127.0.0.1", port: 1 };
const attached = { type: "attached", sent: 0, received: 0 };
let socketJson = { id: "1", family: "AF_INET", type: "SOCK_STREAM", proto: "IPPROTO_TCP", localAddress: address, remoteAddress: address };

const answers = [
  [/\/accept$/, () => ({ socket: socketJson, address })],
  [/\/recvfrom$/, () => ({ data: "", address, flags: 0 })],
  [/./, () => socketJson],
];

async function answer(url) {
  const [, json] = answers.find(([pattern]) => pattern.test(url.pathname));
  return new Response(JSON.stringify(json()));
}

const webSockets = [];

class FakeWebSocket {
  readyState = 1;
  bufferedAmount = 0;

  constructor() {
    webSockets.push(this);
    setTimeout(() => this.onmessage?.({ data: JSON.stringify({ ...attached, socket: socketJson }) }));
  }

  send() {}

  close() {}
}

const proxy = new client.SocketProxy({ url: "http://127.0.0.1:1", WebSocket: FakeWebSocket, fetch: answer });
const { TCPSocket, UDPSocket, TCPServerSocket } = proxy;

// What is exported, and the members of what is given.

assert.deepEqual(
  [...exported.values()].filter((symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol).flags & ts.SymbolFlags.Value)
    .map((symbol) => symbol.name).sort(),
  Object.keys(client).sort(),
  "the exports",
);
same("Constants", Object.keys(client.constants));
same("SocketProxy", members(proxy, EventTarget.prototype), EventTarget.prototype);
same("SocketError", members(new client.SocketError({}), Error.prototype).filter((name) => name !== "stack"), Error.prototype);
for (const Class of [TCPSocket, UDPSocket, TCPServerSocket]) {
  same(Class.name, members(Class.prototype));
}

const tcp = await new TCPSocket("127.0.0.1", 1).opened;
same("TCPSocketOpenInfo", Object.keys(tcp));
const connection = proxy.connect("127.0.0.1:1");
same("Socket", members(connection));
same("SocketInfo", Object.keys(await connection.opened));
const bsd = await proxy.socket();
same("BsdSocket", members(bsd));
for (const [name, tuple] of [["Accepted", await bsd.accept()], ["Received", await bsd.recvfrom(1)], ["ReceivedInto", await bsd.recvfromInto(new Uint8Array(1))]]) {
  same(name, Object.keys(tuple), Array.prototype);
}

socketJson = { ...socketJson, remoteAddress: null };
same("TCPServerSocketOpenInfo", Object.keys(await new TCPServerSocket("127.0.0.1").opened));

socketJson = { ...socketJson, type: "SOCK_DGRAM", remoteAddress: address };
const udp = await new UDPSocket({ remoteAddress: "127.0.0.1", remotePort: 1 }).opened;
same("UDPSocketOpenInfo", Object.keys(udp));
const bound = await new UDPSocket({ localAddress: "127.0.0.1" }).opened;
webSockets.at(-1).onmessage({ data: Uint8Array.of(0, 0, 0, 1, 127, 0, 0, 1, 0, 1, 42).buffer });
same("ReceivedUDPMessage", Object.keys((await bound.readable.getReader().read()).value));

const refused = new client.SocketProxy({
  url: "http://127.0.0.1:1", WebSocket: FakeWebSocket, fetch: async () => new Response('{"errno": "ECONNREFUSED"}', { status: 502 }),
});
const exception = await new refused.TCPSocket("127.0.0.1", 1).opened.catch((error) => error);
same("SocketDOMException", Object.getOwnPropertyNames(exception).filter((name) => name !== "stack"), DOMException.prototype);

// What is read of options, and told to sinks.

await reads("SocketProxyOptions", (options) => new client.SocketProxy(options), { url: "http://127.0.0.1:1", WebSocket: FakeWebSocket, fetch: answer });
await reads("TCPSocketOptions", (options) => new TCPSocket("127.0.0.1", 1, options));
await reads("UDPSocketOptions", (options) => new UDPSocket(options), { localAddress: "127.0.0.1" });
await reads("TCPServerSocketOptions", (options) => new TCPServerSocket("127.0.0.1", options));
await reads("UDPMessage", (message) => bound.writable.getWriter().write(message), { data: Uint8Array.of(1), remoteAddress: "127.0.0.1", remotePort: 1 });
await reads("SocketOptions", (options) => proxy.connect("127.0.0.1:1", options));
await reads("TlsOptions", (options) => proxy.connect("127.0.0.1:1", { secureTransport: "starttls" }).startTls(options));
await reads("SocketAddress", (target) => proxy.connect(target), { hostname: "127.0.0.1", port: 1 });
await reads("WaitOptions", (options) => bsd.accept(options));
await reads("Address", (target) => bsd.bind(target));
await reads("RequestOptions", (options) => proxy.request("GET", "/sockets", options));
await reads("StreamSink", async (sink) => {
  const stream = proxy.stream("1", sink, { datagrams: true });
  same("HandleStream", members(stream));
  await stream.ready;
  const { onmessage, onclose } = webSockets.at(-1);
  onmessage({ data: new ArrayBuffer(1) });
  for (const type of ["eof", "accepted", "error"]) {
    onmessage({ data: JSON.stringify({ type }) });
  }
  onclose({ code: 1000, reason: "" });
  await stream.detach();
}, Object.fromEntries(declared("StreamSink").map((name) => [name, () => {}])));

const sources = await Promise.all(
  (await readdir(DIRECTORY)).filter((name) => name.endsWith(".js")).map((name) => readFile(path.join(DIRECTORY, name), "utf8")),
);
same("SocketProxyEvents", Array.from(sources.join("\n").matchAll(/\btell\('(\w+)'/g), ([, type]) => type));
process.exit();
