// What the cases share: checks that say what was expected, and data to send.

const encoder = new TextEncoder();
const decoder = new TextDecoder();
export const bytes = (text) => encoder.encode(text);
export const text = (data) => decoder.decode(data);

export function show(value) {
  return value instanceof Error || value instanceof DOMException ? `${value.name}: ${value.message}` : JSON.stringify(value) ?? String(value);
}

export function equal(actual, expected, what = "value") {
  if (show(actual) !== show(expected)) {
    throw new Error(`${what} is ${show(actual)}, expected ${show(expected)}`);
  }
}

export function ok(condition, what) {
  if (!condition) {
    throw new Error(`not so: ${what}`);
  }
}

/** The error of a promise or a function, whose name or message has to be as expected. */
export async function fails(attempt, { name, message = /./, errno } = {}) {
  let value;
  try {
    value = await (typeof attempt === "function" ? attempt() : attempt);
  } catch (error) {
    if (name) {
      equal(error.name, name, `the name of "${error.message}"`);
    }
    if (errno) {
      equal(error.errno, errno, `the errno of "${error.message}"`);
    }
    ok(message.test(error.message), `"${error.message}" matches ${message}`);
    return error;
  }
  throw new Error(`expected ${name ?? "a failure"}, got ${show(value)}`);
}

export const type = (message) => ({ name: "TypeError", message });

export async function readAll(readable) {
  const chunks = [];
  for (const reader = readable.getReader(); ; ) {
    const { value, done } = await reader.read();
    if (done) {
      reader.releaseLock();
      return new Uint8Array(await new Blob(chunks).arrayBuffer());
    }
    chunks.push(value);
  }
}

export async function readText(reader, length) {
  let got = "";
  while (got.length < length) {
    const { value, done } = await reader.read();
    ok(!done, `${length} characters before the end; got "${got}"`);
    got += text(value);
  }
  return got;
}

export async function sha256(data) {
  return Array.from(new Uint8Array(await crypto.subtle.digest("SHA-256", data)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Bytes that differ everywhere. */
export function noise(count) {
  const words = new Uint32Array(Math.ceil(count / 4));
  for (let i = 0, state = 7; i < words.length; i++) {
    words[i] = state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  }
  return new Uint8Array(words.buffer, 0, count);
}

export const MIB = 1024 * 1024;

/** Gets so many bytes from the source, reading with `read`, and checks them against its digest. */
export async function download({ proxy, ports }, count, { readable, writable } = {}) {
  if (!readable) {
    ({ readable, writable } = await new proxy.TCPSocket("127.0.0.1", ports.source).opened);
  }
  const writer = writable.getWriter();
  await writer.write(bytes(String(count)));
  const all = await readAll(readable);
  equal(all.length, count + 32, "bytes");
  equal(await sha256(all.subarray(0, count)), Array.from(all.subarray(count), (byte) => byte.toString(16).padStart(2, "0")).join(""), "SHA-256");
  await writer.close();
}

/** Sends so many bytes in odd pieces and checks the digest that the target got. */
export async function upload({ proxy, ports }, count) {
  const socket = new proxy.TCPSocket("127.0.0.1", ports.digest);
  const { readable, writable } = await socket.opened;
  const data = noise(count);
  const writer = writable.getWriter();
  const piece = new Uint8Array(100_003);
  for (let at = 0; at < count; at += piece.length) {
    const part = piece.subarray(0, Math.min(piece.length, count - at));
    part.set(data.subarray(at, at + part.length));
    await writer.write(part);
    piece.fill(0);
  }
  await writer.close();
  equal(text(await readAll(readable)), await sha256(data), "SHA-256");
  await socket.closed;
}
