// The BSD calls.

import { bytes, equal, fails, MIB, noise, ok, show, text } from "./checks.mjs";

export const cases = {
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
    await fails(one.recv(1), { errno: "ENOTCONN", message: /^The socket is not connected\. Call connect first\. \(ENOTCONN\)$/ });
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
};
