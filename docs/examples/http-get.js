import { example } from "./example.js";

example(async ({ TCPSocket }, { host, port, path }, print) => {
  const socket = new TCPSocket(host, Number(port));
  const { readable, writable, remoteAddress } = await socket.opened;
  print(`connected to ${remoteAddress}`);

  const writer = writable.getWriter();
  await writer.write(new TextEncoder().encode(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`));

  // A BYOB reader fills the same buffer again and again.
  const reader = readable.getReader({ mode: "byob" });
  const decoder = new TextDecoder();
  let buffer = new Uint8Array(16 * 1024);
  let answer = "";
  for (;;) {
    const { value, done } = await reader.read(buffer);
    if (done) break;
    answer += decoder.decode(value, { stream: true });
    buffer = new Uint8Array(value.buffer);
  }
  print(answer);
  await writer.close();
  await socket.closed;
});
