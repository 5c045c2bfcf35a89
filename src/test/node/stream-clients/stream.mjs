// A connection through the proxy as a stream of Node's, by npm's ws alone: what a driver takes in place of a socket.
import { WebSocket, createWebSocketStream } from "ws";

const { SOCKET_PROXY_URL, SOCKET_PROXY_TOKEN } = process.env;

/** With the credential in a header, or, with `ticket`, in the URL. */
export async function connect(port, { ticket = false } = {}) {
  const headers = { Authorization: `Bearer ${SOCKET_PROXY_TOKEN}` };
  let url = `${SOCKET_PROXY_URL.replace("http", "ws")}/api/v1/connect?host=127.0.0.1&port=${port}`;
  if (ticket) {
    const answer = await fetch(`${SOCKET_PROXY_URL}/api/v1/tickets`, { method: "POST", headers });
    url += `&ticket=${(await answer.json()).ticket}`;
  }
  const socket = new WebSocket(url, ticket ? {} : { headers });
  const stream = createWebSocketStream(socket);
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  // What sockets have beside a stream's methods.
  return Object.assign(stream, { setNoDelay() {}, setKeepAlive() {}, setTimeout() {}, ref() {}, unref() {} });
}
