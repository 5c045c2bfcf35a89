// The first minute and the hundredth: what there is before there are sockets, the palette and the keys, names, help.

import assert from "node:assert/strict";
import { once } from "node:events";
import dgram from "node:dgram";
import { audit, browse, call, closers, create, echo, eventually, handles, picture, send, serve, shows, signIn, token, url } from "./support.mjs";

const palette = (page) => page.getByRole("combobox", { name: "Find a command" });

const focused = (page) => page.evaluate(() => document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent);

export const cases = {
  demos: (name) => browse(name, async (page) => {
    await signIn(page);
    await page.getByRole("heading", { name: "Or try one of these" }).waitFor();
    await audit(page, "no sockets");
    await picture(page, "console-empty");
    await page.getByRole("button", { name: /^Echo/ }).click();
    await page.getByRole("button", { name: "Detach" }).waitFor();
    assert.equal(await page.getByLabel("Data to send").inputValue(), "Hello, socket!");
    await page.getByLabel("Data to send").press("Enter");
    await eventually(() => page.locator(".jsummary").innerText(), (text) => text.startsWith("16 bytes received, 16 sent"));
    await send(page, "and again");
    await eventually(() => page.locator(".jsummary").innerText(), (text) => text.startsWith("27 bytes received, 27 sent"));
    await page.getByRole("tab", { name: "Code" }).click();
    await page.getByText("socket=$(call").waitFor();
    await picture(page, "console-code");
    const [listener] = (await handles()).filter(({ state }) => state === "listening");
    assert.equal(listener.localAddress.host, "127.0.0.1");
    await page.getByRole("button", { name: "Close", exact: true }).click();
    await eventually(handles, (all) => all.length === 1);
    await page.getByRole("button", { name: "Sign out" }).click();
    await eventually(handles, (all) => all.length === 0);
  }),

  presets: (name) => browse(name, async (page) => {
    const redis = await serve((connection) => connection.on("data", (data) => connection.write(`${data}` === "PING\r\n" ? "+PONG\r\n" : "-ERR\r\n")));
    const dns = dgram.createSocket("udp4", (query, { port, address }) => dns.send(Buffer.concat([query.subarray(0, 2), Buffer.from("8180", "hex"), query.subarray(4)]), port, address));
    dns.bind(0, "127.0.0.1");
    await once(dns, "listening");
    closers.push(() => dns.close());
    const absent = await serve(() => {});
    await closers.pop()();
    await signIn(page);
    await page.getByRole("button", { name: /^Redis/ }).click();
    const dialog = page.getByRole("dialog", { name: "New socket" });
    assert.equal(await dialog.getByLabel("Host", { exact: true }).inputValue(), "127.0.0.1");
    assert.equal(await dialog.getByLabel("Port", { exact: true }).inputValue(), "6379");
    await dialog.getByLabel("Port", { exact: true }).fill(String(absent));
    await dialog.getByRole("button", { name: "Connect", exact: true }).click();
    await dialog.getByRole("alert").getByText("ECONNREFUSED").first().waitFor();
    await dialog.getByLabel("Port", { exact: true }).fill(String(redis));
    await dialog.getByRole("button", { name: "Connect", exact: true }).click();
    await page.getByRole("button", { name: "Detach" }).waitFor();
    assert.equal(await page.getByLabel("Data to send").inputValue(), "PING");
    await page.getByLabel("Data to send").press("Enter");
    await shows(page, "+PONG");
    await page.getByRole("button", { name: "Close", exact: true }).click();
    await page.getByRole("link", { name: "All sockets" }).click();

    await page.getByRole("button", { name: /^DNS/ }).click();
    await dialog.getByLabel("Remote host", { exact: true }).fill("127.0.0.1");
    await dialog.getByLabel("Port", { exact: true }).fill(String(dns.address().port));
    await dialog.getByRole("button", { name: "Make", exact: true }).click();
    await page.getByRole("button", { name: "Detach" }).waitFor();
    await page.getByLabel("Data to send").press("Enter");
    await eventually(() => page.locator(".jsummary").innerText(), (text) => text.startsWith("29 bytes received, 29 sent"));
    await page.getByRole("button", { name: "Close", exact: true }).click();
    await page.getByRole("link", { name: "All sockets" }).click();
    for (const [preset, host] of [["HTTP", "example.com"], ["SMTP", "127.0.0.1"]]) {
      await page.getByRole("button", { name: new RegExp(`^${preset}`) }).click();
      assert.equal(await dialog.getByLabel("Host", { exact: true }).inputValue(), host);
      await page.keyboard.press("Escape");
    }
  }, { expected: /status of 502/ }),

  palette: (name) => browse(name, async (page) => {
    const port = await echo();
    await call("POST", "connections", { host: "127.0.0.1", port });
    await signIn(page);
    await page.locator(".rows .row").first().waitFor();
    const filter = page.getByLabel("Filter the sockets");
    await page.keyboard.press("/");
    assert.equal(await focused(page), "Filter the sockets");
    await page.keyboard.type("n/?");
    assert.equal(await filter.inputValue(), "n/?", "keys that are typed are typed");
    assert.equal(await page.getByRole("dialog").count(), 0);
    await filter.fill("");

    await page.keyboard.press("Control+k");
    await palette(page).waitFor();
    await audit(page, "the palette");
    await picture(page, "console-palette");
    const chosen = () => page.evaluate(() => document.getElementById(document.activeElement.getAttribute("aria-activedescendant"))?.textContent);
    const first = await chosen();
    await page.keyboard.press("ArrowDown");
    assert.notEqual(await chosen(), first);
    await page.keyboard.press("ArrowUp");
    assert.equal(await chosen(), first);
    await palette(page).fill("nothing is called that");
    await page.getByText("Nothing is called that.").waitFor();
    await audit(page, "the palette without a match");
    await page.keyboard.press("Escape");
    assert.equal(await focused(page), "Filter the sockets", "the focus comes back");

    await page.keyboard.press("Control+k");
    await palette(page).fill(`:${port}`);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: `:${port}` }).waitFor();
    await page.keyboard.press("Control+k");
    await palette(page).fill("attach");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Detach" }).waitFor();
    await page.keyboard.press("Control+k");
    await palette(page).fill("recv(2)");
    await page.keyboard.press("Enter");
    await page.getByRole("tab", { name: "Calls", selected: true }).waitFor();
    await page.keyboard.press("Control+k");
    await palette(page).fill("getaddrinfo");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Resolver" }).waitFor();
    await page.getByRole("heading", { name: "Resolver" }).focus();
    await page.keyboard.press("n");
    await page.getByRole("dialog", { name: "New socket" }).waitFor();
    await page.keyboard.press("Escape");

    await page.keyboard.press("?");
    const help = page.getByRole("dialog", { name: "Help" });
    await help.getByText(/socket-proxy \d+\.\d+\.\d+/).waitFor();
    await audit(page, "help");
    for (const link of await help.getByRole("link").all()) {
      const target = await link.getAttribute("href");
      assert.equal((await fetch(target)).status, 200, target);
    }
    await help.getByLabel("Keys without Ctrl").uncheck();
    await page.keyboard.press("Escape");
    await page.keyboard.press("n");
    await page.keyboard.press("Control+k");
    await palette(page).waitFor();
    assert.equal(await page.getByRole("dialog").count(), 1, "n is off");
    await page.keyboard.press("Escape");
  }),

  names: (name) => browse(name, async (page) => {
    const [one] = [await call("POST", "sockets"), await call("POST", "sockets")];
    await signIn(page);
    await page.goto(`${url}/#/sockets/${one.id}`);
    await page.getByRole("button", { name: "Give the socket a name" }).click();
    const hostile = "<b>mail</b> \u{1f4ec}";
    await page.getByLabel("Name of the socket").fill(hostile);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: hostile }).waitFor();
    assert.match(await page.title(), /^<b>mail<\/b>/);
    assert.equal(await focused(page), `Rename ${hostile}`);
    await page.getByRole("link", { name: hostile }).waitFor();
    await page.getByLabel("Filter the sockets").fill("mail");
    await eventually(() => page.locator(".rows .row").count(), (count) => count === 1);
    await page.reload();
    await page.getByRole("heading", { name: hostile }).waitFor();
    await page.keyboard.press("Control+k");
    await palette(page).fill("mail");
    await page.getByRole("option", { name: hostile }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: `Rename ${hostile}` }).click();
    await page.getByLabel("Name of the socket").fill("other");
    await page.keyboard.press("Escape");
    await page.getByRole("heading", { name: hostile }).waitFor();
    await page.getByRole("button", { name: `Rename ${hostile}` }).click();
    await page.getByLabel("Name of the socket").fill("");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Give the socket a name" }).waitFor();
    assert.equal(await page.evaluate(() => Object.keys(localStorage).filter((key) => key.includes("names")).length), 0);
  }),

  scale: (name) => browse(name, async (page) => {
    const port = await serve((connection) => {
      const timer = setInterval(() => connection.write(Buffer.alloc(5_000)), 100);
      connection.on("close", () => clearInterval(timer));
      connection.resume();
    });
    await signIn(page);
    const dialog = await create(page, "connect");
    await dialog.getByLabel("Host", { exact: true }).fill("127.0.0.1");
    await dialog.getByLabel("Port", { exact: true }).fill(String(port));
    await dialog.getByRole("button", { name: "Connect", exact: true }).click();
    await page.getByRole("button", { name: "Detach" }).waitFor();
    const plot = page.locator(".facts-strip").getByRole("img");
    await eventually(() => plot.getAttribute("aria-label"), (label) => /received \d+(\.\d+)? kB\/s at most/.test(label));
    assert.match(await plot.innerText(), /^\d+(\.\d+)? kB\/s$/);
  }),
};
