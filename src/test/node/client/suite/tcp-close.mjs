// How a TCPSocket is closed and half-closed, and by whom.

import { bytes, equal, fails, MIB, noise, ok, readAll, readText, sha256, text } from "./checks.mjs";

export const cases = {
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

  "a socket that is closed with unread data is closed": async ({ proxy, ports, control, soon }) => {
    const socket = new proxy.TCPSocket("127.0.0.1", ports.held);
    await socket.opened;
    await control("held", "write", "x".repeat(100_000));
    equal(await socket.close(), undefined, "close");
    await soon(async () => (await proxy.request("GET", "/sockets")).sockets.length === 0, "no handle");
  },
};
