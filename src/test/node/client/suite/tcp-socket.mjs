// TCPSocket: its constructor, how it opens, and its data.

import { bytes, download, equal, fails, MIB, noise, ok, readAll, readText, sha256, text, type, upload } from "./checks.mjs";

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
};
