// connect() of WinterTC and Cloudflare with TLS, which the service speaks with the target: from the start, and in mid-stream.

import { bytes, equal, fails, MIB, ok, readAll, readText, sha256, text, type } from "./checks.mjs";

/** SSLRequest of PostgreSQL: a length of 8, and 80877103. */
const SSL_REQUEST = Uint8Array.of(0, 0, 0, 8, 4, 210, 22, 47);

/** Asks for TLS as PostgreSQL's clients do, and reads the answer; the streams are let go of. */
async function ask(socket, answer = "S") {
  const writer = socket.writable.getWriter();
  await writer.write(SSL_REQUEST);
  writer.releaseLock();
  const reader = socket.readable.getReader({ mode: "byob" });
  const { value } = await reader.read(new Uint8Array(answer.length));
  reader.releaseLock();
  equal(text(value), answer, "the answer in clear");
}

async function echoes(socket, message) {
  const writer = socket.writable.getWriter();
  await writer.write(bytes(message));
  writer.releaseLock();
  const reader = socket.readable.getReader();
  equal(await readText(reader, message.length), message, "echo");
  reader.releaseLock();
}

async function tlsFails({ opened, closed, readable, writable }, tlsReason) {
  for (const promise of [opened, closed]) {
    const error = await fails(promise, { name: "TypeError", errno: "EPROTO", message: /^SocketError: / });
    equal(error.tlsReason, tlsReason, `the reason of "${error.message}"`);
  }
  await fails(readable.getReader().read());
  await fails(writable.getWriter().write(bytes("x")));
}

