// What else a page can observe of a TCPSocket's streams: as the draft has it, and Chromium's own tests of it.

import { bytes, equal, fails, MIB, noise, ok, readAll, sha256, text, type } from "./checks.mjs";

export const cases = {
  "a pending read and a pending write reject when the connection breaks": async ({ proxy: { TCPSocket }, ports, control }) => {
    for (const mode of [undefined, "byob"]) {
      const socket = new TCPSocket("127.0.0.1", ports.held);
      const { readable, writable } = await socket.opened;
      const reader = readable.getReader({ mode });
      const writer = writable.getWriter();
      const reading = fails(mode ? reader.read(new Uint8Array(10)) : reader.read(), { name: "NetworkError", message: /^Stream aborted by the remote: / });
      // Its kernel's buffers and the service's hold less.
      const writing = fails(writer.write(noise(48 * MIB)), { name: "NetworkError", message: /^Stream aborted by the remote: / });
      const queued = fails(writer.write(bytes("never sent")), { name: "NetworkError" });
      control("held", "resetAndDestroy");
      await Promise.all([reading, writing, queued]);
      await fails(reader.closed, { name: "NetworkError" });
      await fails(writer.closed, { name: "NetworkError" });
      await fails(socket.closed, { name: "NetworkError", message: /127\.0\.0\.1:\d+ reset the connection/, errno: "ECONNRESET" });
    }
  },

  "a read that waits ends with the peer's FIN": async ({ proxy: { TCPSocket }, ports, control }) => {
    for (const mode of [undefined, "byob"]) {
      const socket = new TCPSocket("127.0.0.1", ports.held);
      const { readable } = await socket.opened;
      const reader = readable.getReader({ mode });
      const reading = mode ? reader.read(new Uint8Array(10)) : reader.read();
      control("held", "end");
      const { value, done } = await reading;
      equal([value?.length, done], [mode ? 0 : undefined, true], "the end");
    }
  },

  "a read that is let go of loses no byte": async ({ proxy: { TCPSocket }, ports, control }) => {
    for (const mode of [undefined, "byob"]) {
      const { readable } = await new TCPSocket("127.0.0.1", ports.held).opened;
      const first = readable.getReader({ mode });
      const reading = fails(mode ? first.read(new Uint8Array(4)) : first.read(), type(/./));
      first.releaseLock();
      await reading;
      const second = readable.getReader(mode ? undefined : { mode: "byob" });
      const next = mode ? second.read() : second.read(new Uint8Array(20));
      control("held", "end", "nothing is lost");
      let got = text((await next).value);
      second.releaseLock();
      got += text(await readAll(readable));
      equal(got, "nothing is lost", `what was read after a ${mode ?? "default"} reader`);
    }
  },

  "wider views get whole elements": async ({ proxy: { TCPSocket }, ports, control }) => {
    const { readable } = await new TCPSocket("127.0.0.1", ports.held).opened;
    const reader = readable.getReader({ mode: "byob" });
    control("held", "write", "a");
    const reading = reader.read(new Uint16Array(4));
    await control("held", "write", "bc");
    const { value } = await reading;
    ok(value instanceof Uint16Array && value.length === 1, "one element");
    equal(text(new Uint8Array(value.buffer, 0, 2)), "ab", "its bytes");
    const cut = fails(reader.read(new Uint16Array(4)), type(/./));
    control("held", "end");
    await cut;
  },

  "what may be written": async ({ proxy: { TCPSocket }, ports }) => {
    const socket = new TCPSocket("127.0.0.1", ports.digest);
    const { readable, writable } = await socket.opened;
    const writer = writable.getWriter();
    const detached = new Uint8Array(8);
    structuredClone(detached.buffer, { transfer: [detached.buffer] });
    for (const chunk of [new Uint8Array(0), new ArrayBuffer(0), detached, detached.buffer]) {
      equal(await writer.write(chunk), undefined, "an empty chunk");
    }
    const all = noise(64);
    writer.write(new DataView(all.buffer, 0, 8));
    writer.write(new Float64Array(all.buffer, 8, 1));
    writer.write(new Uint8Array(all.buffer, 16, 3));
    writer.write(all.buffer.slice(19));
    // None of it is waited for, and none of it is lost.
    await writer.close();
    equal(text(await readAll(readable)), await sha256(all), "SHA-256");
    await socket.closed;
    if (globalThis.SharedArrayBuffer) {
      const { writable: other } = await new TCPSocket("127.0.0.1", ports.silent).opened;
      await fails(other.getWriter().write(new Uint8Array(new SharedArrayBuffer(1))), type(/./));
    }
  },

  "a chunk of the wrong kind breaks the writable alone": async ({ proxy: { TCPSocket }, ports, control }) => {
    const socket = new TCPSocket("127.0.0.1", ports.held);
    const { readable, writable } = await socket.opened;
    const writer = writable.getWriter();
    const wrong = await fails(writer.write("text"), type(/./));
    equal(await writer.closed.catch((error) => error) === wrong, true, "the writer's error");
    control("held", "end", "still read");
    equal(text(await readAll(readable)), "still read", "data");
    await fails(socket.closed, type(/./));
  },

  "an abort rejects what was not sent, with its reason": async ({ proxy: { TCPSocket }, ports }) => {
    const socket = new TCPSocket("127.0.0.1", ports.held);
    const { readable, writable } = await socket.opened;
    const writer = writable.getWriter();
    const writes = [writer.write(noise(48 * MIB)), writer.write(bytes("x")), writer.close()];
    const reason = { why: "enough" };
    await writer.abort(reason);
    for (const write of [...writes, writer.closed]) {
      equal(await write.catch((error) => error) === reason, true, "the reason");
    }
    equal(await readable.cancel("any reason"), undefined, "cancel");
  },

  "pipes, tees and loops are those of any stream": async ({ proxy: { TCPSocket, TCPServerSocket }, ports, control }) => {
    const server = new TCPServerSocket("127.0.0.1");
    const { readable: connections, localPort } = await server.opened;
    const serving = (async () => {
      const served = [];
      for await (const connection of connections) {
        const { readable, writable } = await connection.opened;
        served.push(readable.pipeTo(writable).then(() => connection.closed));
        if (served.length === 2) {
          break;
        }
      }
      await Promise.all(served);
    })();
    const answers = await Promise.all(["one", "two"].map((name) => control("dial", localPort, name)));
    equal(answers, ["one", "two"], "echoes");
    await serving;
    await server.closed;

    const { readable, writable } = await new TCPSocket("127.0.0.1", ports.hello).opened;
    const [left, right] = readable.tee();
    equal([text(await readAll(left)), text(await readAll(right))], ["hello", "hello"], "both branches");
    let upper = "";
    const loud = new TransformStream({ transform: (chunk, controller) => controller.enqueue(bytes(text(chunk).toUpperCase())) });
    const { readable: echo, writable: toEcho } = await new TCPSocket("127.0.0.1", ports.echo).opened;
    new Blob(["quiet"]).stream().pipeThrough(loud).pipeTo(toEcho);
    for await (const chunk of echo) {
      upper += text(chunk);
    }
    equal(upper, "QUIET", "through a transform");
    await writable.close();
  },
};
