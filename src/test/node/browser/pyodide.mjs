// Pyodide in a page: Python's socket, ssl and urllib over the client's connect(). Prints one JSON line for each case. CERTIFICATES is a directory with
// ca.pem, which the service trusts and which has signed server.pem, for localhost; selfsigned.pem it does not trust.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import path from "node:path";
import { browse, token, url } from "./browser.mjs";

const closers = [];

async function listening(server) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(() => server.close());
  return server.address().port;
}

const identity = (name) => ({
  cert: readFileSync(path.join(process.env.CERTIFICATES, `${name}.pem`)), key: readFileSync(path.join(process.env.CERTIFICATES, `${name}.key`)),
});

const answer = async (request, response) => {
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
  }
  response.end(`${request.method} ${request.url} by ${request.socket.servername}, ${length} bytes`);
};
const ports = {
  plain: await listening(http.createServer(answer)),
  secure: await listening(https.createServer(identity("server"), answer)),
  selfsigned: await listening(https.createServer(identity("selfsigned"), answer)),
  echo: await listening(net.createServer((connection) => connection.on("error", () => {}).pipe(connection))),
};

// The page's own server: with Pyodide as npm has it.
const TYPES = { ".mjs": "text/javascript", ".wasm": "application/wasm", ".json": "application/json", ".zip": "application/zip" };
const pages = await listening(http.createServer(async (request, response) => {
  const name = path.basename(request.url);
  if (!request.url.startsWith("/pyodide/")) {
    response.writeHead(200, { "content-type": request.url === "/" ? "text/html" : "image/png" }).end();
    return;
  }
  const content = await readFile(new URL(`node_modules/pyodide/${name}`, import.meta.url));
  response.writeHead(200, { "content-type": TYPES[path.extname(name)] }).end(content);
}));
const origin = `http://127.0.0.1:${pages}`;

const CASES = {
  "socket, as anywhere": ["echo", `
import socket
with socket.create_connection(("localhost", port)) as connection:
    connection.sendall(b"hello")
    outcome = connection.recv(16).decode()
`, /^hello$/],
  "urllib in clear": ["plain", `
import urllib.request
with urllib.request.urlopen(f"http://localhost:{port}/page") as answer:
    outcome = f"{answer.status} {answer.read().decode()}"
`, /^200 GET \/page/],
  "import ssl, and urllib by HTTPS": ["secure", `
import ssl
import urllib.request
with urllib.request.urlopen(f"https://localhost:{port}/page") as answer:
    outcome = f"{answer.status} {answer.read().decode()}"
`, /^200 GET \/page by localhost/],
  "a POST by HTTPS": ["secure", `
import urllib.request
with urllib.request.urlopen(f"https://localhost:{port}/", data=bytes(300_000)) as answer:
    outcome = answer.read().decode()
`, /^POST \/ by localhost, 300000 bytes$/],
  "what the service does not trust, whatever the context says": ["selfsigned", `
import ssl
import urllib.request
try:
    urllib.request.urlopen(f"https://localhost:{port}/", context=ssl._create_unverified_context())
except OSError as error:
    outcome = f"refused: {error}"
else:
    outcome = "taken"
`, /^refused: /, "self-signed"],
};

try {
  await browse("pyodide", async (page) => {
    await page.goto(origin);
    await page.evaluate(async ({ service, key }) => {
      const { SocketProxy } = await import(`${service}/client/socket-proxy.js`);
      const { loadPyodide } = await import("/pyodide/pyodide.mjs");
      const { connect } = new SocketProxy({ url: service, token: key });
      window.reasons = [];
      window.python = await loadPyodide({ indexURL: "/pyodide/" });
      await window.python._api.initializeNodeSockFS((address, options) => {
        const socket = connect(address, options);
        const { startTls } = socket;
        // Python learns only that the connection has ended.
        socket.startTls = (...rest) => {
          const secured = startTls.apply(socket, rest);
          secured.opened.catch(({ tlsReason }) => window.reasons.push(tlsReason));
          return secured;
        };
        return socket;
      });
    }, { service: url, key: token });
    for (const [name, [target, code, expected, reason]] of Object.entries(CASES)) {
      let error;
      try {
        const { value, reasons } = await page.evaluate(async ({ port, code }) => {
          window.reasons.length = 0;
          window.python.globals.set("port", port);
          const value = await window.python.runPythonAsync(`${code}\noutcome`);
          return { value, reasons: window.reasons };
        }, { port: ports[target], code });
        assert.match(String(value), expected);
        assert.deepEqual(reasons, reason ? [reason] : []);
      } catch (failure) {
        error = failure.stack;
      }
      console.log(JSON.stringify({ name, error }));
    }
  }, { others: [origin] });
} finally {
  closers.forEach((close) => close());
}
process.exit();
