import { example } from "./example.js";

example(async ({ TCPServerSocket }, { address }, print) => {
  const server = new TCPServerSocket(address);
  const { readable, localAddress, localPort } = await server.opened;
  print(`listening on ${localAddress}:${localPort}`);
  for await (const connection of readable) {
    serve(connection, print).catch(print);
  }
});

async function serve(connection, print) {
  const { readable, writable, remoteAddress, remotePort } = await connection.opened;
  print(`${remoteAddress}:${remotePort} has connected`);
  const encoder = new TextEncoderStream();
  const sending = encoder.readable.pipeTo(writable);
  const writer = encoder.writable.getWriter();
  await writer.write("Hello from a browser tab. Say something:\n");
  for await (const text of readable.pipeThrough(new TextDecoderStream())) {
    await writer.write(text.toUpperCase());
  }
  await writer.close();
  await sending;
  print(`${remoteAddress}:${remotePort} has gone`);
}
