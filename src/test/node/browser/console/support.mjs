// What the console's cases share: servers to connect to, the REST interface, and what a user does on a page.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import net from "node:net";
import path from "node:path";

const service = process.env.SOCKET_PROXY_URL;
export const closers = [];

// Where the network is to be cut, the browser reaches the service through a wire of this test.
export const wire = new Set();
if (process.env.CASE === "resume") {
  process.env.SOCKET_PROXY_URL = `http://127.0.0.1:${await serve((near) => {
    const far = net.connect(new URL(service).port, new URL(service).hostname);
    far.on("error", () => {});
    for (const [from, to] of [[near, far], [far, near]]) {
      wire.add(from);
      from.on("close", () => {
        wire.delete(from);
        to.destroy();
      });
    }
    near.pipe(far).pipe(near);
  })}`;
}
export const { browse, token, url } = await import("../browser.mjs");

/** The token of another owner. */
export const anotherToken = process.env.ANOTHER_TOKEN;

/** A TCP server of this test; gives its port. */
export async function serve(handler) {
  const server = net.createServer({ allowHalfOpen: true }, (connection) => {
    connection.on("error", () => {});
    closers.push(() => connection.destroy());
    handler(connection);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(() => server.close());
  return server.address().port;
}

export const echo = () => serve((connection) => connection.pipe(connection));

/** The REST interface, without the console. */
export async function call(method, target, json) {
  const response = await fetch(`${service}/api/v1/${target}`, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: json && JSON.stringify(json),
  });
  assert.ok(response.ok, `${method} ${target}: ${response.status}`);
  return response.status === 204 ? null : response.json();
}

export async function handles() {
  const all = [];
  let cursor = "";
  do {
    const page = await call("GET", `sockets?limit=1000&cursor=${cursor}`);
    all.push(...page.sockets);
    cursor = page.nextCursor;
  } while (cursor);
  return all;
}

/** The handle that is connected to a port. */
export const handleTo = async (port) => (await handles()).find(({ remoteAddress }) => remoteAddress?.port === port);

/** Waits until the open socket's state is called so. */
export const state = (page, word) => page.locator(".handle-pane .state", { hasText: word }).waitFor();

/** A picture for the documentation, if one is asked for. */
export async function picture(page, name) {
  if (process.env.DOCUMENTATION) {
    await page.screenshot({ path: path.resolve(process.env.DOCUMENTATION, `${name}.png`) });
  }
}

/** Asks until the answer is as wanted. */
export async function eventually(ask, wanted = Boolean, limit = 15_000) {
  const deadline = Date.now() + limit;
  for (;;) {
    const answer = await ask();
    if (wanted(answer)) {
      return answer;
    }
    assert.ok(Date.now() < deadline, `still ${JSON.stringify(answer)} after ${limit} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export async function signIn(page) {
  await page.goto(`${url}/#token=${token}`);
  await page.getByRole("heading", { name: "Sockets", level: 1 }).waitFor();
}

/** Opens "New socket" and chooses a kind. */
export async function create(page, kind) {
  await page.getByRole("button", { name: "New socket" }).first().click();
  const dialog = page.getByRole("dialog", { name: "New socket" });
  await dialog.locator(`.kind:has(input[value="${kind}"])`).click();
  return dialog;
}

/** Connects by form, with a stream attached. */
export async function connect(page, port, host = "127.0.0.1") {
  const dialog = await create(page, "connect");
  await dialog.getByLabel("Host", { exact: true }).fill(host);
  await dialog.getByLabel("Port", { exact: true }).fill(String(port));
  await dialog.getByRole("button", { name: "Connect", exact: true }).click();
  await page.getByRole("button", { name: "Detach" }).waitFor();
}

/** Listens by form; gives the port. */
export async function listen(page) {
  const dialog = await create(page, "listen");
  await dialog.getByRole("button", { name: "Listen", exact: true }).click();
  await page.getByText("Waiting for connections to").waitFor();
  const heading = await page.getByRole("heading", { level: 2 }).first().textContent();
  return Number(heading.match(/:(\d+)$/)[1]);
}

export async function send(page, text) {
  await page.getByLabel("Data to send").fill(text);
  await page.getByLabel("Data to send").press("Enter");
}

/** What the journal shows, as text. */
export const shown = (page) => page.locator(".journal .jspace").innerText();

export const shows = (page, text) => eventually(() => shown(page), (all) => (text instanceof RegExp ? text.test(all) : all.includes(text)));

export const show = (page, mode) => page.locator(".journal-view .segment", { hasText: mode }).click();

/** Whether axe finds nothing against WCAG 2.1 AA. It is evaluated, not loaded by the page, whose policy would not let it. */
export async function audit(page, what) {
  await page.evaluate(await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8"));
  const { violations } = await page.evaluate(() =>
    axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"] }));
  assert.deepEqual(
    violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target, failureSummary }) => `${target} ${failureSummary}`).join("; ")}`),
    [],
    what,
  );
}

/** How long the frames of the next `ms` take, in milliseconds, longest last. */
export const frames = (page, ms) => page.evaluate((length) => new Promise((resolve) => {
  const gaps = [];
  let last = performance.now();
  const until = last + length;
  const step = (now) => {
    gaps.push(now - last);
    last = now;
    if (now < until) {
      requestAnimationFrame(step);
    } else {
      resolve(gaps.sort((a, b) => a - b));
    }
  };
  requestAnimationFrame(step);
}), ms);

/** Peers that say something worth a look. */
export async function scenery(page) {
  const web = await serve((connection) => connection.once("data", () => {
    const body = "<!doctype html>\n<title>It works</title>\n<p>Served by a real server.</p>\n";
    connection.end(`HTTP/1.1 200 OK\r\nServer: demo\r\nContent-Type: text/html\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
  }));
  const mail = await serve((connection) => {
    connection.write("220 mail.example ESMTP ready\r\n");
    connection.on("data", (line) => {
      const text = line.toString();
      connection.write(/^EHLO/i.test(text) ? "250-mail.example greets you\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 10485760\r\n"
        : /^QUIT/i.test(text) ? "221 2.0.0 Bye\r\n" : "250 2.1.0 Ok\r\n");
    });
  });
  const ticker = await serve((connection) => {
    let phase = 0;
    const timer = setInterval(() => {
      phase += 1;
      connection.write(Buffer.alloc(Math.round(9_000 * (1 + Math.sin(phase / 2.5))) + 500, 0x2e));
    }, 100);
    connection.on("close", () => clearInterval(timer));
    connection.resume();
  });
  for (const port of [ticker, ticker, mail, web]) {
    await call("POST", "connections", { host: "127.0.0.1", port });
  }
  const tickers = (await handles()).filter(({ remoteAddress }) => remoteAddress?.port === ticker);
  await call("POST", "listeners", {});
  const udp = await call("POST", "sockets", { type: "SOCK_DGRAM" });
  await call("POST", `sockets/${udp.id}/bind`, { host: "127.0.0.1", port: 0 });
  await call("POST", "sockets", { leaseMs: 40_000 });
  return { web, mail, ticker, tickers };
}
