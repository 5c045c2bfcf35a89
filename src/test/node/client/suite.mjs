// What the browser client does, case by case. Runs in a page and in Node alike.
//
// A case gets `proxy`, `SocketProxy`, `SocketError`, `ports` of the targets, `control` over them, and `soon`, which waits for a condition.

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const bytes = (text) => encoder.encode(text);
const text = (data) => decoder.decode(data);

function show(value) {
  return value instanceof Error || value instanceof DOMException ? `${value.name}: ${value.message}` : JSON.stringify(value) ?? String(value);
}

function equal(actual, expected, what = "value") {
  if (show(actual) !== show(expected)) {
    throw new Error(`${what} is ${show(actual)}, expected ${show(expected)}`);
  }
}

function ok(condition, what) {
  if (!condition) {
    throw new Error(`not so: ${what}`);
  }
}

/** The error of a promise or a function, whose name or message has to be as expected. */
async function fails(attempt, { name, message = /./, errno } = {}) {
  let value;
  try {
    value = await (typeof attempt === "function" ? attempt() : attempt);
  } catch (error) {
    if (name) {
      equal(error.name, name, `the name of "${error.message}"`);
    }
    if (errno) {
      equal(error.errno, errno, `the errno of "${error.message}"`);
    }
    ok(message.test(error.message), `"${error.message}" matches ${message}`);
    return error;
  }
  throw new Error(`expected ${name ?? "a failure"}, got ${show(value)}`);
}

const type = (message) => ({ name: "TypeError", message });

async function readAll(readable) {
  const chunks = [];
  for (const reader = readable.getReader(); ; ) {
    const { value, done } = await reader.read();
    if (done) {
      reader.releaseLock();
      return new Uint8Array(await new Blob(chunks).arrayBuffer());
    }
    chunks.push(value);
  }
}

async function readText(reader, length) {
  let got = "";
  while (got.length < length) {
    const { value, done } = await reader.read();
    ok(!done, `${length} characters before the end; got "${got}"`);
    got += text(value);
  }
  return got;
}

