// TCPServerSocket.

import { bytes, equal, fails, MIB, ok, readAll, readText, show, text, type } from "./checks.mjs";

export const cases = {
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
};
