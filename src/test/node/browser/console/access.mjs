// Whoever uses it, on whatever: keyboards, phones, screen readers, and those with a thousand sockets.

import assert from "node:assert/strict";
import net from "node:net";
import { audit, browse, call, closers, create, eventually, frames, handles, listen, picture, scenery, send, show, shows, signIn, url } from "./support.mjs";

export const cases = {
  keyboard: (name) => browse(name, async (page) => {
    for (let i = 0; i < 40; i++) {
      await call("POST", "sockets");
    }
    await signIn(page);
    await page.locator(".rows .row").first().waitFor();
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to the content");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.id), "main");
    const focused = () => page.evaluate(() => document.activeElement.closest(".row")?.getAttribute("aria-rowindex") ?? document.activeElement.outerHTML);
    for (let i = 0; i < 12 && (await focused()) !== "2"; i++) {
      await page.keyboard.press("Tab");
    }
    assert.equal(await focused(), "2");
    await page.keyboard.press("ArrowDown");
    assert.equal(await focused(), "3");
    await page.keyboard.press("End");
    assert.equal(await focused(), await page.evaluate(() => document.querySelector(".table").getAttribute("aria-rowcount")));
    await page.keyboard.press("Enter");
    await eventually(() => page.evaluate(() => document.activeElement.tagName), (tag) => tag === "H2");
    const tab = page.getByRole("tab", { selected: true });
    await tab.focus();
    await page.keyboard.press("ArrowRight");
    await page.getByRole("tab", { name: "Options", selected: true }).waitFor();
    await page.getByRole("button", { name: "New socket" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.name), "host");
    await page.keyboard.press("Escape");
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "New socket", "focus comes back");
  }),

  phone: (name) => browse(name, async (page) => {
    const { mail } = await scenery(page);
    await signIn(page);
    const fits = async (what) => assert.deepEqual(
      await page.evaluate(() => [document.documentElement.scrollWidth, document.body.scrollWidth]),
      [320, 320],
      what,
    );
    await page.locator(".rows .row").first().waitFor();
    await fits("the list");
    await page.getByRole("link", { name: `127.0.0.1:${mail}` }).first().click();
    await page.getByRole("button", { name: "Attach" }).click();
    await shows(page, "220 mail.example");
    await send(page, "EHLO phone");
    await shows(page, "8BITMIME");
    await fits("the data");
    assert.ok((await page.locator(".journal").boundingBox()).height > 100);
    await picture(page, "console-phone");
    await show(page, "Hex");
    await shows(page, /31\s+30\s+34\s+38/);
    assert.ok(
      await page.locator(".journal .ascii").evaluateAll((nodes) => nodes.every((node) =>
        node.getBoundingClientRect().right <= node.closest(".journal").getBoundingClientRect().left + node.closest(".journal").clientWidth)),
      "the hexdump fits",
    );
    for (const tab of ["Connection", "Calls", "Options", "Code", "About"]) {
      await page.getByRole("tab", { name: tab }).click();
      if (tab === "Connection") {
        await page.getByRole("rowheader", { name: "rttvar" }).waitFor();
      }
      await fits(tab);
    }
    await page.getByRole("button", { name: "Commands" }).click();
    await page.getByRole("combobox", { name: "Find a command" }).waitFor();
    await fits("the palette");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Help" }).click();
    await page.getByRole("dialog", { name: "Help" }).waitFor();
    await fits("help");
    await page.keyboard.press("Escape");
    await page.getByRole("link", { name: "All sockets" }).click();
    await page.getByRole("button", { name: "New socket" }).click();
    await fits("the dialog");
    await page.keyboard.press("Escape");
    for (const link of ["Resolver", "Policy"]) {
      await page.getByRole("link", { name: link }).click();
      await page.getByRole("heading", { name: link, exact: true }).waitFor();
      if (link === "Policy") {
        await page.getByRole("rowheader", { name: "default:listen" }).waitFor();
      }
      await fits(link);
    }
    for (const { id } of await handles()) {
      await call("DELETE", `sockets/${id}`);
    }
    await page.goto(`${url}/#/`);
    await page.getByRole("heading", { name: "Or try one of these" }).waitFor();
    await fits("no sockets");
  }, { context: { viewport: { width: 320, height: 640 }, deviceScaleFactor: 2, hasTouch: true } }),

  "accessible-in-light": (name) => accessible(name, "light"),

  "accessible-in-dark": (name) => accessible(name, "dark"),

  "a-thousand-sockets": (name) => browse(name, async (page) => {
    for (let i = 0; i < 20; i++) {
      await Promise.all(Array.from({ length: 50 }, () => call("POST", "sockets", { leaseMs: 60_000 })));
    }
    await page.addInitScript(() => {
      globalThis.shifts = 0;
      new PerformanceObserver((list) => list.getEntries().forEach((entry) => (globalThis.shifts += entry.hadRecentInput ? 0 : entry.value)))
        .observe({ type: "layout-shift", buffered: true });
    });
    await signIn(page);
    await eventually(() => page.locator(".totals strong").first().textContent(), (text) => Number(text.replace(",", "")) >= 1000);
    const gaps = await frames(page, 3_000);
    console.log(`frames with 1,000 sockets: median ${gaps[gaps.length >> 1].toFixed(1)} ms, longest ${gaps.at(-1).toFixed(0)} ms`);
    assert.ok(gaps[gaps.length >> 1] < 50, `the median frame took ${gaps[gaps.length >> 1]} ms`);
    assert.ok((await page.locator(".rows .row").count()) < 60, "only what is visible is in the document");
    await page.locator(".viewport").evaluate((node) => (node.scrollTop = node.scrollHeight / 2));
    await eventually(() => page.locator(".rows .row").first().getAttribute("aria-rowindex"), (index) => Number(index) > 400);
    const begin = performance.now();
    await page.locator(".rows .row-link").nth(8).click();
    await page.locator(".handle-pane").waitFor();
    console.log(`a handle opens in ${(performance.now() - begin).toFixed(0)} ms`);
    await page.getByLabel("Filter the sockets").fill("no such address");
    await page.getByText("No socket matches the filter.").waitFor();
    assert.ok((await page.evaluate(() => globalThis.shifts)) < 0.05, "the layout does not shift");
  }),
};


