// What the browser client does, case by case. Runs in a page and in Node alike; the cases are in suite/, by topic.
//
// A case gets `proxy`, `SocketProxy`, `SocketError`, `ports` of the targets, `control` over them, and `soon`, which waits for a condition.

import { cases as bsdCalls } from "./suite/bsd-calls.mjs";
import { cases as connect } from "./suite/connect.mjs";
import { cases as handles } from "./suite/handles.mjs";
import { cases as interfaces } from "./suite/interfaces.mjs";
import { cases as network } from "./suite/network.mjs";
import { cases as serverSocket } from "./suite/server-socket.mjs";
import { cases as tcpClose } from "./suite/tcp-close.mjs";
import { cases as startTls } from "./suite/start-tls.mjs";
import { cases as tcpSocket } from "./suite/tcp-socket.mjs";
import { cases as tcpStreams } from "./suite/tcp-streams.mjs";
import { cases as udpSocket } from "./suite/udp-socket.mjs";
import { ok, show } from "./suite/checks.mjs";

const cases = {
  ...tcpSocket,
  ...tcpClose,
  ...tcpStreams,
  ...network,
  ...serverSocket,
  ...udpSocket,
  ...interfaces,
  ...connect,
  ...startTls,
  ...bsdCalls,
  ...handles,
};

/** What a case has left open is none of the next one's business. A connection for requests may have been cut with the others, and nobody noticed yet. */
async function closeAll(proxy, attempts = 5) {
  let sockets;
  try {
    ({ sockets } = await proxy.request("GET", "/sockets", { query: { limit: 1000 } }));
  } catch (error) {
    if (error.errno === "ENETDOWN" && attempts > 1) {
      await closeAll(proxy, attempts - 1);
      return;
    }
    throw error;
  }
  await Promise.all(sockets.map(({ id }) => proxy.request("DELETE", `/sockets/${id}`).catch(() => {})));
}

/** Runs the cases one after the other; what is reported of each is `{ name, ms, error }`. */
export async function run(module, { url, token, WebSocket, ports, control, ipv6, deadUrl, only, report }) {
  const { SocketProxy, SocketError, constants } = module;
  const options = { url, token, WebSocket };
  const soon = async (condition, what, everyMs = 20) => {
    for (const deadline = Date.now() + 20_000; !(await condition()); ) {
      ok(Date.now() < deadline, what);
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  };
  for (const [name, test] of Object.entries(cases)) {
    // What needs certificates has no targets without.
    if ((only && !new RegExp(only).test(name)) || (name in startTls && !ports.tlsEcho)) {
      continue;
    }
    const started = Date.now();
    let timer;
    const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error("not done after 60 s")), 60_000)));
    let error;
    try {
      const proxy = new SocketProxy(options);
      await Promise.race([late, test({ proxy, SocketProxy, SocketError, constants, options, ports, control, soon, ipv6, deadUrl })]);
    } catch (failure) {
      error = String(failure?.stack?.includes(failure.message) ? failure.stack : `${show(failure)}\n${failure?.stack}`);
    }
    clearTimeout(timer);
    await closeAll(new SocketProxy(options));
    await report({ name, ms: Date.now() - started, error });
  }
}
