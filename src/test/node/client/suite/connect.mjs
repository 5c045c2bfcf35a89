// connect() of WinterTC and Cloudflare.

import { bytes, equal, fails, ok, readAll, readText, text, type } from "./checks.mjs";

export const cases = {
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
    const message = /^SocketError: 127\.0\.0\.1:1 refused the connection: nothing listens there/;
    await fails(socket.opened, { name: "TypeError", message, errno: "ECONNREFUSED" });
    await fails(socket.closed, { name: "TypeError", errno: "ECONNREFUSED" });
    await fails(socket.readable.getReader().read());
    for (const address of ["nonsense", "host:", "::1:80", 5, { hostname: "x" }, { hostname: "", port: 1 }, "host:65536"]) {
      await fails(() => connect(address), type(/^SocketError: /));
    }
    await fails(() => connect("127.0.0.1:1", { secureTransport: "yes" }), type(/^SocketError: secureTransport/));
    await fails(() => connect("127.0.0.1:1", { sni: "localhost" }), type(/^SocketError: sni and alpn/));
    await fails(() => connect("127.0.0.1:1", { secureTransport: "on", alpn: "h2" }), type(/^SocketError: alpn/));
    await fails(() => connect(`127.0.0.1:${ports.echo}`).startTls(), type(/^SocketError: .*'starttls'/));
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
};
