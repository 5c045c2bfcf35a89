// The real servers that the browser client is tested against, and the network between it and the service, which can be cut.

import { createHash } from "node:crypto";
import dgram from "node:dgram";
import { readFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import tls from "node:tls";

const HOST = "127.0.0.1";

/** Listens on a free port of 127.0.0.1; a peer that resets is no fault of the target's. */
function listen(onConnection) {
  return new Promise((resolve) => {
    const server = net.createServer({ allowHalfOpen: true }, (connection) => {
      connection.on("error", () => connection.destroy());
      onConnection(connection);
    });
    server.listen(0, HOST, () => resolve(server));
  });
}

function hasIpv6() {
  return new Promise((resolve) => {
    const probe = net.createServer().on("error", () => resolve(false));
    probe.listen(0, "::1", () => probe.close(() => resolve(true)));
  });
}

/** So many bytes that differ everywhere, in blocks. */
export function* noise(count) {
  const block = Buffer.alloc(64 * 1024);
  for (let state = 1, at = 0; at < count; at += block.length) {
    for (let i = 0; i < block.length; i += 4) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      block.writeUInt32LE(state, i);
    }
    yield Buffer.from(block.subarray(0, Math.min(block.length, count - at)));
  }
}

/** Starts all targets; `ports` are where they are, `control` is what a test can ask of them, wherever it runs. */
export async function start(serviceUrl) {
  const service = new URL(serviceUrl);
  const closers = [];
  const ports = {};
  const tcp = async (name, onConnection) => {
    const connections = new Set();
    const server = await listen((connection) => {
      connections.add(connection);
      connection.on("close", () => connections.delete(connection));
      onConnection(connection);
    });
    ports[name] = server.address().port;
    closers.push(() => {
      server.close();
      connections.forEach((connection) => connection.destroy());
    });
  };

  await tcp("echo", (connection) => connection.pipe(connection));
  await tcp("hello", (connection) => connection.end("hello"));
  // Says hello with a FIN, and tells what it got after it.
  let tell = () => {};
  await tcp("halfClosing", (connection) => {
    let received = "";
    connection.end("hello");
    connection.on("data", (data) => (received += data)).on("end", () => tell(received));
  });
  // Reads to the FIN, and only then answers: the digest of what it got.
  await tcp("digest", (connection) => {
    const hash = createHash("sha256");
    connection.on("data", (data) => hash.update(data)).on("end", () => connection.end(hash.digest("hex")));
  });
  // Sends as many bytes as the client's first line says, then their digest.
  await tcp("source", (connection) => {
    connection.once("data", (line) => {
      const hash = createHash("sha256");
      const blocks = noise(Number(line));
      const next = () => {
        for (;;) {
          const { value: block, done } = blocks.next();
          if (done) {
            connection.end(hash.digest());
            return;
          }
          hash.update(block);
          if (!connection.write(block)) {
            connection.once("drain", next);
            return;
          }
        }
      };
      next();
    });
  });
  await tcp("reset", (connection) => connection.once("data", () => connection.resetAndDestroy()));
  await tcp("resetAfterData", (connection) => {
    connection.write("x".repeat(1000));
    connection.once("data", () => connection.resetAndDestroy());
  });
  await tcp("silent", (connection) => connection.resume());
  // Reads nothing until its gate is opened.
  let gate = () => {};
  await tcp("gated", (connection) => {
    connection.pause();
    let count = 0;
    connection.on("data", (data) => (count += data.length)).on("end", () => connection.end(String(count)));
    gate = () => connection.resume();
  });
  // Sends for ever; `written` is how much the kernel took.
  let endless;
  await tcp("endless", (connection) => {
    endless = connection;
    const block = Buffer.alloc(64 * 1024, "x");
    const next = () => {
      while (connection.write(block));
      connection.once("drain", next);
    };
    next();
  });

  // Reads nothing and does what it is told to: `held`.
  let held;
  await tcp("held", (connection) => {
    connection.pause();
    held = connection;
  });

  // With TLS, where there are certificates: the service trusts ca.pem, which has signed server.pem, for localhost and 127.0.0.1.
  const directory = process.env.CERTIFICATES;
  const serverNames = [];
  if (directory) {
    const identity = (name) =>
      ({ cert: readFileSync(path.join(directory, `${name}.pem`)), key: readFileSync(path.join(directory, `${name}.key`)) });
    const options = {
      ...identity("server"),
      ALPNProtocols: ["echo", "other"],
      SNICallback: (name, done) => {
        serverNames.push(name);
        done(null, null);
      },
    };
    const secure = (connection, onSecured, settings = options) => {
      const secured = new tls.TLSSocket(connection, { isServer: true, secureContext: tls.createSecureContext(settings), ...settings });
      secured.on("error", () => secured.destroy());
      onSecured(secured);
    };
    const echo = (secured) => secured.pipe(secured);
    await tcp("tlsEcho", (connection) => secure(connection, echo));
    await tcp("tlsSelfSigned", (connection) => secure(connection, echo, identity("selfsigned")));
    // As PostgreSQL has it: SSLRequest, "S", and TLS from there on; of anything else, an echo in clear.
    await tcp("tlsAfterRequest", (connection) => {
      let asked = Buffer.alloc(0);
      connection.on("data", function listen(data) {
        asked = Buffer.concat([asked, data]);
        if (asked.length < 8) {
          return;
        }
        connection.off("data", listen);
        if (asked.readInt32BE(4) === 80877103) {
          connection.write("S");
          secure(connection, echo);
        } else {
          connection.write(asked);
          connection.pipe(connection);
        }
      });
    });
    // Says more than "S" in clear, as whoever is on the way could.
    await tcp("tlsInjected", (connection) => connection.once("data", () => connection.write("SERROR")));
    // Sends as many bytes of noise as it is asked for, with their digest.
    await tcp("tlsSource", (connection) => secure(connection, (secured) => secured.once("data", (line) => {
      const data = Buffer.concat([...noise(Number(line))]);
      secured.end(Buffer.concat([data, createHash("sha256").update(data).digest()]));
    })));
  }

  const udp = dgram.createSocket("udp4");
  udp.on("message", (data, { port, address }) => udp.send(data, port, address));
  await new Promise((resolve) => udp.bind(0, HOST, resolve));
  ports.udpEcho = udp.address().port;
  closers.push(() => udp.close());

  // Between client and service.
  const pipes = new Set();
  let down = false;
  const network = await listen((client) => {
    if (down) {
      client.resetAndDestroy();
      return;
    }
    const upstream = net.connect({ host: service.hostname, port: service.port, allowHalfOpen: true });
    const pipe = { client, upstream };
    pipes.add(pipe);
    const destroy = () => {
      client.destroy();
      upstream.destroy();
      pipes.delete(pipe);
    };
    for (const side of [client, upstream]) {
      side.on("error", destroy).on("close", destroy);
    }
    client.pipe(upstream);
    upstream.pipe(client);
  });
  closers.push(() => network.close(), () => cut());
  const cut = () => pipes.forEach(({ client, upstream }) => {
    client.resetAndDestroy();
    upstream.resetAndDestroy();
  });

  const dialled = [];
  closers.push(() => control.hangUp());

  const control = {
    cut: () => {
      const count = pipes.size;
      cut();
      return count;
    },
    /** No connection for so long; those that are go too. */
    outage: (ms) => {
      down = true;
      cut();
      setTimeout(() => (down = false), ms);
    },
    openGate: () => void gate(),
    /** The names of SNI since this was last asked. */
    serverNames: () => serverNames.splice(0),
    written: () => endless.bytesWritten - endless.writableLength,
    nextReceived: () => new Promise((resolve) => (tell = resolve)),
    /** From outside: connects, sends a text with a FIN, and answers what it got until the other FIN. */
    dial: (port, text) => new Promise((resolve, reject) => {
      let answer = "";
      net.connect({ port, host: HOST, allowHalfOpen: true }, function () {
        this.end(text);
      }).on("data", (data) => (answer += data)).on("end", () => resolve(answer)).on("error", (error) => reject(new Error(error.code)));
    }),
    /** To the last connection of `held`: what a socket of Node's can be told, such as write, end and resetAndDestroy. */
    held: (call, ...args) => void held[call](...args),
    /** From outside: connects and stays, until the answer is wanted; `written` of each are how much the kernel took. */
    dialMany: (port, count, bytes) => {
      for (let i = 0; i < count; i++) {
        const connection = net.connect({ port, host: HOST, allowHalfOpen: true });
        const client = { connection, answer: "" };
        connection.on("data", (data) => (client.answer += data)).on("end", () => connection.end()).on("error", () => connection.destroy());
        connection.write(bytes > 16 ? Buffer.alloc(bytes, "x") : String(i).padEnd(bytes));
        dialled.push(client);
      }
    },
    dialled: () => dialled.map(({ connection, answer }) => ({ written: connection.bytesWritten - connection.writableLength, answer })),
    hangUp: () => dialled.splice(0).forEach(({ connection }) => connection.destroy()),
    /** From outside: sends a datagram, and answers what came back. */
    sendDatagram: (port, text) => new Promise((resolve) => {
      const socket = dgram.createSocket("udp4");
      socket.on("message", (data) => {
        socket.close();
        resolve(String(data));
      });
      socket.send(text, port, HOST);
    }),
  };
  return {
    url: `http://${HOST}:${network.address().port}${service.pathname.replace(/\/$/, "")}`,
    ports,
    ipv6: await hasIpv6(),
    control: (name, ...args) => control[name](...args),
    stop: () => closers.forEach((close) => close()),
  };
}
