// What all three classes of Direct Sockets have, as the draft and Web IDL say it.

import { equal, fails, ok, show, type } from "./checks.mjs";

export const cases = {
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
};