/** Every page, as axe sees it. */
function accessible(name, colorScheme) {
  return browse(name, async (page) => {
    const pictured = (which, scheme) => scheme === colorScheme && picture(page, which);
    const { mail, web, tickers } = await scenery(page);
    await page.goto(url);
    await page.getByLabel("API token").waitFor();
    await audit(page, "sign-in");
    await signIn(page);
    for (const [key, dialog] of [["Control+k", "Commands"], ["?", "Help"]]) {
      await page.keyboard.press(key);
      await page.getByRole("dialog", { name: dialog }).waitFor();
      await audit(page, dialog);
      await page.keyboard.press("Escape");
    }
    for (const { id } of tickers) {
      await page.goto(`${url}/#/sockets/${id}`);
      await page.getByRole("button", { name: "Attach" }).click();
      await page.getByRole("button", { name: "Detach" }).waitFor();
    }
    await page.goto(`${url}/#/`);
    if (process.env.DOCUMENTATION) {
      await page.waitForTimeout(20_000);
    }
    await audit(page, "sockets");
    await pictured("console-sockets", "light");
    await page.getByRole("link", { name: `127.0.0.1:${mail}` }).first().click();
    await page.getByRole("button", { name: "Attach" }).click();
    await shows(page, "220 mail.example");
    await send(page, "EHLO console.example");
    await shows(page, "SIZE 10485760");
    await send(page, "MAIL FROM:<me@example.com>");
    await shows(page, "250 2.1.0 Ok");
    await page.getByLabel("Search in the data").fill("250");
    await page.getByLabel("Search in the data").press("Enter");
    await page.getByText(/1 of \d/).waitFor();
    await audit(page, "text");
    await pictured("console-text", "dark");
    await show(page, "Terminal");
    await audit(page, "terminal");
    await page.getByRole("link", { name: `127.0.0.1:${web}` }).first().click();
    await page.getByRole("button", { name: "Attach" }).click();
    await page.getByRole("button", { name: "Detach" }).waitFor();
    await show(page, "Hex");
    await page.getByLabel("Escapes").check();
    await send(page, "GET / HTTP/1.1\\r\\nHost: example.com\\r\\n");
    await shows(page, "48 54 54 50");
    await audit(page, "hex");
    await pictured("console-hex", "light");
    await page.getByRole("tab", { name: "Connection" }).click();
    await page.getByRole("rowheader", { name: "rttvar" }).waitFor();
    await audit(page, "Connection");
    for (const tab of ["Calls", "Options", "Code", "About"]) {
      await page.getByRole("tab", { name: tab }).click();
      await page.waitForLoadState("networkidle");
      await audit(page, tab);
      await pictured(`console-${tab.toLowerCase()}`, tab === "Calls" && "light");
    }
    for (const kind of ["connect", "listen", "udp", "bare", "pair"]) {
      await create(page, kind);
      await audit(page, `new: ${kind}`);
      await pictured("console-new", kind === "connect" && "light");
      await page.keyboard.press("Escape");
    }
    const port = await listen(page);
    const visitor = net.connect(port, "127.0.0.1");
    closers.push(() => visitor.destroy());
    await page.getByRole("link", { name: "Open" }).waitFor();
    await audit(page, "listener");
    await page.goto(`${url}/#/resolver`);
    await page.getByLabel("Host", { exact: true }).fill("localhost");
    await page.getByRole("button", { name: "Resolve" }).click();
    await page.getByRole("row", { name: /127.0.0.1:0/ }).first().waitFor();
    await audit(page, "resolver");
    await page.goto(`${url}/#/policy?host=10.0.0.1&port=80`);
    await page.getByText("Denied", { exact: true }).waitFor();
    await page.locator(".rules tr.lit").waitFor();
    await audit(page, "policy");
    await page.goto(`${url}/#/`);
    const dialog = await create(page, "connect");
    await dialog.getByLabel("Host", { exact: true }).fill("10.0.0.1");
    await dialog.getByLabel("Port", { exact: true }).fill("80");
    await dialog.getByRole("button", { name: "Connect", exact: true }).click();
    await dialog.getByRole("alert").waitFor();
    await audit(page, "an error");
  }, { expected: /status of 403/, context: { colorScheme } });
}
