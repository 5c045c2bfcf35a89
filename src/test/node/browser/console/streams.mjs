// What is said on a socket: connections, listeners and datagrams.

import assert from "node:assert/strict";
import dgram from "node:dgram";
import { once } from "node:events";
import net from "node:net";
import { browse, call, closers, connect, create, echo, eventually, handles, listen, picture, send, serve, show, shown, shows, signIn, wire } from "./support.mjs";

export const cases = {
  "connect-send-receive": (name) => browse(name, async (page) => {
    const port = await echo();
    await signIn(page);
    await connect(page, port);
    await page.getByRole("heading", { name: `TCP 127.0.0.1:${port}` }).waitFor();
    await send(page, "Grüße");
    await eventually(() => page.locator(".jrow.in code").allTextContents(), (rows) => rows.join("").includes("Grüße"));
    assert.match(await page.locator(".jsummary").textContent(), /9 bytes received, 9 sent/);

    await show(page, "Hex");
    await shows(page, "47 72 c3 bc c3 9f 65");
    assert.match(await shown(page), /00000000/);
    await show(page, "Terminal");
    await shows(page, "Grüße");
    await show(page, "Text");

    await page.locator(".composer .segment", { hasText: "Hex" }).click();
    await send(page, "00 ff 0d 0a");
    await shows(page, "NUL\\xff");
    await page.locator(".composer .segment", { hasText: "Text" }).click();
    await page.getByLabel("Line ending").selectOption("none");
    await page.getByLabel("Escapes").check();
    await send(page, "a\\tb\\x21\\n");
    await eventually(() => page.locator(".jrow.in code").allTextContents(), (rows) => rows.some((row) => row === "a       b!"));
    await page.getByLabel("Data to send").press("ArrowUp");
    assert.equal(await page.getByLabel("Data to send").inputValue(), "a\\tb\\x21\\n");

    const [{ id, bytesIn, bytesOut, attached }] = (await handles()).filter(({ remoteAddress }) => remoteAddress?.port === port);
    assert.deepEqual({ bytesIn, bytesOut, attached }, { bytesIn: 18, bytesOut: 18, attached: true });
    await page.getByRole("button", { name: "Detach" }).click();
    await page.getByRole("button", { name: "Attach" }).waitFor();
    assert.equal((await call("GET", `sockets/${id}`)).attached, false);

    await page.getByRole("button", { name: "Close", exact: true }).click();
    await page.locator(".handle-pane .state", { hasText: "closed" }).waitFor();
    assert.ok(!(await handles()).some((handle) => handle.id === id));
    assert.match(await shown(page), /closed/);
  }),

  "send-a-file": (name) => browse(name, async (page) => {
    const file = Buffer.alloc(3_000_001, "0123456789abcdef");
    const received = [];
    const port = await serve((connection) => connection.on("data", (data) => received.push(data)));
    await signIn(page);
    await connect(page, port);
    await page.locator(".composer .segment", { hasText: "File" }).click();
    await page.getByLabel("File to send").setInputFiles({ name: "data.bin", mimeType: "application/octet-stream", buffer: file });
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await page.getByText("data.bin: 3.00 MB sent").waitFor();
    await eventually(() => received.reduce((sum, part) => sum + part.length, 0), (sum) => sum === file.length);
    assert.ok(Buffer.concat(received).equals(file));
  }),

  "half-close": (name) => browse(name, async (page) => {
    let ended = false;
    const port = await serve((connection) => {
      connection.resume();
      connection.on("end", () => {
        ended = true;
        connection.write("after your FIN\r\n");
        setTimeout(() => connection.end(), 200);
      });
    });
    await signIn(page);
    await connect(page, port);
    await send(page, "a request");
    await page.getByRole("button", { name: "Half-close" }).click();
    await shows(page, "after your FIN");
    assert.ok(ended);
    await shows(page, "The peer sent FIN");
    assert.equal(await page.getByLabel("Data to send").isDisabled(), true);
  }),

  "reset-by-the-peer": (name) => browse(name, async (page) => {
    const port = await serve((connection) => connection.once("data", () => connection.resetAndDestroy()));
    await signIn(page);
    await connect(page, port);
    await send(page, "reset me");
    await page.getByRole("alert").getByText("ECONNRESET").first().waitFor();
  }),

  listener: (name) => browse(name, async (page) => {
    await signIn(page);
    const port = await listen(page);
    const visitors = [];
    for (let i = 0; i < 3; i++) {
      const visitor = net.connect(port, "127.0.0.1");
      closers.push(() => visitor.destroy());
      await once(visitor, "connect");
      visitors.push(visitor);
      await page.getByRole("cell", { name: `127.0.0.1:${visitor.localPort}`, exact: true }).waitFor();
    }
    await picture(page, "console-listener");
    const [visitor] = visitors;
    const row = page.getByRole("row").filter({ hasText: `127.0.0.1:${visitor.localPort}` });
    await row.getByRole("link", { name: "Open" }).click();
    await page.getByRole("button", { name: "Detach" }).waitFor();
    visitor.write("hello, console\n");
    await shows(page, "hello, console");
    await send(page, "hello, visitor");
    assert.match(String((await once(visitor, "data"))[0]), /hello, visitor\r\n/);

    await page.goBack();
    await page.getByLabel("Accept connections as they come").uncheck();
    await eventually(async () => (await handles()).find(({ state }) => state === "listening").attached, (attached) => !attached);
    const late = net.connect(port, "127.0.0.1");
    closers.push(() => late.destroy());
    await once(late, "connect");
    await page.getByRole("button", { name: "Accept one" }).click();
    await page.getByRole("cell", { name: `127.0.0.1:${late.localPort}`, exact: true }).waitFor();
  }),

  udp: (name) => browse(name, async (page) => {
    const peer = dgram.createSocket("udp4");
    peer.bind(0, "127.0.0.1");
    await once(peer, "listening");
    closers.push(() => peer.close());
    const messages = [];
    peer.on("message", (message, from) => {
      messages.push(String(message));
      peer.send(`you said ${message}`, from.port, from.address);
    });
    await signIn(page);
    const dialog = await create(page, "udp");
    await dialog.getByLabel("Local host").fill("127.0.0.1");
    await dialog.getByRole("button", { name: "Make" }).click();
    await page.getByRole("button", { name: "Detach" }).waitFor();
    await page.getByLabel("To host").fill("127.0.0.1");
    await page.locator(".to-part").getByLabel("Port").fill(String(peer.address().port));
    await send(page, "ping");
    await shows(page, "you said ping");
    assert.deepEqual(messages, ["ping"]);
    await shows(page, `127.0.0.1:${peer.address().port}`);

    const stranger = dgram.createSocket("udp4");
    closers.push(() => stranger.close());
    const [{ localAddress }] = (await handles()).filter(({ type, attached }) => type === "SOCK_DGRAM" && attached);
    stranger.send("from a stranger", localAddress.port, "127.0.0.1");
    await shows(page, "from a stranger");
    await page.getByRole("button", { name: `127.0.0.1:${stranger.address().port}` }).click();
    assert.equal(await page.locator(".to-part").getByLabel("Port").inputValue(), String(stranger.address().port));
    await picture(page, "console-udp");
    const [[answer]] = await Promise.all([once(stranger, "message"), send(page, "and back")]);
    assert.equal(String(answer), "and back");
    await page.getByLabel("To host").fill("10.0.0.1");
    await send(page, "not allowed");
    await page.getByRole("alert").getByText("EACCES").waitFor();
  }, { expected: /status of 403/ }),

  resume: (name) => browse(name, async (page) => {
    const port = await echo();
    await signIn(page);
    await connect(page, port);
    const received = (text) => eventually(() => page.locator(".jrow.in").allTextContents(), (rows) => rows.join().includes(text));
    await send(page, "before");
    await received("before");
    for (const side of wire) {
      side.destroy();
    }
    await shows(page, "resuming");
    await shows(page, "Resumed");
    await send(page, "after");
    await received("after");
    assert.match(await page.locator(".jsummary").textContent(), /^15 bytes received, 15 sent/);
  }, { expected: /ERR_|WebSocket connection/ }),
};
