import { example } from "./example.js";

/** A query for A records: the header, the name as labels, type 1, class 1. */
function query(name) {
  const labels = name.split(".").flatMap((label) => [label.length, ...new TextEncoder().encode(label)]);
  return Uint8Array.of(0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, 1, 0, 1);
}

/** The addresses in the answer to one question. */
function addresses(message) {
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  let at = 12;
  const skipName = () => {
    while (message[at] !== 0) {
      if (message[at] >= 0xc0) {
        // A pointer to an earlier name, of two bytes, ends it.
        at += 2;
        return;
      }
      at += message[at] + 1;
    }
    at += 1;
  };
  skipName();
  at += 4;
  const found = [];
  for (let answers = view.getUint16(6); answers > 0; answers--) {
    skipName();
    const type = view.getUint16(at);
    const length = view.getUint16(at + 8);
    at += 10;
    if (type === 1) {
      found.push(message.subarray(at, at + 4).join("."));
    }
    at += length;
  }
  return found;
}

example(async ({ UDPSocket }, { server, port, name }, print) => {
  const socket = new UDPSocket({ remoteAddress: server, remotePort: Number(port) });
  const { readable, writable } = await socket.opened;
  const writer = writable.getWriter();
  const reader = readable.getReader();
  await writer.write({ data: query(name) });

  // UDP loses datagrams: ask again, and give up after a while.
  const again = setInterval(() => writer.write({ data: query(name) }), 1000);
  const giveUp = setTimeout(() => reader.cancel(), 5000);
  const { value, done } = await reader.read();
  clearInterval(again);
  clearTimeout(giveUp);

  print(done ? `no answer from ${server}` : addresses(value.data).join("\n") || "no address");
  writer.releaseLock();
  reader.releaseLock();
  await socket.close();
});