export const cases = {
  "TLS from the start, with ALPN and the name": async ({ proxy: { connect }, ports, control }) => {
    await control("serverNames");
    const socket = connect(`localhost:${ports.tlsEcho}`, { secureTransport: "on", alpn: ["none", "echo"] });
    await echoes(socket, "early");
    const { remoteAddress, alpn } = await socket.opened;
    equal([alpn, remoteAddress], ["echo", `127.0.0.1:${ports.tlsEcho}`], "alpn and address");
    equal([socket.secureTransport, socket.upgraded], ["on", false], "secureTransport");
    await fails(() => socket.startTls(), type(/^SocketError: /));
    await socket.close();
    equal(await control("serverNames"), ["localhost"], "SNI");

    const named = connect(`127.0.0.1:${ports.tlsEcho}`, { secureTransport: "on", sni: "localhost" });
    equal((await named.opened).alpn, null, "alpn");
    await named.close();
    equal(await control("serverNames"), ["localhost"], "SNI");
  },

  "TLS in mid-stream, as a driver of PostgreSQL does it": async ({ proxy: { connect }, ports }) => {
    const socket = connect(`localhost:${ports.tlsAfterRequest}`, { secureTransport: "starttls" });
    await ask(socket);
    const secured = socket.startTls();
    equal([socket.upgraded, socket.secureTransport, secured.upgraded, secured.secureTransport], [true, "starttls", false, "on"], "upgraded");
    await socket.closed;
    await echoes(secured, "secret");
    const before = await socket.opened;
    const after = await secured.opened;
    equal(after, { ...before, alpn: null }, "opened");
    await fails(socket.writable.getWriter().write(bytes("x")), type(/^SocketError: startTls/));
    equal((await socket.readable.getReader().read()).done, true, "the end of the old one");
    await fails(() => socket.startTls(), type(/before/));
    await fails(() => secured.startTls(), type(/^SocketError: /));
    await socket.close();
    await echoes(secured, "and on");
    await secured.close();
    await secured.closed;
  },

  "startTls() with a name, and a protocol": async ({ proxy: { connect }, ports, control }) => {
    await control("serverNames");
    const socket = connect(`127.0.0.1:${ports.tlsAfterRequest}`, { secureTransport: "starttls", alpn: ["none"] });
    await ask(socket);
    const secured = socket.startTls({ expectedServerHostname: "localhost", alpn: ["other"] });
    equal((await secured.opened).alpn, "other", "alpn");
    equal(await control("serverNames"), ["localhost"], "SNI");
    await secured.close();
  },

  "startTls() comes behind what is written, and takes locked streams away": async ({ proxy: { connect }, ports }) => {
    const socket = connect(`localhost:${ports.tlsEcho}`, { secureTransport: "starttls" });
    // Nothing at all is said in clear, and the socket is not open yet.
    const secured = socket.startTls();
    await echoes(secured, "at once");
    await secured.close();

    const asked = connect(`localhost:${ports.tlsAfterRequest}`, { secureTransport: "starttls" });
    const writer = asked.writable.getWriter();
    const writes = [SSL_REQUEST.subarray(0, 3), SSL_REQUEST.subarray(3)].map((part) => writer.write(part));
    const answer = await asked.readable.getReader({ mode: "byob" }).read(new Uint8Array(1));
    equal(text(answer.value), "S", "the answer in clear");
    const upgraded = asked.startTls();
    await Promise.all(writes);
    await fails(writer.write(bytes("late")), type(/^SocketError: startTls/));
    await echoes(upgraded, "after it");
    await upgraded.close();
  },

  "secureTransport: 'starttls' without ever starting is plain": async ({ proxy: { connect }, ports }) => {
    const socket = connect(`127.0.0.1:${ports.tlsAfterRequest}`, { secureTransport: "starttls" });
    await echoes(socket, "in clear");
    await socket.close();
    await fails(() => socket.startTls(), type(/closed/));
  },

  "TLS that fails has its reason": async ({ proxy: { connect }, ports }) => {
    await tlsFails(connect(`localhost:${ports.tlsSelfSigned}`, { secureTransport: "on" }), "self-signed");
    await tlsFails(connect(`127.0.0.1:${ports.tlsEcho}`, { secureTransport: "on", sni: "other.example" }), "name-mismatch");

    const socket = connect(`127.0.0.1:${ports.tlsAfterRequest}`, { secureTransport: "starttls" });
    await ask(socket);
    const secured = socket.startTls({ expectedServerHostname: "other.example" });
    await socket.closed;
    await tlsFails(secured, "name-mismatch");
  },

  "bytes in clear that nobody has read make startTls() fail": async ({ proxy, ports, soon }) => {
    const socket = proxy.connect(`localhost:${ports.tlsInjected}`, { secureTransport: "starttls" });
    await ask(socket);
    const secured = socket.startTls();
    await socket.closed;
    await tlsFails(secured, "starttls-injection");
    await soon(async () => (await proxy.request("GET", "/sockets")).sockets.length === 0, "the handle is closed");
  },

  "a handshake that nobody answers can be closed": async ({ proxy, ports, soon }) => {
    const socket = proxy.connect(`localhost:${ports.silent}`, { secureTransport: "starttls" });
    await socket.opened;
    const secured = socket.startTls();
    const writing = fails(secured.writable.getWriter().write(bytes("x")));
    await secured.close(new Error("why"));
    await fails(secured.opened, { message: /why/ });
    await writing;
    await soon(async () => (await proxy.request("GET", "/sockets")).sockets.length === 0, "the handle is closed");
  },

  "a download under TLS survives a network that is cut": async ({ proxy, ports, control }) => {
    let reconnects = 0;
    const count = () => reconnects++;
    proxy.addEventListener("reconnect", count);
    const socket = proxy.connect(`localhost:${ports.tlsSource}`, { secureTransport: "starttls", allowHalfOpen: true }).startTls();
    const cutting = setInterval(() => control("cut"), 150);
    try {
      const writer = socket.writable.getWriter();
      await writer.write(bytes(String(16 * MIB)));
      const all = await readAll(socket.readable);
      const digest = Array.from(all.subarray(16 * MIB), (byte) => byte.toString(16).padStart(2, "0")).join("");
      equal(await sha256(all.subarray(0, 16 * MIB)), digest, "SHA-256");
      await writer.close();
      await socket.closed;
    } finally {
      clearInterval(cutting);
      proxy.removeEventListener("reconnect", count);
    }
    ok(reconnects > 0, `${reconnects} reconnects`);
  },
};