async function sha256(data) {
  return Array.from(new Uint8Array(await crypto.subtle.digest("SHA-256", data)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Bytes that differ everywhere. */
function noise(count) {
  const words = new Uint32Array(Math.ceil(count / 4));
  for (let i = 0, state = 7; i < words.length; i++) {
    words[i] = state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  }
  return new Uint8Array(words.buffer, 0, count);
}

const MIB = 1024 * 1024;

/** Gets so many bytes from the source, reading with `read`, and checks them against its digest. */
async function download({ proxy, ports }, count, { readable, writable } = {}) {
  if (!readable) {
    ({ readable, writable } = await new proxy.TCPSocket("127.0.0.1", ports.source).opened);
  }
  const writer = writable.getWriter();
  await writer.write(bytes(String(count)));
  const all = await readAll(readable);
  equal(all.length, count + 32, "bytes");
  equal(await sha256(all.subarray(0, count)), Array.from(all.subarray(count), (byte) => byte.toString(16).padStart(2, "0")).join(""), "SHA-256");
  await writer.close();
}

/** Sends so many bytes in odd pieces and checks the digest that the target got. */
async function upload({ proxy, ports }, count) {
  const socket = new proxy.TCPSocket("127.0.0.1", ports.digest);
  const { readable, writable } = await socket.opened;
  const data = noise(count);
  const writer = writable.getWriter();
  const piece = new Uint8Array(100_003);
  for (let at = 0; at < count; at += piece.length) {
    const part = piece.subarray(0, Math.min(piece.length, count - at));
    part.set(data.subarray(at, at + part.length));
    await writer.write(part);
    piece.fill(0);
  }
  await writer.close();
  equal(text(await readAll(readable)), await sha256(data), "SHA-256");
  await socket.closed;
}

export const cases = {
  // --- TCPSocket: the constructor ---

  "TCPSocket wants two arguments and new": async ({ proxy: { TCPSocket } }) => {
    await fails(() => new TCPSocket(), type(/2 arguments required/));
    await fails(() => new TCPSocket("127.0.0.1"), type(/2 arguments required/));
    await fails(() => TCPSocket("127.0.0.1", 1), type(/new/));
  },

  "TCPSocket checks its options": async ({ proxy: { TCPSocket } }) => {
    const open = (options) => () => new TCPSocket("127.0.0.1", 1, options);
    await fails(open({ sendBufferSize: 0 }), type(/sendBufferSize/));
    await fails(open({ receiveBufferSize: 0 }), type(/receiveBufferSize/));
    await fails(open({ sendBufferSize: -1 }), type(/sendBufferSize/));
    await fails(open({ receiveBufferSize: 2 ** 32 }), type(/receiveBufferSize/));
    await fails(open({ receiveBufferSize: Infinity }), type(/receiveBufferSize/));
    await fails(open({ keepAliveDelay: 950 }), type(/keepAliveDelay must be no less than/));
    await fails(open({ dnsQueryType: "ipv5" }), type(/ipv5/));
    await fails(open("options"), type(/object/));
    await fails(() => new TCPSocket(Symbol("host"), 1), type(/symbol/i));
  },

  "TCPSocket looks like the platform's": async ({ proxy: { TCPSocket, UDPSocket, TCPServerSocket } }) => {
    for (const [Class, name, length] of [[TCPSocket, "TCPSocket", 2], [UDPSocket, "UDPSocket", 0], [TCPServerSocket, "TCPServerSocket", 1]]) {
      equal(Class.name, name, "name");
      equal(Class.length, length, `${name}.length`);
      equal(Object.prototype.toString.call(Class.prototype), `[object ${name}]`, "tag");
      equal(Object.keys(Class.prototype).sort(), ["close", "closed", "opened"], `${name}'s members`);
      await fails(Reflect.get(Class.prototype, "opened", {}), type(/./));
      await fails(Class.prototype.close.call({}), type(/./));
    }
  },

  // --- TCPSocket: open ---

  "TCPSocket opens, with four addresses": async ({ proxy: { TCPSocket }, ports }) => {
    const socket = new TCPSocket("127.0.0.1", ports.echo);
    const opened = socket.opened;
    ok(opened === socket.opened, "opened is always the same promise");
    ok(socket.closed === socket.closed, "closed is always the same promise");
    const { readable, writable, remoteAddress, remotePort, localAddress, localPort } = await opened;
    ok(readable instanceof ReadableStream && writable instanceof WritableStream, "streams");
    equal([remoteAddress, remotePort, localAddress], ["127.0.0.1", ports.echo, "127.0.0.1"], "addresses");
    ok(localPort > 0, "localPort");
    await socket.close();
  },

  "TCPSocket resolves names, by the wanted family": async ({ proxy: { TCPSocket }, ports }) => {
    const socket = new TCPSocket("localhost", ports.echo, { dnsQueryType: "ipv4" });
    equal((await socket.opened).remoteAddress, "127.0.0.1", "remoteAddress");
    await socket.close();
    await fails(new TCPSocket("127.0.0.1", ports.echo, { dnsQueryType: "ipv6" }).opened, { name: "NetworkError" });
  },

  "TCPSocket's options reach the kernel": async ({ proxy, ports }) => {
    const socket = new proxy.TCPSocket("127.0.0.1", ports.echo, {
      noDelay: true, keepAliveDelay: 100_000, sendBufferSize: 20_000, receiveBufferSize: 30_000,
    });
    await socket.opened;
    const id = await proxy.idOf(socket);
    const option = async (level, name) => (await proxy.request("GET", `/sockets/${id}/options/${level}/${name}`)).value;
    equal(await option("IPPROTO_TCP", "TCP_NODELAY"), 1, "TCP_NODELAY");
    equal(await option("SOL_SOCKET", "SO_KEEPALIVE"), 1, "SO_KEEPALIVE");
    equal(await option("IPPROTO_TCP", "TCP_KEEPIDLE"), 100, "TCP_KEEPIDLE");
    equal(await option("IPPROTO_TCP", "TCP_KEEPINTVL"), 100, "TCP_KEEPINTVL");
    // Linux doubles them, socket(7).
    equal(await option("SOL_SOCKET", "SO_SNDBUF"), 40_000, "SO_SNDBUF");
    equal(await option("SOL_SOCKET", "SO_RCVBUF"), 60_000, "SO_RCVBUF");
    await socket.close();
  },

  "a refused connect is a NetworkError of both promises": async ({ proxy: { TCPSocket } }) => {
    const socket = new TCPSocket("127.0.0.1", 1);
    const error = await fails(socket.opened, { name: "NetworkError", errno: "ECONNREFUSED" });
    ok(error instanceof DOMException && error.errnoCode === 111, "errnoCode");
    await fails(socket.closed, { name: "NetworkError", errno: "ECONNREFUSED" });
  },

  "an unknown name is a NetworkError": async ({ proxy: { TCPSocket } }) => {
    equal((await fails(new TCPSocket("no-such-name.invalid", 80).opened, { name: "NetworkError" })).gaiName?.slice(0, 4), "EAI_", "gaiName");
  },

  "what policy denies is an InvalidAccessError": async ({ proxy: { TCPSocket, UDPSocket } }) => {
    await fails(new TCPSocket("169.254.169.254", 80).opened, { name: "InvalidAccessError", errno: "EACCES" });
    await fails(new UDPSocket({ remoteAddress: "169.254.169.254", remotePort: 53 }).opened, { name: "InvalidAccessError", errno: "EACCES" });
  },

  "a wrong token is a NotAllowedError": async ({ SocketProxy, options, ports }) => {
    const { TCPSocket } = new SocketProxy({ ...options, token: "spx_this-is-not-the-token" });
    await fails(new TCPSocket("127.0.0.1", ports.echo).opened, { name: "NotAllowedError" });
  },

  "close before open is an InvalidStateError, and after a failed one": async ({ proxy: { TCPSocket } }) => {
    const socket = new TCPSocket("127.0.0.1", 1);
    await fails(socket.close(), { name: "InvalidStateError" });
    await fails(socket.opened);
    await fails(socket.close(), { name: "InvalidStateError" });
  },

  // --- TCPSocket: data ---

  "TCPSocket echoes": async ({ proxy: { TCPSocket }, ports }) => {
    const socket = new TCPSocket("127.0.0.1", ports.echo);
    const { readable, writable } = await socket.opened;
    const writer = writable.getWriter();
    const reader = readable.getReader();
    for (const chunk of [bytes("one "), bytes("two ").buffer, new DataView(bytes("three").buffer)]) {
      await writer.write(chunk);
    }
    equal(await readText(reader, 13), "one two three", "echo");
    writer.releaseLock();
    reader.releaseLock();
    await socket.close();
  },

  "TCPSocket reads into the caller's buffer": async ({ proxy: { TCPSocket }, ports }) => {
    const socket = new TCPSocket("127.0.0.1", ports.echo);
    const { readable, writable } = await socket.opened;
    const reader = readable.getReader({ mode: "byob" });
    ok(reader instanceof ReadableStreamBYOBReader, "a BYOB reader");
    const sent = noise(150_000);
    const writing = (async () => {
      const writer = writable.getWriter();
      for (let at = 0, size = 1; at < sent.length; at += size++) {
        await writer.write(sent.subarray(at, at + size));
      }
      await writer.close();
    })();
    let buffer = new ArrayBuffer(sent.length);
    let count = 0;
    while (count < sent.length) {
      const { value, done } = await reader.read(new Uint8Array(buffer, count));
      ok(!done && value.byteLength > 0, "data");
      count += value.byteLength;
      buffer = value.buffer;
    }
    equal(await sha256(buffer), await sha256(sent), "SHA-256");
    await writing;
    equal((await reader.read(new Uint8Array(8))).done, true, "done after the FIN");
    await socket.closed;
  },

  "small views get as much as they hold": async ({ proxy: { TCPSocket }, ports }) => {
    const { readable, writable } = await new TCPSocket("127.0.0.1", ports.echo).opened;
    const writer = writable.getWriter();
    await writer.write(bytes("0123456789"));
    const reader = readable.getReader({ mode: "byob" });
    equal(text((await reader.read(new Uint8Array(3))).value), "012", "three bytes");
    equal(text((await reader.read(new Uint8Array(4))).value), "3456", "four bytes");
    reader.releaseLock();
    const other = readable.getReader();
    equal(await readText(other, 3), "789", "the rest");
    await other.cancel();
    await writer.close();
  },

  "a chunk that is no BufferSource is a TypeError": async ({ proxy: { TCPSocket }, ports }) => {
    for (const chunk of ["text", 1, null, [1, 2], {}]) {
      const { writable, readable } = await new TCPSocket("127.0.0.1", ports.silent).opened;
      await fails(writable.getWriter().write(chunk), { name: "TypeError" });
      await readable.cancel();
    }
  },

  "a large chunk goes through whole": async ({ proxy, ports }) => {
    const { readable, writable } = await new proxy.TCPSocket("127.0.0.1", ports.digest).opened;
    const data = noise(3 * MIB + 1);
    const writer = writable.getWriter();
    await writer.write(data);
    await writer.close();
    equal(text(await readAll(readable)), await sha256(data), "SHA-256");
  },

  "what is changed after write was called is sent as it was": async ({ proxy: { TCPSocket }, ports }) => {
    const socket = new TCPSocket("127.0.0.1", ports.echo);
    const { readable, writable } = await socket.opened;
    const data = bytes("before");
    await writable.getWriter().write(data);
    data.fill(0);
    equal(await readText(readable.getReader(), 6), "before", "echo");
  },

  "64 MiB down arrive by SHA-256": (context) => download(context, 64 * MIB),

  "64 MiB up arrive by SHA-256": (context) => upload(context, 64 * MIB),

  // --- TCPSocket: ends ---

  "closing the writable is a FIN, and reading goes on": async ({ proxy: { TCPSocket }, ports }) => {
    const socket = new TCPSocket("127.0.0.1", ports.digest);
    const { readable, writable } = await socket.opened;
    const writer = writable.getWriter();
    await writer.write(bytes("abc"));
    await writer.close();
    equal(text(await readAll(readable)), await sha256(bytes("abc")), "the answer after the FIN");
    await socket.closed;
    equal(await socket.close(), undefined, "close");
  },

  "the peer's FIN ends the readable, and writing goes on": async ({ proxy: { TCPSocket }, ports, control }) => {
    const received = control("nextReceived");
    const socket = new TCPSocket("127.0.0.1", ports.halfClosing);
    const { readable, writable } = await socket.opened;
    equal(text(await readAll(readable)), "hello", "all before the FIN");
    const writer = writable.getWriter();
    await writer.write(bytes("and "));
    await writer.write(bytes("more"));
    await writer.close();
    equal(await received, "and more", "what the peer got after its FIN");
    await socket.closed;
  },

  "what has ended leaves no handle": async ({ proxy, ports, soon }) => {
    for (const port of [ports.hello, ports.reset, ports.echo]) {
      const socket = new proxy.TCPSocket("127.0.0.1", port);
      const { readable, writable } = await socket.opened;
      const writer = writable.getWriter();
      await writer.write(bytes("x")).catch(() => {});
      await Promise.allSettled([writer.close(), readAll(readable), socket.closed]);
    }
    const { TCPServerSocket, UDPSocket } = proxy;
    for (const socket of [new TCPServerSocket("127.0.0.1"), new UDPSocket({ localAddress: "127.0.0.1" })]) {
      await socket.opened;
      await socket.close();
    }
    await soon(async () => (await proxy.request("GET", "/sockets")).sockets.length === 0, "no handle");
  },

  "a reset is an error of both sides, and of closed": async ({ proxy: { TCPSocket }, ports }) => {
    const socket = new TCPSocket("127.0.0.1", ports.reset);
    const { readable, writable } = await socket.opened;
    const reader = readable.getReader();
    const writer = writable.getWriter();
    const reading = fails(reader.read(), { name: "NetworkError", errno: "ECONNRESET" });
    await writer.write(bytes("x"));
    await reading;
    await fails(writer.closed, { name: "NetworkError", errno: "ECONNRESET" });
    await fails(writer.write(bytes("_")), { name: "NetworkError", errno: "ECONNRESET" });
    await fails(socket.closed, { name: "NetworkError", errno: "ECONNRESET" });
    await fails(socket.close(), { name: "NetworkError" });
  },

  "what came before a reset is still read": async ({ proxy: { TCPSocket }, ports, soon }) => {
    const socket = new TCPSocket("127.0.0.1", ports.resetAfterData);
    const { readable, writable } = await socket.opened;
    const reader = readable.getReader();
    await readText(reader, 1);
    const writer = writable.getWriter();
    await writer.write(bytes("x"));
    await fails(writer.closed, { errno: "ECONNRESET" });
    await soon(() => reader.read().then(() => false, (error) => error.errno === "ECONNRESET"), "the reader's error");
  },

  "closed waits for both streams": async ({ proxy: { TCPSocket }, ports }) => {
    for (const ends of [
      async ({ readable, writable }) => [await readable.cancel(), await writable.close()],
      async ({ readable, writable }) => [await writable.close(), await readable.cancel()],
      async ({ readable, writable }) => [await writable.abort(), await readable.cancel()],
    ]) {
      const socket = new TCPSocket("127.0.0.1", ports.silent);
      let closed = false;
      socket.closed.then(() => (closed = true));
      const info = await socket.opened;
      ok(!closed, "open");
      await ends(info);
      await socket.closed;
    }
  },

  "closed resolves on the peer's FIN and the writer's close": async ({ proxy: { TCPSocket }, ports }) => {
    const socket = new TCPSocket("127.0.0.1", ports.hello);
    const { readable, writable } = await socket.opened;
    writable.getWriter().close();
    equal(text(await readAll(readable)), "hello", "data");
    equal(await socket.closed, undefined, "closed");
  },

  "close refuses while a stream is locked": async ({ proxy: { TCPSocket }, ports }) => {
    const socket = new TCPSocket("127.0.0.1", ports.echo);
    const { readable, writable } = await socket.opened;
    const reader = readable.getReader();
    await fails(socket.close(), { name: "InvalidStateError", message: /locked/ });
    reader.releaseLock();
    const writer = writable.getWriter();
    await fails(socket.close(), { name: "InvalidStateError", message: /locked/ });
    writer.releaseLock();
    equal(await socket.close(), undefined, "close");
    equal(await socket.closed, undefined, "closed");
    equal(await socket.close(), undefined, "close again");
    await fails(writable.getWriter().write(bytes("x")), { name: "AbortError", message: /Stream closed/ });
    equal((await readable.getReader().read()).done, true, "done");
  },

  "close ends the connection at the peer, and the handle": async ({ proxy, control, soon }) => {
    const listener = new proxy.TCPServerSocket("127.0.0.1");
    const { readable, localPort } = await listener.opened;
    const dialled = control("dial", localPort, "x");
    const { value: accepted } = await readable.getReader().read();
    await accepted.opened;
    const id = await proxy.idOf(accepted);
    await accepted.close();
    equal(await dialled.catch((error) => (error.message.includes("ECONNRESET") ? "" : String(error))), "", "what the peer got");
    await soon(() => proxy.request("GET", `/sockets/${id}`).then(() => false, (error) => error.errno === "EBADF"), "the handle's end");
  },

  "a writer's abort does not wait for a peer that does not read": async ({ proxy: { TCPSocket }, ports }) => {
    const socket = new TCPSocket("127.0.0.1", ports.gated);
    const { readable, writable } = await socket.opened;
    const writer = writable.getWriter();
    const writing = writer.write(noise(32 * MIB));
    const reason = new Error("enough");
    await Promise.all([writer.abort(reason), fails(writing, { message: /enough/ })]);
    await readable.cancel();
  },

  // --- backpressure ---

  "a page that does not read stops the target": async ({ proxy: { TCPSocket }, ports, control, soon }) => {
    const socket = new TCPSocket("127.0.0.1", ports.endless);
    const { readable } = await socket.opened;
    let before = -1;
    // Twice the same after a while: the target stands.
    await soon(async () => {
      const now = await control("written");
      const stands = now === before && now > 0;
      before = now;
      return stands;
    }, "the target stands", 300);
    ok(before < 48 * MIB, `the target wrote ${before} bytes`);
    const reader = readable.getReader();
    for (let count = 0; count < before + MIB; ) {
      count += (await reader.read()).value.length;
    }
    ok((await control("written")) > before, "it goes on");
    await reader.cancel();
  },

  "a target that does not read stops the writer": async ({ proxy: { TCPSocket }, ports, control, soon }) => {
    const socket = new TCPSocket("127.0.0.1", ports.gated);
    const { readable, writable } = await socket.opened;
    const writer = writable.getWriter();
    let written = 0;
    let stopped = false;
    const piece = new Uint8Array(64 * 1024);
    const writing = (async () => {
      while (!stopped) {
        await writer.write(piece);
        written += piece.length;
      }
      await writer.close();
    })();
    let before = -1;
    await soon(() => {
      const stands = written === before && written > 0;
      before = written;
      return stands;
    }, "the writer stands", 300);
    ok(written < 48 * MIB, `the page wrote ${written} bytes`);
    stopped = true;
    await control("openGate");
    await writing;
    equal(text(await readAll(readable)), String(written), "bytes at the target");
  },

  // --- the network ---

  "a download survives a network that is cut, and no reader notices": async (context) => {
    const { proxy, control } = context;
    let reconnects = 0;
    let disconnects = 0;
    const count = () => reconnects++;
    proxy.addEventListener("reconnect", count);
    proxy.addEventListener("disconnect", () => disconnects++, { once: true });
    const cutting = setInterval(() => control("cut"), 150);
    try {
      await download(context, 24 * MIB);
    } finally {
      clearInterval(cutting);
      proxy.removeEventListener("reconnect", count);
    }
    ok(reconnects > 0 && disconnects > 0, `${reconnects} reconnects`);
  },

  "an upload survives a network that is cut, and no writer notices": async (context) => {
    let reconnects = 0;
    const count = ({ detail }) => {
      ok(typeof detail.socket === "string" && detail.attempts >= 1 && detail.downMs >= 0, show(detail));
      reconnects++;
    };
    context.proxy.addEventListener("reconnect", count);
    const cutting = setInterval(() => context.control("cut"), 150);
    try {
      await upload(context, 24 * MIB);
    } finally {
      clearInterval(cutting);
      context.proxy.removeEventListener("reconnect", count);
    }
    ok(reconnects > 0, "a reconnect");
  },

  "an idle socket and a listener survive an outage": async ({ proxy, ports, control }) => {
    const socket = new proxy.TCPSocket("127.0.0.1", ports.echo);
    const { readable, writable } = await socket.opened;
    const listener = new proxy.TCPServerSocket("127.0.0.1");
    const { readable: connections, localPort } = await listener.opened;
    let back = 0;
    const both = new Promise((resolve) => proxy.addEventListener("reconnect", function listen() {
      if (++back === 2) {
        proxy.removeEventListener("reconnect", listen);
        resolve();
      }
    }));
    await control("outage", 700);
    const writer = writable.getWriter();
    const reader = readable.getReader();
    await writer.write(bytes("still "));
    await writer.write(bytes("there"));
    equal(await readText(reader, 11), "still there", "echo");
    await both;
    const dialled = control("dial", localPort, "hi");
    const accepting = connections.getReader();
    const { value: accepted } = await accepting.read();
    const streams = await accepted.opened;
    equal(text(await readAll(streams.readable)), "hi", "from outside");
    await streams.writable.close();
    equal(await dialled, "", "to outside");
    accepting.releaseLock();
    await listener.close();
    await writer.close();
    await reader.cancel();
  },

  "reconnect() takes every socket to a new WebSocket": async ({ proxy, ports }) => {
    const socket = new proxy.TCPSocket("127.0.0.1", ports.echo);
    const { readable, writable } = await socket.opened;
    const back = new Promise((resolve) => proxy.addEventListener("reconnect", resolve, { once: true }));
    proxy.reconnect();
    await back;
    const writer = writable.getWriter();
    await writer.write(bytes("x"));
    equal(await readText(readable.getReader(), 1), "x", "echo");
    await writer.close();
  },

  "a handle that is closed on the service ends the streams": async ({ proxy, ports }) => {
    const socket = new proxy.TCPSocket("127.0.0.1", ports.echo);
    const { readable, writable } = await socket.opened;
    const writer = writable.getWriter();
    await proxy.request("DELETE", `/sockets/${await proxy.idOf(socket)}`);
    await fails(writer.closed, { name: "NetworkError" });
    equal((await readable.getReader().read()).done, true, "done");
    await fails(socket.closed, { name: "NetworkError" });
  },

  // --- TCPServerSocket ---

  "TCPServerSocket checks its arguments": async ({ proxy: { TCPServerSocket } }) => {
    await fails(() => new TCPServerSocket(), type(/1 argument required/));
    await fails(() => new TCPServerSocket("direct-sockets.example"), type(/localAddress must be a valid IP address/));
    await fails(() => new TCPServerSocket("127.0.0.1", { localPort: 0 }), type(/localPort must be greater than zero/));
    await fails(() => new TCPServerSocket("127.0.0.1", { localPort: 65_536 }), type(/localPort/));
    await fails(() => new TCPServerSocket("127.0.0.1", { backlog: 0 }), type(/backlog must be greater than zero/));
    await fails(() => new TCPServerSocket("127.0.0.1", { ipv6Only: true }), type(/ipv6Only can only be specified when localAddress is \[::\]/));
  },

  "TCPServerSocket accepts TCPSockets": async ({ proxy: { TCPServerSocket, TCPSocket } }) => {
    const server = new TCPServerSocket("127.0.0.1", { backlog: 5 });
    const { readable, localAddress, localPort } = await server.opened;
    equal(localAddress, "127.0.0.1", "localAddress");
    const client = new TCPSocket("127.0.0.1", localPort);
    const reader = readable.getReader();
    const { value: accepted, done } = await reader.read();
    ok(!done && accepted instanceof TCPSocket, "a TCPSocket");
    const mine = await client.opened;
    const theirs = await accepted.opened;
    equal([theirs.remoteAddress, theirs.remotePort, theirs.localPort], [mine.localAddress, mine.localPort, localPort], "addresses");
    const writer = theirs.writable.getWriter();
    await writer.write(bytes("from the page"));
    writer.releaseLock();
    const input = mine.readable.getReader();
    equal(await readText(input, 13), "from the page", "data");
    input.releaseLock();
    await client.close();
    await accepted.close();
    await fails(server.close(), { name: "InvalidStateError", message: /locked/ });
    reader.releaseLock();
    equal(await server.close(), undefined, "close");
    equal(await server.closed, undefined, "closed");
  },

  "a listener is reached from outside": async ({ proxy: { TCPServerSocket }, control }) => {
    const server = new TCPServerSocket("127.0.0.1");
    const { readable, localPort } = await server.opened;
    const dialled = Promise.all(["a", "b", "c"].map((name) => control("dial", localPort, name)));
    const reader = readable.getReader();
    for (let i = 0; i < 3; i++) {
      const { value: accepted } = await reader.read();
      const streams = await accepted.opened;
      const writer = streams.writable.getWriter();
      await writer.write(bytes(`hello ${text(await readAll(streams.readable))}`));
      await writer.close();
    }
    equal((await dialled).sort(), ["hello a", "hello b", "hello c"], "answers");
    await reader.cancel();
    await server.closed;
  },

  "TCPServerSocket's cancel refuses new connections": async ({ proxy: { TCPServerSocket }, control, soon }) => {
    const server = new TCPServerSocket("127.0.0.1");
    const { readable, localPort } = await server.opened;
    const reader = readable.getReader();
    const pending = reader.read();
    await reader.cancel();
    equal((await pending).done, true, "done");
    await server.closed;
    await soon(() => control("dial", localPort, "").then(() => false, () => true), "refused");
  },

  "an address that is taken is a NetworkError": async ({ proxy: { TCPServerSocket } }) => {
    const server = new TCPServerSocket("127.0.0.1");
    const { localPort } = await server.opened;
    const second = new TCPServerSocket("127.0.0.1", { localPort });
    await fails(second.opened, { name: "NetworkError", errno: "EADDRINUSE" });
    await fails(second.closed, { name: "NetworkError" });
    await server.close();
  },

  "ipv6Only tells the families apart": async ({ proxy: { TCPServerSocket, TCPSocket }, ipv6 }) => {
    if (!ipv6) {
      return;
    }
    const reached = async (ipv6Only, address) => {
      const server = new TCPServerSocket("::", { ipv6Only });
      const { localPort } = await server.opened;
      const client = new TCPSocket(address, localPort);
      const opened = await client.opened.then(() => true, () => false);
      await server.close();
      return opened;
    };
    equal(await reached(false, "127.0.0.1"), true, "IPv4 with ipv6Only false");
    equal(await reached(true, "127.0.0.1"), false, "IPv4 with ipv6Only true");
    equal(await reached(true, "::1"), true, "IPv6 with ipv6Only true");
  },

  // --- UDPSocket ---

  "UDPSocket checks its options": async ({ proxy: { UDPSocket } }) => {
    const open = (options) => () => new UDPSocket(options);
    await fails(open(), type(/neither remoteAddress nor localAddress specified/));
    await fails(open({}), type(/neither remoteAddress nor localAddress specified/));
    await fails(open({ remoteAddress: "127.0.0.1" }), type(/remoteAddress and remotePort should either/));
    await fails(open({ remotePort: 228 }), type(/remoteAddress and remotePort should either/));
    await fails(open({ remoteAddress: "127.0.0.1", remotePort: 65_536 }), type(/remotePort/));
    await fails(
      open({ remoteAddress: "127.0.0.1", remotePort: 228, localAddress: "127.0.0.1" }),
      type(/remoteAddress and localAddress cannot be specified at the same time/),
    );
    await fails(open({ localAddress: "direct-sockets.example" }), type(/localAddress must be a valid IP address/));
    await fails(open({ localPort: 228 }), type(/localPort cannot be specified without localAddress/));
    await fails(open({ localAddress: "127.0.0.1", localPort: 0 }), type(/localPort must be greater than zero/));
    await fails(open({ localAddress: "127.0.0.1", dnsQueryType: "ipv4" }), type(/dnsQueryType is only relevant when remoteAddress is specified/));
    await fails(open({ localAddress: "127.0.0.1", ipv6Only: true }), type(/ipv6Only can only be specified when localAddress is \[::\]/));
    await fails(open({ remoteAddress: "127.0.0.1", remotePort: 1, ipv6Only: true }), type(/ipv6Only/));
    await fails(open({ localAddress: "127.0.0.1", sendBufferSize: 0 }), type(/sendBufferSize/));
    await fails(open({ remoteAddress: "127.0.0.1", remotePort: 1, receiveBufferSize: 0 }), type(/receiveBufferSize/));
  },

  "port 0 takes no datagrams": async ({ proxy: { UDPSocket } }) => {
    await fails(new UDPSocket({ remoteAddress: "127.0.0.1", remotePort: 0 }).opened, { name: "NetworkError" });
  },

  "connected UDP echoes messages without addresses": async ({ proxy: { UDPSocket }, ports }) => {
    const socket = new UDPSocket({ remoteAddress: "127.0.0.1", remotePort: ports.udpEcho });
    const { readable, writable, remoteAddress, remotePort, localAddress, localPort } = await socket.opened;
    equal([remoteAddress, remotePort, localAddress], ["127.0.0.1", ports.udpEcho, "127.0.0.1"], "addresses");
    ok(localPort > 0, "localPort");
    const writer = writable.getWriter();
    const reader = readable.getReader();
    for (let size = 1; size <= 35; size++) {
      await writer.write({ data: new Uint8Array(size).fill(size) });
      const { value, done } = await reader.read();
      ok(!done && value.data instanceof Uint8Array, "a message");
      equal([value.data.length, value.data[0], value.remoteAddress, value.remotePort], [size, size, undefined, undefined], "message");
    }
    writer.releaseLock();
    reader.releaseLock();
    await socket.close();
    await socket.closed;
  },

  "bound UDP answers whoever writes": async ({ proxy: { UDPSocket }, control }) => {
    const server = new UDPSocket({ localAddress: "127.0.0.1" });
    const { readable, writable, localAddress, localPort, remoteAddress, remotePort } = await server.opened;
    equal([localAddress, remoteAddress, remotePort], ["127.0.0.1", undefined, undefined], "addresses");
    const client = new UDPSocket({ remoteAddress: "127.0.0.1", remotePort: localPort });
    const mine = await client.opened;
    await mine.writable.getWriter().write({ data: bytes("ping") });
    const reader = readable.getReader();
    const { value } = await reader.read();
    equal([text(value.data), value.remoteAddress, value.remotePort], ["ping", mine.localAddress, mine.localPort], "message");
    const writer = writable.getWriter();
    await writer.write({ data: bytes("pong"), remoteAddress: value.remoteAddress, remotePort: value.remotePort });
    equal(text((await mine.readable.getReader().read()).value.data), "pong", "answer");
    const outside = control("sendDatagram", localPort, "hi");
    const { value: other } = await reader.read();
    await writer.write({ ...other, data: bytes(`got ${text(other.data)}`) });
    equal(await outside, "got hi", "answer outside");
  },

  "bound UDP resolves names": async ({ proxy: { UDPSocket }, ports }) => {
    const { readable, writable } = await new UDPSocket({ localAddress: "127.0.0.1" }).opened;
    const writer = writable.getWriter();
    const reader = readable.getReader();
    await writer.write({ data: bytes("by name"), remoteAddress: "localhost", remotePort: ports.udpEcho, dnsQueryType: "ipv4" });
    const { value } = await reader.read();
    equal([text(value.data), value.remoteAddress, value.remotePort], ["by name", "127.0.0.1", ports.udpEcho], "echo");
    await writer.write({ data: bytes("again"), remoteAddress: "localhost", remotePort: ports.udpEcho });
    equal(text((await reader.read()).value.data), "again", "echo");
  },

  "UDP over IPv6": async ({ proxy: { UDPSocket }, ipv6 }) => {
    if (!ipv6) {
      return;
    }
    const a = new UDPSocket({ localAddress: "::1" });
    const { readable, localAddress, localPort } = await a.opened;
    equal(localAddress, "::1", "localAddress");
    const b = new UDPSocket({ localAddress: "::1" });
    await (await b.opened).writable.getWriter().write({ data: bytes("six"), remoteAddress: "0:0:0:0:0:0:0:1", remotePort: localPort });
    const { value } = await readable.getReader().read();
    equal([text(value.data), value.remoteAddress, value.remotePort], ["six", "::1", (await b.opened).localPort], "message");
  },

  "UDPMessage is checked": async ({ proxy: { UDPSocket }, ports }) => {
    const bound = { localAddress: "127.0.0.1" };
    const connected = { remoteAddress: "127.0.0.1", remotePort: ports.udpEcho };
    const data = bytes("meow");
    for (const [options, message, expected] of [
      [bound, {}, /UDPMessage: missing 'data' field/],
      [bound, { data, remoteAddress: "127.0.0.1" }, /UDPMessage: either none or both 'remoteAddress' and 'remotePort'/],
      [bound, { data, remotePort: 53 }, /UDPMessage: either none or both 'remoteAddress' and 'remotePort'/],
      [bound, { data }, /UDPMessage: 'remoteAddress' and 'remotePort' must be specified in 'bound'/],
      [bound, { data, ...connected, dnsQueryType: "both" }, /both/],
      [connected, { data, ...connected }, /UDPMessage: 'remoteAddress' and 'remotePort' must not be specified in 'connected'/],
      [connected, { data, dnsQueryType: "ipv4" }, /UDPMessage: 'dnsQueryType' must not be specified in 'connected'/],
      [connected, { data: new Uint8Array(0) }, /UDPMessage: 'data' field must not be empty/],
      [connected, { data: "text" }, /data/],
      [connected, "text", /UDPMessage/],
    ]) {
      const { writable } = await new UDPSocket(options).opened;
      await fails(writable.getWriter().write(message), type(expected));
    }
  },

  "a datagram that is too long is a NetworkError": async ({ proxy: { UDPSocket }, ports }) => {
    const { writable } = await new UDPSocket({ remoteAddress: "127.0.0.1", remotePort: ports.udpEcho }).opened;
    await fails(writable.getWriter().write({ data: new Uint8Array(65_508) }), { name: "NetworkError", errno: "EMSGSIZE" });
  },

  "a datagram that policy denies is a NetworkError of the writer": async ({ proxy: { UDPSocket }, soon }) => {
    const { writable } = await new UDPSocket({ localAddress: "127.0.0.1" }).opened;
    const writer = writable.getWriter();
    await writer.write({ data: bytes("x"), remoteAddress: "169.254.169.254", remotePort: 53 });
    await fails(writer.closed, { name: "NetworkError", errno: "EACCES" });
    await soon(() => writer.write({ data: bytes("x"), remoteAddress: "127.0.0.1", remotePort: 1 }).then(() => false, () => true), "no more");
  },

  "UDPSocket's close rules are TCPSocket's": async ({ proxy: { UDPSocket }, ports }) => {
    const options = { remoteAddress: "127.0.0.1", remotePort: ports.udpEcho };
    const socket = new UDPSocket(options);
    await fails(socket.close(), { name: "InvalidStateError" });
    const { readable, writable } = await socket.opened;
    const reader = readable.getReader();
    await fails(socket.close(), { name: "InvalidStateError", message: /locked/ });
    reader.releaseLock();
    await socket.close();
    await socket.closed;
    await fails(writable.getWriter().write({ data: bytes("x") }), { name: "AbortError", message: /Stream closed/ });
    equal((await readable.getReader().read()).done, true, "done");

    const other = new UDPSocket(options);
    const streams = await other.opened;
    const otherReader = streams.readable.getReader();
    const pending = otherReader.read();
    await otherReader.cancel();
    equal((await pending).done, true, "done after cancel");
    await streams.writable.getWriter().abort();
    await other.closed;
  },

  "UDP survives an outage": async ({ proxy, ports, control }) => {
    const socket = new proxy.UDPSocket({ remoteAddress: "127.0.0.1", remotePort: ports.udpEcho });
    const { readable, writable } = await socket.opened;
    const back = new Promise((resolve) => proxy.addEventListener("reconnect", resolve, { once: true }));
    await control("outage", 300);
    await back;
    await writable.getWriter().write({ data: bytes("still there") });
    equal(text((await readable.getReader().read()).value.data), "still there", "echo");
  },

  // --- what else a page can observe: as the draft has it, and Chromium's own tests of it ---

  "the interfaces are those of Web IDL": async ({ proxy: { TCPSocket, UDPSocket, TCPServerSocket }, ports }) => {
    for (const Class of [TCPSocket, UDPSocket, TCPServerSocket]) {
      for (const name of ["opened", "closed"]) {
        const { get, set, enumerable, configurable } = Object.getOwnPropertyDescriptor(Class.prototype, name);
        equal([get.name, set, enumerable, configurable], [`get ${name}`, undefined, true, true], `${Class.name}.${name}`);
      }
      const { value, writable, enumerable, configurable } = Object.getOwnPropertyDescriptor(Class.prototype, "close");
      equal([value.name, value.length, writable, enumerable, configurable], ["close", 0, true, true, true], `${Class.name}.close`);
      equal(Object.getOwnPropertyDescriptor(Class, "prototype").writable, false, `${Class.name}.prototype`);
      await fails(Class.prototype.close.call(new (class {})()), type(/./));
    }
    class Mine extends TCPSocket {}
    const mine = new Mine("127.0.0.1", ports.echo);
    ok(mine instanceof Mine && mine instanceof TCPSocket && !(mine instanceof UDPSocket), "instanceof");
    equal([String(mine), Object.keys(mine)], ["[object TCPSocket]", []], "the object");
    await fails(Reflect.get(UDPSocket.prototype, "opened", mine), type(/UDPSocket/));
    await mine.opened;
    await mine.close();
  },

  "opened has the members that the draft names, and no others": async ({ proxy: { TCPSocket, UDPSocket, TCPServerSocket }, ports }) => {
    const local = ["localAddress", "localPort", "readable"];
    const remote = ["remoteAddress", "remotePort"];
    const server = new TCPServerSocket("127.0.0.1");
    const { readable: connections, localPort } = await server.opened;
    const accepting = connections.getReader();
    for (const [socket, members] of [
      [new TCPSocket("127.0.0.1", localPort), [...local, ...remote, "writable"]],
      [(await accepting.read()).value, [...local, ...remote, "writable"]],
      [new UDPSocket({ remoteAddress: "127.0.0.1", remotePort: ports.udpEcho }), [...local, ...remote, "writable"]],
      [new UDPSocket({ localAddress: "127.0.0.1" }), [...local, "writable"]],
      [server, local],
    ]) {
      equal(Object.keys(await socket.opened), members, `the members for ${socket}`);
      if (socket === server) {
        accepting.releaseLock();
      }
      ok(socket.close() === socket.closed, "close gives closed");
      equal(await socket.closed, undefined, "closed");
    }
    await fails(() => connections.getReader({ mode: "byob" }), type(/./));
  },

  "arguments are converted as Web IDL has it": async ({ proxy: { TCPSocket, UDPSocket, TCPServerSocket }, ports }) => {
    const numeric = (value) => ({ valueOf: () => value });
    for (const [host, port, options] of [
      ["127.0.0.1", ports.echo + 65_536, null],
      ["127.0.0.1", `${ports.echo}`, undefined],
      [{ toString: () => "127.0.0.1" }, ports.echo + 0.9, { noDelay: "yes", keepAliveDelay: "1000", sendBufferSize: 20_000.7 }],
      ["127.0.0.1", numeric(ports.echo), () => {}],
      ["127.0.0.1", ports.echo - 65_536, { dnsQueryType: undefined, receiveBufferSize: undefined, surprise: 1 }],
    ]) {
      const socket = new TCPSocket(host, port, options);
      equal((await socket.opened).remotePort, ports.echo, "remotePort");
      await socket.close();
    }
    for (const attempt of [
      () => new TCPSocket("127.0.0.1", 1n),
      () => new TCPSocket("127.0.0.1", Symbol("port")),
      () => new TCPSocket("127.0.0.1", 1, 5),
      () => new TCPSocket("127.0.0.1", 1, { keepAliveDelay: 999.9 }),
      () => new TCPSocket("127.0.0.1", 1, { keepAliveDelay: NaN }),
      () => new TCPSocket("127.0.0.1", 1, { dnsQueryType: "IPv4" }),
      () => new TCPSocket("127.0.0.1", 1, { dnsQueryType: null }),
      () => new UDPSocket({ localAddress: "127.0.0.1", localPort: "port" }),
      () => new UDPSocket({ localAddress: "127.0.0.1", localPort: -1 }),
      () => new UDPSocket({ localAddress: null }),
      () => new UDPSocket("127.0.0.1", 1),
      () => new TCPServerSocket("127.0.0.1", { backlog: -1 }),
      () => new TCPServerSocket("127.0.0.1", { backlog: 2 ** 32 }),
      () => new TCPServerSocket(undefined),
      () => new TCPServerSocket("127.0.0.1:80"),
      () => UDPSocket({ localAddress: "127.0.0.1" }),
      () => TCPServerSocket("127.0.0.1"),
    ]) {
      await fails(attempt, type(/./));
    }
    const order = [];
    const watched = new Proxy({}, { get: (_, name) => void order.push(name) });
    await new TCPSocket("127.0.0.1", ports.echo, watched).opened;
    equal(order, ["dnsQueryType", "keepAliveDelay", "noDelay", "receiveBufferSize", "sendBufferSize"], "members are read once, in order");
  },

  "what cannot be connected to is a NetworkError": async ({ proxy: { TCPSocket, UDPSocket, TCPServerSocket } }) => {
    for (const socket of [
      new TCPSocket("127.0.0.1", 0),
      new TCPSocket("", 80),
      new TCPSocket("not a host", 80),
      new UDPSocket({ remoteAddress: "no-such-name.invalid", remotePort: 53 }),
      new UDPSocket({ remoteAddress: "127.0.0.1", remotePort: 53, dnsQueryType: "ipv6" }),
      new UDPSocket({ localAddress: "192.0.2.1" }),
      new TCPServerSocket("192.0.2.1"),
    ]) {
      const error = await socket.opened.then(() => ok(false, `${socket} opened`), (failure) => failure);
      ok(error instanceof DOMException && ["NetworkError", "InvalidAccessError"].includes(error.name), show(error));
      equal(await socket.closed.catch((failure) => failure) === error, true, "closed rejects with the same");
      await fails(socket.close(), { name: "InvalidStateError" });
    }
  },

  "a failure that nobody asks about is reported to nobody": async ({ proxy: { TCPSocket, UDPSocket, TCPServerSocket }, ports, control, soon }) => {
    const reported = [];
    const report = (event) => reported.push(event.reason ?? event);
    globalThis.addEventListener?.("unhandledrejection", report);
    globalThis.process?.on?.("unhandledRejection", report);
    const refused = [new TCPSocket("127.0.0.1", 1), new UDPSocket({ remoteAddress: "127.0.0.1", remotePort: 0 }), new TCPServerSocket("192.0.2.1")];
    const reset = new TCPSocket("127.0.0.1", ports.held);
    const { writable } = await reset.opened;
    control("held", "resetAndDestroy");
    await Promise.allSettled([reset, ...refused].map((socket) => socket.closed));
    await soon(() => writable.getWriter().closed.then(() => false, () => true), "the writable's error");
    await new Promise((resolve) => setTimeout(resolve, 50));
    globalThis.removeEventListener?.("unhandledrejection", report);
    globalThis.process?.off?.("unhandledRejection", report);
    equal(reported.map(show), [], "reported");
  },

  "a pending read and a pending write reject when the connection breaks": async ({ proxy: { TCPSocket }, ports, control }) => {
    for (const mode of [undefined, "byob"]) {
      const socket = new TCPSocket("127.0.0.1", ports.held);
      const { readable, writable } = await socket.opened;
      const reader = readable.getReader({ mode });
      const writer = writable.getWriter();
      const reading = fails(mode ? reader.read(new Uint8Array(10)) : reader.read(), { name: "NetworkError", message: /^Stream aborted by the remote: / });
      // Its kernel's buffers and the service's hold less.
      const writing = fails(writer.write(noise(48 * MIB)), { name: "NetworkError", message: /^Stream aborted by the remote: / });
      const queued = fails(writer.write(bytes("never sent")), { name: "NetworkError" });
      control("held", "resetAndDestroy");
      await Promise.all([reading, writing, queued]);
      await fails(reader.closed, { name: "NetworkError" });
      await fails(writer.closed, { name: "NetworkError" });
      await fails(socket.closed, { name: "NetworkError", errno: "ECONNRESET" });
    }
  },

  "closed rejects when the connection breaks, though the streams are locked and nobody reads": async ({ proxy: { TCPSocket }, ports, control }) => {
    const socket = new TCPSocket("127.0.0.1", ports.held);
    const { readable, writable } = await socket.opened;
    readable.getReader();
    writable.getWriter();
    control("held", "resetAndDestroy");
    await fails(socket.closed, { name: "NetworkError" });
  },

  "closed resolves on the peer's FIN and the writer's close, though nobody reads": async ({ proxy: { TCPSocket }, ports, control }) => {
    const socket = new TCPSocket("127.0.0.1", ports.held);
    const { readable, writable } = await socket.opened;
    const reader = readable.getReader();
    const writer = writable.getWriter();
    control("held", "end");
    await reader.closed;
    await writer.close();
    equal(await socket.closed, undefined, "closed");
    equal((await reader.read()).done, true, "done");
  },

  "closed resolves on the reader's cancel and the writer's close, at once": async ({ proxy: { TCPSocket }, ports }) => {
    const socket = new TCPSocket("127.0.0.1", ports.silent);
    const { readable, writable } = await socket.opened;
    readable.getReader().cancel();
    writable.getWriter().close();
    equal(await socket.closed, undefined, "closed");
  },

  "a read that waits ends with the peer's FIN": async ({ proxy: { TCPSocket }, ports, control }) => {
    for (const mode of [undefined, "byob"]) {
      const socket = new TCPSocket("127.0.0.1", ports.held);
      const { readable } = await socket.opened;
      const reader = readable.getReader({ mode });
      const reading = mode ? reader.read(new Uint8Array(10)) : reader.read();
      control("held", "end");
      const { value, done } = await reading;
      equal([value?.length, done], [mode ? 0 : undefined, true], "the end");
    }
  },

  "a read that is let go of loses no byte": async ({ proxy: { TCPSocket }, ports, control }) => {
    for (const mode of [undefined, "byob"]) {
      const { readable } = await new TCPSocket("127.0.0.1", ports.held).opened;
      const first = readable.getReader({ mode });
      const reading = fails(mode ? first.read(new Uint8Array(4)) : first.read(), type(/./));
      first.releaseLock();
      await reading;
      const second = readable.getReader(mode ? undefined : { mode: "byob" });
      const next = mode ? second.read() : second.read(new Uint8Array(20));
      control("held", "end", "nothing is lost");
      let got = text((await next).value);
      second.releaseLock();
      got += text(await readAll(readable));
      equal(got, "nothing is lost", `what was read after a ${mode ?? "default"} reader`);
    }
  },

  "wider views get whole elements": async ({ proxy: { TCPSocket }, ports, control }) => {
    const { readable } = await new TCPSocket("127.0.0.1", ports.held).opened;
    const reader = readable.getReader({ mode: "byob" });
    control("held", "write", "a");
    const reading = reader.read(new Uint16Array(4));
    await control("held", "write", "bc");
    const { value } = await reading;
    ok(value instanceof Uint16Array && value.length === 1, "one element");
    equal(text(new Uint8Array(value.buffer, 0, 2)), "ab", "its bytes");
    const cut = fails(reader.read(new Uint16Array(4)), type(/./));
    control("held", "end");
    await cut;
  },

  "what may be written": async ({ proxy: { TCPSocket }, ports }) => {
    const socket = new TCPSocket("127.0.0.1", ports.digest);
    const { readable, writable } = await socket.opened;
    const writer = writable.getWriter();
    const detached = new Uint8Array(8);
    structuredClone(detached.buffer, { transfer: [detached.buffer] });
    for (const chunk of [new Uint8Array(0), new ArrayBuffer(0), detached, detached.buffer]) {
      equal(await writer.write(chunk), undefined, "an empty chunk");
    }
    const all = noise(64);
    writer.write(new DataView(all.buffer, 0, 8));
    writer.write(new Float64Array(all.buffer, 8, 1));
    writer.write(new Uint8Array(all.buffer, 16, 3));
    writer.write(all.buffer.slice(19));
    // None of it is waited for, and none of it is lost.
    await writer.close();
    equal(text(await readAll(readable)), await sha256(all), "SHA-256");
    await socket.closed;
    if (globalThis.SharedArrayBuffer) {
      const { writable: other } = await new TCPSocket("127.0.0.1", ports.silent).opened;
      await fails(other.getWriter().write(new Uint8Array(new SharedArrayBuffer(1))), type(/./));
    }
  },

  "a chunk of the wrong kind breaks the writable alone": async ({ proxy: { TCPSocket }, ports, control }) => {
    const socket = new TCPSocket("127.0.0.1", ports.held);
    const { readable, writable } = await socket.opened;
    const writer = writable.getWriter();
    const wrong = await fails(writer.write("text"), type(/./));
    equal(await writer.closed.catch((error) => error) === wrong, true, "the writer's error");
    control("held", "end", "still read");
    equal(text(await readAll(readable)), "still read", "data");
    await fails(socket.closed, type(/./));
  },

  "an abort rejects what was not sent, with its reason": async ({ proxy: { TCPSocket }, ports }) => {
    const socket = new TCPSocket("127.0.0.1", ports.held);
    const { readable, writable } = await socket.opened;
    const writer = writable.getWriter();
    const writes = [writer.write(noise(48 * MIB)), writer.write(bytes("x")), writer.close()];
    const reason = { why: "enough" };
    await writer.abort(reason);
    for (const write of [...writes, writer.closed]) {
      equal(await write.catch((error) => error) === reason, true, "the reason");
    }
    equal(await readable.cancel("any reason"), undefined, "cancel");
  },

  "pipes, tees and loops are those of any stream": async ({ proxy: { TCPSocket, TCPServerSocket }, ports, control }) => {
    const server = new TCPServerSocket("127.0.0.1");
    const { readable: connections, localPort } = await server.opened;
    const serving = (async () => {
      const served = [];
      for await (const connection of connections) {
        const { readable, writable } = await connection.opened;
        served.push(readable.pipeTo(writable).then(() => connection.closed));
        if (served.length === 2) {
          break;
        }
      }
      await Promise.all(served);
    })();
    const answers = await Promise.all(["one", "two"].map((name) => control("dial", localPort, name)));
    equal(answers, ["one", "two"], "echoes");
    await serving;
    await server.closed;

    const { readable, writable } = await new TCPSocket("127.0.0.1", ports.hello).opened;
    const [left, right] = readable.tee();
    equal([text(await readAll(left)), text(await readAll(right))], ["hello", "hello"], "both branches");
    let upper = "";
    const loud = new TransformStream({ transform: (chunk, controller) => controller.enqueue(bytes(text(chunk).toUpperCase())) });
    const { readable: echo, writable: toEcho } = await new TCPSocket("127.0.0.1", ports.echo).opened;
    new Blob(["quiet"]).stream().pipeThrough(loud).pipeTo(toEcho);
    for await (const chunk of echo) {
      upper += text(chunk);
    }
    equal(upper, "QUIET", "through a transform");
    await writable.close();
  },

  "a socket that is closed with unread data is closed": async ({ proxy, ports, control, soon }) => {
    const socket = new proxy.TCPSocket("127.0.0.1", ports.held);
    await socket.opened;
    await control("held", "write", "x".repeat(100_000));
    equal(await socket.close(), undefined, "close");
    await soon(async () => (await proxy.request("GET", "/sockets")).sockets.length === 0, "no handle");
  },

  "a datagram to a port where nobody is breaks a connected UDPSocket": async ({ proxy: { UDPSocket } }) => {
    const gone = new UDPSocket({ localAddress: "127.0.0.1" });
    const { localPort } = await gone.opened;
    await gone.close();
    const socket = new UDPSocket({ remoteAddress: "127.0.0.1", remotePort: localPort });
    const { readable, writable } = await socket.opened;
    const reader = readable.getReader();
    const writer = writable.getWriter();
    const reading = fails(reader.read(), { name: "NetworkError", errno: "ECONNREFUSED", message: /^Stream aborted by the remote: / });
    await writer.write({ data: bytes("x") });
    await reading;
    await fails(writer.write({ data: bytes("x") }), { name: "NetworkError" });
    await fails(socket.closed, { name: "NetworkError", errno: "ECONNREFUSED" });
  },

  "UDP between two sockets of a page": async ({ proxy: { UDPSocket } }) => {
    const count = 35;
    const server = new UDPSocket({ localAddress: "127.0.0.1" });
    const { localPort } = await server.opened;
    const client = new UDPSocket({ remoteAddress: "127.0.0.1", remotePort: localPort });
    const { localAddress: from, localPort: fromPort } = await client.opened;
    const serve = async () => {
      const { readable, writable } = await server.opened;
      const [reader, writer] = [readable.getReader(), writable.getWriter()];
      for (let i = 0; i < count; i++) {
        const { value: { data, remoteAddress, remotePort } } = await reader.read();
        equal([remoteAddress, remotePort], [from, fromPort], "the sender");
        await writer.ready;
        await writer.write({ data, remoteAddress, remotePort });
      }
      reader.releaseLock();
      writer.releaseLock();
    };
    const send = async () => {
      const writer = (await client.opened).writable.getWriter();
      for (let size = 1; size <= count; size++) {
        await writer.ready;
        await writer.write({ data: new Uint8Array(size).fill(size) });
      }
      writer.releaseLock();
    };
    const receive = async () => {
      const reader = (await client.opened).readable.getReader();
      for (let size = 1; size <= count; size++) {
        const { value, done } = await reader.read();
        equal([done, Object.keys(value), value.data.length, value.data.at(-1)], [false, ["data"], size, size], "message");
      }
      reader.releaseLock();
    };
    await Promise.all([serve(), send(), receive()]);
    await client.close();
    await server.close();
  },

  "UDPSocket: closed waits for both streams": async ({ proxy: { UDPSocket }, ports, ipv6 }) => {
    for (const ends of [
      async ({ readable, writable }) => [await readable.cancel(), await writable.close()],
      async ({ readable, writable }) => [await writable.abort(), await readable.cancel()],
    ]) {
      const socket = new UDPSocket({ remoteAddress: ipv6 ? "::1" : "127.0.0.1", remotePort: ports.udpEcho });
      const opened = await socket.opened;
      await ends(opened);
      equal(await socket.closed, undefined, "closed");
    }
  },

  "UDPMessage is converted as Web IDL has it": async ({ proxy: { UDPSocket }, ports, control }) => {
    const { readable, writable, localPort } = await new UDPSocket({ localAddress: "127.0.0.1" }).opened;
    const writer = writable.getWriter();
    const reader = readable.getReader();
    const data = bytes("as it was");
    const writing = writer.write({ data: new DataView(data.buffer), remoteAddress: { toString: () => "127.0.0.1" }, remotePort: `${ports.udpEcho}` });
    await writing;
    data.fill(0);
    const { value } = await reader.read();
    equal([Object.keys(value), text(value.data)], [["data", "remoteAddress", "remotePort"], "as it was"], "message");
    ok(value.data instanceof Uint8Array && value.data.byteLength === value.data.buffer.byteLength, "a buffer of its own");
    control("sendDatagram", localPort, "");
    equal((await reader.read()).value.data.length, 0, "an empty datagram");
    for (const wrong of [undefined, null, 5, { data: null }, { data: [1] }, { data: data.buffer, remoteAddress: Symbol("x"), remotePort: 1 }]) {
      const { writable: other } = await new UDPSocket({ localAddress: "127.0.0.1" }).opened;
      await fails(other.getWriter().write(wrong), type(/./));
    }
  },

  "a listener that is closed on the service errors, and its readers": async ({ proxy }) => {
    const server = new proxy.TCPServerSocket("127.0.0.1");
    const { readable } = await server.opened;
    const reader = readable.getReader();
    const reading = fails(reader.read(), { name: "NetworkError", message: /^Server socket closed: / });
    await proxy.request("DELETE", `/sockets/${await proxy.idOf(server)}`);
    await reading;
    await fails(server.closed, { name: "NetworkError", message: /^Server socket closed: / });
  },

  "a page that does not ask for connections leaves them in the backlog": async ({ proxy, control, soon }) => {
    const { TCPServerSocket } = proxy;
    const server = new TCPServerSocket("127.0.0.1", { backlog: 64 });
    const { readable, localPort } = await server.opened;
    const count = 40;
    await control("dialMany", localPort, count, 4);
    // The listener's own, and what is accepted ahead.
    const handles = async () => (await proxy.request("GET", "/sockets", { query: { limit: 1000 } })).sockets.length;
    await soon(async () => (await handles()) === 1 + 8, "eight are accepted");
    await new Promise((resolve) => setTimeout(resolve, 200));
    equal(await handles(), 1 + 8, "handles");
    // A new WebSocket does not accept more either.
    const back = new Promise((resolve) => proxy.addEventListener("reconnect", ({ detail }) => detail.socket === id && resolve()));
    const id = await proxy.idOf(server);
    proxy.reconnect();
    await back;
    equal(await handles(), 1 + 8, "handles after a reconnect");
    const seen = new Set();
    const reader = readable.getReader();
    while (seen.size < count) {
      const { value: connection } = await reader.read();
      const streams = await connection.opened;
      const name = await readText(streams.readable.getReader(), 4);
      ok(!seen.has(name), `${name} came once`);
      seen.add(name);
      await streams.writable.getWriter().write(bytes(`got ${name}`));
    }
    await soon(async () => (await control("dialled")).every(({ answer }) => answer.startsWith("got ")), "all are answered");
    await control("hangUp");
    await reader.cancel();
    await server.closed;
  },

  "an accepted connection that the page does not read stops its peer": async ({ proxy: { TCPServerSocket }, control, soon }) => {
    const { readable, localPort } = await new TCPServerSocket("127.0.0.1").opened;
    await control("dialMany", localPort, 2, 64 * MIB);
    const reader = readable.getReader();
    const { value: asked } = await reader.read();
    let before = "";
    await soon(async () => {
      const now = show((await control("dialled")).map(({ written }) => written));
      const stands = now === before;
      before = now;
      return stands;
    }, "both peers stand", 300);
    ok(JSON.parse(before).every((written) => written < 48 * MIB), `the peers wrote ${before}`);
    const input = (await asked.opened).readable.getReader();
    for (let got = 0; got < 64 * MIB; ) {
      got += (await input.read()).value.length;
    }
    await control("hangUp");
    await reader.cancel();
  },

  // --- connect() ---

  "connect() gives streams at once": async ({ proxy: { connect }, ports }) => {
    const socket = connect(`127.0.0.1:${ports.echo}`, { allowHalfOpen: true });
    const writer = socket.writable.getWriter();
    writer.write(bytes("early"));
    const { remoteAddress, localAddress } = await socket.opened;
    equal(remoteAddress, `127.0.0.1:${ports.echo}`, "remoteAddress");
    ok(/^127\.0\.0\.1:\d+$/.test(localAddress), "localAddress");
    equal([socket.upgraded, socket.secureTransport], [false, "off"], "upgraded");
    equal(await readText(socket.readable.getReader(), 5), "early", "echo");
    await socket.close();
    await socket.closed;
  },

  "connect() closes with the peer's FIN, unless half-open is allowed": async ({ proxy: { connect }, ports, control }) => {
    const socket = connect({ hostname: "127.0.0.1", port: ports.hello });
    equal(text(await readAll(socket.readable)), "hello", "data");
    await socket.closed;
    await fails(socket.writable.getWriter().write(bytes("x")));

    const received = control("nextReceived");
    const open = connect({ hostname: "127.0.0.1", port: ports.halfClosing }, { allowHalfOpen: true });
    equal(text(await readAll(open.readable)), "hello", "data");
    const writer = open.writable.getWriter();
    await writer.write(bytes("after it"));
    await writer.close();
    equal(await received, "after it", "what the peer got");
    await open.closed;
  },

  "connect()'s errors are TypeErrors with the errno": async ({ proxy: { connect }, ports }) => {
    const socket = connect("127.0.0.1:1");
    await fails(socket.opened, { name: "TypeError", message: /^SocketError: /, errno: "ECONNREFUSED" });
    await fails(socket.closed, { name: "TypeError", errno: "ECONNREFUSED" });
    await fails(socket.readable.getReader().read());
    for (const address of ["nonsense", "host:", "::1:80", 5, { hostname: "x" }, { hostname: "", port: 1 }, "host:65536"]) {
      await fails(() => connect(address), type(/^SocketError: /));
    }
    await fails(() => connect("127.0.0.1:1", { secureTransport: "on" }), type(/not supported yet/));
    await fails(() => connect(`127.0.0.1:${ports.echo}`).startTls(), type(/not supported yet/));
  },

  "connect()'s close does not ask who reads": async ({ proxy: { connect }, ports }) => {
    const socket = connect(`127.0.0.1:${ports.echo}`);
    await socket.opened;
    const reading = socket.readable.getReader().read();
    const writer = socket.writable.getWriter();
    await socket.close(new Error("why"));
    equal((await reading).done, true, "done");
    await fails(writer.write(bytes("x")), { message: /why/ });
    await socket.closed;
  },

  // --- the BSD calls ---

  "socket, bind, listen, accept, connect, send, recv, shutdown, close": async ({ proxy }) => {
    const { socket, AF_INET, SOCK_STREAM, MSG_PEEK, SHUT_WR } = proxy;
    const listener = await socket(AF_INET, SOCK_STREAM);
    await listener.setsockopt("SOL_SOCKET", "SO_REUSEADDR", 1);
    // Small, so that a sender that nobody reads is soon stopped.
    await listener.setsockopt("SOL_SOCKET", "SO_RCVBUF", 65_536);
    await listener.bind(["127.0.0.1", 0]);
    await listener.listen(5);
    const address = await listener.getsockname();
    const client = await socket();
    await client.setsockopt("SOL_SOCKET", "SO_SNDBUF", 65_536);
    const accepting = listener.accept();
    await client.connect(address);
    const [conn, from] = await accepting;
    equal(from, await client.getsockname(), "the address of accept");
    equal(await conn.getpeername(), from, "getpeername");
    equal(await client.send(bytes("hello")), 5, "send");
    equal(text(await conn.recv(2, MSG_PEEK)), "he", "peeked");
    const buffer = new Uint8Array(4);
    equal([await conn.recvInto(buffer, 2), text(buffer.subarray(0, 2))], [2, "he"], "recvInto");
    equal(text(await conn.recv(100)), "llo", "recv");
    await client.sendall(noise(3 * MIB), 0, { timeoutMs: 200 }).then(
      () => ok(false, "nobody reads"),
      (error) => ok(error.errno === "EAGAIN" && error.sent > 0, show(error)),
    );
    await client.shutdown(SHUT_WR);
    let count = 0;
    for (let data = await conn.recv(65_536); data.length > 0; data = await conn.recv(65_536)) {
      count += data.length;
    }
    ok(count > 0, "data before the end");
    for (const each of [client, conn, listener]) {
      await each.close();
    }
    await fails(conn.recv(1), { name: "SocketError", errno: "EBADF" });
  },

  "the calls take a socket first, too": async ({ proxy }) => {
    const { socket, bind, listen, accept, connect, send, recv, getsockname, close } = proxy;
    const listener = await socket();
    await bind(listener, { host: "127.0.0.1", port: 0 });
    await listen(listener);
    const client = await socket();
    await connect(client, await getsockname(listener));
    const { socket: conn } = await accept(listener);
    await send(client, bytes("x"));
    equal(text(await recv(conn, 10)), "x", "recv");
    await Promise.all([client, conn, listener].map(close));
  },

  "sendto and recvfrom": async ({ proxy: { socket, SOCK_DGRAM, AF_INET } }) => {
    const a = await socket(AF_INET, SOCK_DGRAM);
    const b = await socket("AF_INET", "SOCK_DGRAM");
    await a.bind(["127.0.0.1", 0]);
    await b.bind(["127.0.0.1", 0]);
    equal(await b.sendto(bytes("datagram"), await a.getsockname()), 8, "sent");
    const [data, from] = await a.recvfrom(100);
    equal([text(data), from], ["datagram", await b.getsockname()], "recvfrom");
    await b.sendto(new Uint8Array(0), 0, await a.getsockname());
    const buffer = new Uint8Array(8);
    const { nbytes, address } = await a.recvfromInto(buffer);
    equal([nbytes, address], [0, from], "recvfromInto");
    await a.close();
    await b.close();
  },

  "every error has its errno": async ({ proxy: { socket, SO_RCVBUF, SOL_SOCKET, MSG_DONTWAIT }, SocketError }) => {
    const one = await socket();
    const refused = await fails(one.connect(["127.0.0.1", 1]), { name: "SocketError", errno: "ECONNREFUSED" });
    ok(refused instanceof SocketError && refused instanceof Error, "an Error");
    equal([refused.errnoCode, refused.strerror, refused.status], [111, "Connection refused", 502], "fields");
    await fails(one.recv(1), { errno: "ENOTCONN" });
    await fails(one.connect(["169.254.169.254", 80]), { errno: "EACCES" });
    await fails(one.setsockopt("SOL_SOCKET", "SO_MARK", 1), { errno: "EPERM" });
    await fails(socket(99), { errno: "EAFNOSUPPORT" });
    await one.setsockopt(SOL_SOCKET, SO_RCVBUF, 10_000);
    equal(await one.getsockopt(SOL_SOCKET, SO_RCVBUF), 20_000, "SO_RCVBUF");
    equal((await one.getsockopt(SOL_SOCKET, SO_RCVBUF, 4)).length, 4, "bytes");
    await one.close();
    await fails(one.close(), { errno: "EBADF" });
    const listener = await socket();
    await listener.bind(["127.0.0.1", 0]);
    await listener.listen();
    await fails(listener.accept({ timeoutMs: 30 }), { errno: "EAGAIN" });
    const abort = new AbortController();
    const waiting = fails(listener.accept({ signal: abort.signal }), { name: "AbortError" });
    abort.abort();
    await waiting;
    const client = await socket();
    await client.connect(await listener.getsockname());
    await fails(client.recv(1, MSG_DONTWAIT), { errno: "EAGAIN" });
    await client.close();
    await listener.close();
  },

  "more calls can wait than a browser has connections": async ({ proxy: { socketpair } }) => {
    const pairs = await Promise.all(Array.from({ length: 10 }, () => socketpair()));
    const received = pairs.map(([, receiver]) => receiver.recv(10));
    for (const [i, [sender]] of pairs.entries()) {
      await sender.send(bytes(`message ${i}`));
    }
    equal((await Promise.all(received)).map(text), pairs.map((_, i) => `message ${i}`), "messages");
    await Promise.all(pairs.flat().map((each) => each.close()));
  },

  "poll, names and addresses": async ({ proxy }) => {
    const [a, b] = await proxy.socketpair();
    await a.send(bytes("x"));
    equal((await proxy.poll([{ socket: a }, { socket: b }], 1000)).map(({ socket }) => socket === b), [true], "ready");
    await Promise.all([a.close(), b.close()]);
    equal(Array.from(await proxy.inet_aton("127.1")), [127, 0, 0, 1], "inet_aton");
    equal(await proxy.inet_ntoa(Uint8Array.of(10, 0, 0, 1)), "10.0.0.1", "inet_ntoa");
    equal((await proxy.inet_pton(proxy.AF_INET6, "::1")).at(-1), 1, "inet_pton");
    equal(await proxy.inet_ntop("AF_INET6", await proxy.inet_pton("AF_INET6", "2001:db8::1")), "2001:db8::1", "inet_ntop");
    await fails(proxy.inet_aton("nonsense"), { name: "SocketError", errno: "EINVAL" });
    const [info] = await proxy.getaddrinfo("127.0.0.1", "http", 0, proxy.SOCK_STREAM, 0, proxy.AI_NUMERICHOST);
    equal([info.family, info.type, info.sockaddr], [2, 1, { host: "127.0.0.1", port: 80 }], "getaddrinfo");
    await fails(proxy.getaddrinfo("no-such-name.invalid", 1), { name: "SocketError" });
    equal(await proxy.getservbyname("https"), 443, "getservbyname");
    equal(await proxy.getservbyport(22, "tcp"), "ssh", "getservbyport");
    equal((await proxy.getnameinfo(["127.0.0.1", 80], proxy.NI_NUMERICHOST)).host, "127.0.0.1", "getnameinfo");
  },

  "the module's constants are the service's": async ({ proxy, constants }) => {
    const served = await proxy.constants();
    for (const [name, value] of Object.entries(constants)) {
      if (name !== "SOMAXCONN") {
        equal(value, served[name], name);
      }
      equal(proxy[name], value, name);
    }
  },

  // --- the rest ---

  "attach and detach": async ({ proxy, ports }) => {
    const handle = await proxy.socket();
    await handle.connect(["127.0.0.1", ports.echo]);
    const socket = await proxy.attach(handle.id);
    ok(socket instanceof proxy.TCPSocket, "a TCPSocket");
    const { writable, readable } = await socket.opened;
    await writable.getWriter().write(bytes("attached"));
    equal(await readText(readable.getReader(), 8), "attached", "echo");
    await fails(handle.recv(1), { errno: "EBUSY" });
    await proxy.detach(socket);
    equal((await handle.getpeername()).port, ports.echo, "the handle's peer");
    await handle.close();
    await fails(proxy.attach(handle.id), { errno: "EBADF" });
  },

  "install makes globals, where there are none": async ({ proxy }) => {
    const target = { TCPSocket: "the platform's" };
    equal(proxy.install(target) === target, true, "the target");
    equal(target.TCPSocket, "the platform's", "what was there");
    ok(target.UDPSocket === proxy.UDPSocket && target.TCPServerSocket === proxy.TCPServerSocket && target.connect === proxy.connect, "the rest");
  },

  "a token can be asked for": async ({ SocketProxy, options, ports }) => {
    let asked = 0;
    const { TCPSocket } = new SocketProxy({ ...options, token: async () => (asked++, options.token) });
    const socket = new TCPSocket("127.0.0.1", ports.echo);
    await socket.opened;
    ok(asked >= 2, "for each request");
    await socket.close();
  },

  "a service that is not there is a NetworkError": async ({ SocketProxy, options, deadUrl }) => {
    if (!deadUrl) {
      // The page is kept to its own server.
      return;
    }
    const { TCPSocket, socket } = new SocketProxy({ ...options, url: deadUrl });
    await fails(new TCPSocket("127.0.0.1", 1).opened, { name: "NetworkError" });
    await fails(socket(), { name: "SocketError", errno: "ENETDOWN" });
  },
};

/** What a case has left open is none of the next one's business. A connection for requests may have been cut with the others, and nobody noticed yet. */
async function closeAll(proxy, attempts = 5) {
  let sockets;
  try {
    ({ sockets } = await proxy.request("GET", "/sockets", { query: { limit: 1000 } }));
  } catch (error) {
    if (error.errno === "ENETDOWN" && attempts > 1) {
      await closeAll(proxy, attempts - 1);
      return;
    }
    throw error;
  }
  await Promise.all(sockets.map(({ id }) => proxy.request("DELETE", `/sockets/${id}`).catch(() => {})));
}

/** Runs the cases one after the other; what is reported of each is `{ name, ms, error }`. */
export async function run(module, { url, token, WebSocket, ports, control, ipv6, deadUrl, only, report }) {
  const { SocketProxy, SocketError, constants } = module;
  const options = { url, token, WebSocket };
  const soon = async (condition, what, everyMs = 20) => {
    for (const end = Date.now() + 20_000; !(await condition()); ) {
      ok(Date.now() < end, what);
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  };
  for (const [name, test] of Object.entries(cases)) {
    if (only && !new RegExp(only).test(name)) {
      continue;
    }
    const started = Date.now();
    let timer;
    const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error("not done after 60 s")), 60_000)));
    let error;
    try {
      const proxy = new SocketProxy(options);
      await Promise.race([late, test({ proxy, SocketProxy, SocketError, constants, options, ports, control, soon, ipv6, deadUrl })]);
    } catch (failure) {
      error = String(failure?.stack?.includes(failure.message) ? failure.stack : `${show(failure)}\n${failure?.stack}`);
    }
    clearTimeout(timer);
    await closeAll(new SocketProxy(options));
    await report({ name, ms: Date.now() - started, error });
  }
}
