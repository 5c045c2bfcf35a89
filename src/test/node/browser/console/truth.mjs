// That the console tells the truth: what has become of a socket, what may be done with it, and what was said on it, also after a reload.

import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import {
  audit, browse, call, closers, connect, create, echo, eventually, handleTo, listen, picture, send, serve, shown, shows, signIn, state, token, url,
} from "./support.mjs";

const badge = (page, word) => page.locator(".handle-pane .badge", { hasText: word }).waitFor();
const open = (page, id) => page.goto(`${url}/#/sockets/${id}`);
const focused = (page) => page.evaluate(() => document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent);

/** Whether a button is there, cannot be used, and says why to a screen reader. */
async function refused(button, reason) {
  await eventually(() => button.getAttribute("aria-disabled"));
  const description = await button.evaluate((node) => document.getElementById(node.getAttribute("aria-describedby")).textContent);
  assert.match(description, reason);
}

const looks = (colorScheme) => ({ context: { colorScheme } });
const phone = { context: { viewport: { width: 320, height: 640 }, hasTouch: true, colorScheme: "dark" } };

/** The states that a peer brings about, on a screen or a phone, and what axe finds of them. */
const ends = (settings) => (name) => browse(name, async (page) => {
  const inTheList = (word) => settings === phone || page.locator(".rows .row.selected .state", { hasText: word }).waitFor();
  const port = await serve((connection) => connection.on("data", (data) => {
    if (String(data).startsWith("fin")) {
      connection.end("bye\r\n");
    } else {
      connection.resetAndDestroy();
    }
  }));
  await signIn(page);
  await connect(page, port);
  const title = `TCP 127.0.0.1:${port}`;
  await state(page, "connected");
  await send(page, "fin");
  await state(page, "peer closed");
  await inTheList("peer closed");
  await shows(page, "bye");
  await audit(page, "peer closed");
  await page.getByRole("button", { name: "Half-close" }).click();
  await state(page, "disconnected");
  await page.getByRole("heading", { name: title, level: 2 }).waitFor();
  await refused(page.getByRole("button", { name: "Half-close" }), /FIN is sent already/);
  await refused(page.getByRole("button", { name: "Send", exact: true }), /shut down|ended/);

  // A peer that has closed is known of before anybody receives.
  const { id } = await call("POST", "connections", { host: "127.0.0.1", port });
  await call("POST", `sockets/${id}/send`, { text: "fin" });
  await open(page, id);
  await state(page, "peer closed");

  await page.goto(`${url}/#/`);
  await connect(page, port);
  // What was attached here a moment ago is not elsewhere.
  await page.getByRole("button", { name: "Detach" }).click();
  await page.getByRole("button", { name: "Attach", exact: true }).click();
  await page.getByRole("button", { name: "Detach" }).waitFor();
  assert.equal(await page.getByText("attached elsewhere").count(), 0);
  await send(page, "rst");
  await state(page, "reset");
  await inTheList("reset");
  await page.getByRole("heading", { name: title, level: 2 }).waitFor();
  assert.ok((await page.title()).startsWith(title), "the title stays");
  await audit(page, "reset");
  await page.getByRole("button", { name: "Connect again" }).click();
  await state(page, "connected");
  await page.getByRole("heading", { name: title, level: 2 }).waitFor();
  await eventually(() => focused(page), (label) => label === "Data to send");
}, settings);

/** A socket that another client has. */
const elsewhere = (settings) => (name) => browse(name, async (page, context) => {
  const port = await echo();
  await signIn(page);
  await connect(page, port);
  const { id } = await handleTo(port);
  const second = await context.newPage();
  await second.goto(`${url}/#token=${token}`);
  await second.getByRole("heading", { name: "Sockets", level: 1 }).waitFor();
  await open(second, id);
  await badge(second, "attached elsewhere");
  await audit(second, "attached elsewhere");
  if (settings !== phone && settings.context.colorScheme === "dark") {
    await picture(second, "console-elsewhere");
  }
  await second.getByRole("tab", { name: "Calls" }).click();
  await refused(second.getByRole("form", { name: "Receive" }).getByRole("button"), /A stream is attached/);
  await second.getByRole("tab", { name: "Data" }).click();
  await second.getByRole("button", { name: "Take over" }).click();
  await second.getByRole("button", { name: "Detach" }).waitFor();
  await send(second, "from the second");
  await eventually(() => second.locator(".jrow.in code").allTextContents(), (rows) => rows.join().includes("from the second"));

  await page.bringToFront();
  await badge(page, "attached elsewhere");
  await shows(page, "Another client has taken the socket over");
  await page.getByRole("button", { name: "Take over" }).click();
  await page.getByRole("button", { name: "Detach" }).waitFor();
  await send(page, "back again");
  await eventually(() => page.locator(".jrow.in code").allTextContents(), (rows) => rows.join().includes("back again"));
}, settings);

