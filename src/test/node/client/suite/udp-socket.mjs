// UDPSocket.

import { bytes, equal, fails, ok, text, type } from "./checks.mjs";

export const cases = {
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
};
