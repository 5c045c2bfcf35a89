// Handles that exist already, and the options of the entry.

import { bytes, equal, fails, ok, readText, type } from "./checks.mjs";

export const cases = {
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

  "a url without a scheme is told of at once": async ({ SocketProxy, options }) => {
    for (const url of ["localhost:8080", "127.0.0.1:8080", "proxy.example", "ftp://proxy.example", ""]) {
      await fails(() => new SocketProxy({ ...options, url }), type(/begin with https:\/\/ or http:\/\/.*"/));
    }
    new SocketProxy({ ...options, url: new URL(options.url ?? "http://127.0.0.1:8080") });
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
