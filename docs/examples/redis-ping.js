import { example } from "./example.js";

example(async ({ connect }, { address }, print) => {
  const socket = connect(address);
  const writer = socket.writable.getWriter();
  await writer.write(new TextEncoder().encode("PING\r\nSET greeting hello\r\nGET greeting\r\nQUIT\r\n"));
  // Redis closes the connection after QUIT, which ends the loop.
  let answer = "";
  for await (const text of socket.readable.pipeThrough(new TextDecoderStream())) {
    answer += text;
  }
  print(answer);
  await socket.closed;
});
