// Backpressure, and a network that fails.

import { bytes, download, equal, fails, MIB, ok, readAll, readText, show, text, upload } from "./checks.mjs";

export const cases = {
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
};
