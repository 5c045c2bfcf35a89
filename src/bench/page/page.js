// Moves bytes as fast as they go, by turns over a bare WebSocket and over what the browser client makes of one. page.py serves this and hears of it.

const { service, token, source, sink, seconds, rounds } = await (await fetch("/settings")).json();
const { SocketProxy } = await import(`${service}/client/socket-proxy.js`);
const { TCPSocket } = new SocketProxy({ url: service, token });

const base64url = (text) => btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

function bare(port) {
  const socket = new WebSocket(
    `${service.replace("http", "ws")}/api/v1/connect?host=127.0.0.1&port=${port}`,
    ["binary", `base64url.bearer.authorization.socket-proxy.${base64url(token)}`],
  );
  socket.binaryType = "arraybuffer";
  return socket;
}

/** Counts bytes from the first on, until the time is up. */
class Meter {
  bytes = 0;

  /** Whether the time is up. */
  add(count) {
    this.begin ??= performance.now();
    this.bytes += count;
    this.elapsed = performance.now() - this.begin;
    return this.elapsed > seconds * 1000;
  }

  get result() {
    return { bytes: this.bytes, ms: this.elapsed };
  }
}

async function download(read, { readable, writable }, socket) {
  const meter = new Meter();
  while (!meter.add(await read()));
  await readable.cancel();
  await writable.close();
  await socket.closed;
  return meter.result;
}

const runs = {
  "download-bare": () => new Promise((resolve, reject) => {
    const meter = new Meter();
    const socket = bare(source);
    socket.onmessage = ({ data }) => meter.add(data.byteLength) && socket.close();
    socket.onclose = () => resolve(meter.result);
    socket.onerror = reject;
  }),

  "download-default": async () => {
    const socket = new TCPSocket("127.0.0.1", source);
    const opened = await socket.opened;
    const reader = opened.readable.getReader();
    return download(async () => (await reader.read()).value.length, { ...opened, readable: reader }, socket);
  },

  "download-byob": async () => {
    const socket = new TCPSocket("127.0.0.1", source);
    const opened = await socket.opened;
    const reader = opened.readable.getReader({ mode: "byob" });
    let buffer = new ArrayBuffer(256 * 1024);
    const read = async () => {
      const { value } = await reader.read(new Uint8Array(buffer));
      buffer = value.buffer;
      return value.length;
    };
    return download(read, { ...opened, readable: reader }, socket);
  },

  "upload-bare": async () => {
    const socket = bare(sink);
    await new Promise((resolve, reject) => Object.assign(socket, { onopen: resolve, onerror: reject }));
    const meter = new Meter();
    const chunk = new Uint8Array(64 * 1024);
    const { port1, port2 } = new MessageChannel();
    do {
      // As much in advance as the client sends.
      while (socket.bufferedAmount < 1024 * 1024) {
        socket.send(chunk);
        meter.add(chunk.length);
      }
      await new Promise((resolve) => {
        port1.onmessage = resolve;
        port2.postMessage(null);
      });
    } while (!meter.add(0));
    const result = { ...meter.result, bytes: meter.bytes - socket.bufferedAmount };
    await new Promise((resolve) => {
      socket.onclose = resolve;
      socket.close();
    });
    return result;
  },

  "upload-default": async () => {
    const socket = new TCPSocket("127.0.0.1", sink);
    const { readable, writable } = await socket.opened;
    const writer = writable.getWriter();
    const meter = new Meter();
    const chunk = new Uint8Array(64 * 1024);
    do {
      await writer.write(chunk);
    } while (!meter.add(chunk.length));
    await writer.close();
    await readable.cancel();
    await socket.closed;
    return meter.result;
  },
};

const tell = (path, json) => fetch(path, { method: "POST", body: JSON.stringify(json) });

try {
  // Those before the first warm up the JIT compilers of service and page, which takes some twenty seconds.
  for (let round = -Math.ceil(4 / seconds); round <= rounds; round++) {
    for (const [name, run] of Object.entries(runs)) {
      await tell("/begin", { name, round });
      await tell("/end", { name, round, ...(await run()) });
    }
  }
  await tell("/done", {});
} catch (error) {
  await tell("/done", { error: `${error}\n${error.stack}` });
}