/** How much of a window is the data's. */
const room = (width, height, least) => (name) => browse(name, async (page) => {
  const port = await serve((connection) => connection.write("220 mail.example ESMTP ready\r\n".repeat(40)));
  await signIn(page);
  await connect(page, port);
  await shows(page, "220 mail.example");
  const box = await page.locator(".journal").boundingBox();
  assert.ok(box.height >= least, `${box.height} of ${height} pixels`);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width, "nothing is cut off");
  await page.getByLabel("Data to send").scrollIntoViewIfNeeded();
  await send(page, "still within reach");
  await shows(page, "still within reach");
  await audit(page, `${width} by ${height}`);
}, { context: { viewport: { width, height } } });

export const cases = {
  "ends-in-light": ends(looks("light")),
  "ends-in-dark": ends(looks("dark")),
  "ends-on-a-phone": ends(phone),
  "elsewhere-in-light": elsewhere(looks("light")),
  "elsewhere-in-dark": elsewhere(looks("dark")),
  "elsewhere-on-a-phone": elsewhere(phone),
  "room-at-200-percent": room(640, 450, 200),
  "room-at-400-percent": room(320, 256, 150),
  "room-on-a-phone": room(320, 640, 200),

  // SIGTERM while the page is open; its process is SERVICE.
  stopping: (name) => browse(name, async (page) => {
    const port = await echo();
    await signIn(page);
    await connect(page, port);
    process.kill(Number(process.env.SERVICE), "SIGTERM");
    await badge(page, "stopping");
    await page.locator(".live", { hasText: "stopping" }).waitFor();
    await shows(page, "The server is shutting down");
    await audit(page, "stopping");
    await send(page, "one last word");
    await eventually(() => page.locator(".jrow.in code").allTextContents(), (rows) => rows.join().includes("one last word"));
    await page.getByRole("button", { name: "Close", exact: true }).click();
    await page.locator(".live", { hasText: "no answer" }).waitFor();
  }, { expected: /ERR_|WebSocket connection/ }),

  gone: (name) => browse(name, async (page) => {
    const port = await echo();
    await signIn(page);
    await connect(page, port, "localhost");
    await send(page, "remember me");
    const { id } = await handleTo(port);
    await call("DELETE", `sockets/${id}`);
    await state(page, "gone");
    await page.getByRole("heading", { name: `TCP 127.0.0.1:${port}` }).waitFor();
    assert.match(await shown(page), /remember me/);
    await picture(page, "console-gone");
    await page.getByRole("tab", { name: "Calls" }).click();
    await refused(page.getByRole("form", { name: "Receive" }).getByRole("button"), /closed/);
    await audit(page, "gone");
    await page.getByRole("tab", { name: "Options" }).click();
    await page.getByText("its options are gone with it").waitFor();
    await page.getByRole("button", { name: "Connect again" }).click();
    await state(page, "connected");
    assert.notEqual((await handleTo(port)).id, id);

    await page.goto(`${url}/#/`);
    const heard = await listen(page);
    await page.getByRole("button", { name: "Close", exact: true }).click();
    await page.getByRole("button", { name: "Listen again" }).click();
    await state(page, "listening");
    await page.getByRole("heading", { name: `127.0.0.1:${heard}` }).waitFor();
  }),

  // The visitor of a listener has a name, also when it has gone.
  "names-of-visitors": (name) => browse(name, async (page) => {
    await signIn(page);
    const port = await listen(page);
    const visitor = net.connect(port, "127.0.0.1");
    closers.push(() => visitor.destroy());
    await once(visitor, "connect");
    const from = `127.0.0.1:${visitor.localPort}`;
    await page.getByRole("link", { name: "Open" }).click();
    await page.getByRole("heading", { name: `TCP ${from}` }).waitFor();
    await page.locator(".route", { hasText: `accepted on 127.0.0.1:${port}` }).waitFor();
    await eventually(() => focused(page), (label) => label === "Data to send");
    visitor.resetAndDestroy();
    await state(page, "reset");
    await page.getByRole("heading", { name: `TCP ${from}` }).waitFor();
    await page.getByRole("link", { name: `TCP ${from}` }).waitFor();
    assert.equal(await page.getByRole("button", { name: "Connect again" }).isVisible(), false, "a visitor has to come by itself");
  }),

  "host-and-port": (name) => browse(name, async (page, context) => {
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    const { splitAddress } = await import("../../../../main/resources/static/console/address.js");
    for (const [text, host, port] of [
      ["example.com:80", "example.com", 80],
      [" 192.0.2.7:65535\n", "192.0.2.7", 65535],
      ["[2001:db8::1]:443", "2001:db8::1", 443],
      ["[::1]", "::1", null],
      ["example.com 25", "example.com", 25],
      ["https://example.com/a?b", "example.com", 443],
      ["redis://user:word@cache.example:6380/0", "cache.example", 6380],
    ]) {
      assert.deepEqual(splitAddress(text), { host, port }, text);
    }
    for (const text of ["example.com", "::1", "2001:db8::1", "fe80::1%eth0", "example.com:65536", "example.com:http", ""]) {
      assert.equal(splitAddress(text), null, text);
    }
    const port = await echo();
    await signIn(page);
    let dialog = await create(page, "connect");
    const host = () => dialog.getByLabel("Host", { exact: true });
    const number = () => dialog.getByLabel("Port", { exact: true });
    await page.evaluate((address) => navigator.clipboard.writeText(address), `[::1]:${port}`);
    await host().press("ControlOrMeta+v");
    assert.deepEqual([await host().inputValue(), await number().inputValue()], ["::1", String(port)]);
    await host().fill("");
    await host().pressSequentially(`127.0.0.1:${port}`);
    await host().press("Enter");
    await page.getByRole("heading", { name: `TCP 127.0.0.1:${port}` }).waitFor();
    await eventually(() => focused(page), (label) => label === "Data to send");

    dialog = await create(page, "udp");
    await dialog.getByLabel("Local host").fill("127.0.0.1:0");
    await dialog.getByLabel("Remote host").fill(`127.0.0.1:${port}`);
    await dialog.getByRole("button", { name: "Make" }).click();
    await page.getByRole("heading", { name: `UDP 127.0.0.1:${port}` }).waitFor();
    await eventually(() => focused(page), (label) => label === "Data to send");
  }),

  "what-the-state-allows": (name) => browse(name, async (page) => {
    await signIn(page);
    const { id } = await call("POST", "sockets");
    await open(page, id);
    await page.getByRole("tab", { name: "Calls", selected: true }).waitFor();
    const button = (label) => page.getByRole("form", { name: label, exact: true }).getByRole("button");
    await refused(button("Receive"), /not connected/);
    await refused(button("Accept"), /does not listen/);
    await refused(button("Shut down"), /not connected/);
    await refused(page.getByRole("button", { name: "Attach", exact: true }), /not connected/);
    await refused(page.getByRole("button", { name: "Half-close" }), /not connected/);
    await page.getByText("It does not listen. Bind it, and listen, first.").first().waitFor();
    await audit(page, "an unbound socket's calls");
    await button("Accept").focus();
    await page.keyboard.press("Enter");
    await page.getByRole("status").getByText("It does not listen.").waitFor();
    await button("Bind").click();
    await state(page, "bound");
    await refused(button("Bind"), /bound already/);
    await button("Listen").click();
    await state(page, "listening");
    await page.getByRole("tab", { name: "Calls" }).click();
    await refused(button("Connect"), /It listens/);
    await refused(button("Receive"), /no data of its own/);
    assert.equal(await button("Accept").getAttribute("aria-disabled"), null);
    await page.getByRole("tab", { name: "Connections" }).click();
    await page.getByLabel("Accept connections as they come").check();
    await page.getByRole("tab", { name: "Calls" }).click();
    await eventually(() => button("Accept").getAttribute("aria-disabled"));
    await refused(button("Accept"), /A stream is attached/);

    const udp = await call("POST", "sockets", { type: "SOCK_DGRAM" });
    await open(page, udp.id);
    await page.getByRole("tab", { name: "Calls" }).click();
    await refused(button("Listen"), /Datagrams need no listener/);
    assert.equal(await button("Connect").getAttribute("aria-disabled"), null);
  }),

};
