// Compiled by the tests and never run: what the declarations have to allow, and, where it says so, to forbid.

import { SocketError, SocketProxy, constants } from "../../../main/resources/static/client/socket-proxy.js";
import type { BsdSocket, ReceivedUDPMessage, TCPSocket } from "../../../main/resources/static/client/socket-proxy.js";

const proxy = new SocketProxy({ url: "https://proxy.example", token: async () => "spx_…" });
const { TCPSocket, UDPSocket, TCPServerSocket, connect, socket, recvInto, AF_INET6, SOCK_DGRAM } = proxy;

export async function directSockets(): Promise<void> {
  const tcp: TCPSocket = new TCPSocket("example.com", 80, { noDelay: true, dnsQueryType: "ipv4" });
  const { readable, writable, remotePort } = await tcp.opened;
  const { value } = await readable.getReader({ mode: "byob" }).read(new Uint8Array(100));
  await writable.getWriter().write(value ?? new ArrayBuffer(remotePort));
  await tcp.close();

  const udp = new UDPSocket({ localAddress: "::", ipv6Only: true });
  const message: ReceivedUDPMessage | undefined = (await (await udp.opened).readable.getReader().read()).value;
  await (await udp.opened).writable.getWriter().write({ data: new Uint8Array(1), remoteAddress: message?.remoteAddress ?? "", remotePort: 53 });

  const accepted: TCPSocket | undefined = (await (await new TCPServerSocket("::1", { backlog: 5 }).opened).readable.getReader().read()).value;
  await accepted?.closed;

  // @ts-expect-error the family has another name
  new TCPSocket("example.com", 80, { dnsQueryType: "inet" });
  // @ts-expect-error there has to be a port
  new TCPSocket("example.com");
}

export async function workers(): Promise<string> {
  const connection = connect({ hostname: "example.com", port: 80 }, { allowHalfOpen: true });
  await connection.writable.getWriter().write(new TextEncoder().encode("GET / HTTP/1.0\r\n\r\n"));
  const clear = connect("example.com:5432", { secureTransport: "starttls", sni: "db.example.com", alpn: ["postgresql"] });
  const secured = clear.startTls({ expectedServerHostname: "db.example.com" });
  const alpn: string | null = (await secured.opened).alpn;
  // @ts-expect-error there is no such mode
  connect("example.com:443", { secureTransport: alpn ? "tls" : "on" });
  return (await connection.opened).remoteAddress;
}

export async function bsd(): Promise<number> {
  const one: BsdSocket = await socket(AF_INET6, SOCK_DGRAM);
  await one.bind(["::1", 0]);
  await one.setsockopt(constants.SOL_SOCKET, "SO_RCVBUF", 65_536);
  const size: number = await one.getsockopt("SOL_SOCKET", "SO_RCVBUF");
  const bytes: Uint8Array = await one.getsockopt("SOL_SOCKET", "SO_LINGER", 8);
  const [data, address] = await one.recvfrom(2048, constants.MSG_PEEK, { timeoutMs: 1000, signal: AbortSignal.timeout(2000) });
  await one.sendto(data, address ?? ["::1", 53]);
  await connect(one, { host: "::1", port: 53 });
  try {
    return (await recvInto(one, new Uint8Array(10))) + size + bytes.length;
  } catch (error) {
    return error instanceof SocketError && error.errno === "ECONNREFUSED" ? error.errnoCode ?? 0 : 0;
  }
}

proxy.addEventListener("reconnect", ({ detail }) => console.log(detail.socket, detail.attempts, detail.downMs));
proxy.install(globalThis).addEventListener;
