// What the kernel and the service know: a connection's TCP_INFO over time, policy's rules with their matches, and from a name to a socket.

import assert from "node:assert/strict";
import net from "node:net";
import { browse, call, closers, connect, eventually, handles, picture, serve, shows, signIn, url } from "./support.mjs";

const tab = (page, name) => page.getByRole("tab", { name, exact: true });

export const cases = {
  "connection-panel": (name) => browse(name, async (page) => {
    const port = await serve((connection) => {
      let phase = 0;
      const timer = setInterval(() => connection.write(Buffer.alloc(400 + Math.round(300 * Math.sin(phase++ / 9)), 0x2e)), 50);
      connection.on("close", () => clearInterval(timer));
      connection.resume();
    });
    let asked = 0;
    page.on("request", (request) => (asked += request.url().endsWith("/tcp-info") ? 1 : 0));
    await signIn(page);
    await connect(page, port);
    assert.equal(asked, 0, "nobody looks");
    await tab(page, "Connection").click();
    const field = (key) => page.locator(`.tcp-fields [data-field="${key}"]`);
    await field("state").getByText("TCP_ESTABLISHED").waitFor();
    const [{ id }] = (await handles()).filter(({ remoteAddress }) => remoteAddress?.port === port);
    const info = await call("GET", `sockets/${id}/tcp-info`);
    assert.equal(await field("sndMssBytes").textContent(), `${info.sndMssBytes.toLocaleString("en")} B`);
    assert.equal(await field("congestion").textContent(), info.congestion);
    assert.match(await field("options").textContent(), /sack/);
    assert.match(await field("rttUs").textContent(), /^[\d.]+ (µs|ms)$/);
    assert.equal(await page.locator(".tcp-fields [data-field]").count(), Object.keys(info).length, "every field that there is");
    const received = await field("bytesReceived").textContent();
    await eventually(() => field("bytesReceived").textContent(), (now) => now !== received);
    const lines = page.locator(".chart .line-1");
    assert.equal(await lines.count(), 7);
    await eventually(() => lines.evaluateAll((paths) => paths.filter((path) => /L/.test(path.getAttribute("d"))).length), (drawn) => drawn >= 6);
    await page.getByRole("img", { name: /^Round trip: rtt [\d.]+ (µs|ms), rttvar .*; highest / }).waitFor();
    if (process.env.DOCUMENTATION) {
      for (let i = 0; i < 100; i++) {
        await call("POST", `sockets/${id}/sendall`, { text: "x".repeat(Math.round(4000 * (1 + Math.sin(i / 8)))) });
        await page.waitForTimeout(900);
      }
      await picture(page, "console-connection");
    }

    const rests = async (what) => {
      await page.waitForTimeout(500);
      const before = asked;
      await page.waitForTimeout(2_500);
      assert.equal(asked, before, what);
    };
    const goesOn = async () => {
      const before = asked;
      await eventually(() => asked, (now) => now > before + 1);
    };
    await tab(page, "Options").click();
    await rests("another view is shown");
    await tab(page, "Connection").click();
    await goesOn();
    const visibility = (state) => page.evaluate((value) => {
      Object.defineProperty(document, "visibilityState", { value, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }, state);
    await visibility("hidden");
    await rests("the page is hidden");
    await visibility("visible");
    await goesOn();
    await page.getByRole("button", { name: "Close", exact: true }).click();
    await page.getByText("The handle is closed: this is what was seen of it last.").waitFor();
    assert.equal(await field("state").textContent(), "TCP_ESTABLISHED");
    await rests("the handle is closed");

    const ends = await page.evaluate(async () => {
      const { scaleEnd } = await import(new URL("console/plot.js", document.baseURI));
      return [0, 1, 3, 10, 11, 60, 999, 5e6].map(scaleEnd);
    });
    assert.deepEqual(ends, [1, 1, 5, 10, 20, 100, 1000, 5e6]);
  }, { expected: /status of 404/ }),

  "accept-queue": (name) => browse(name, async (page) => {
    const listener = await call("POST", "listeners", { backlog: 5 });
    for (let i = 0; i < 2; i++) {
      const visitor = net.connect(listener.localAddress.port, "127.0.0.1");
      closers.push(() => visitor.destroy());
    }
    await signIn(page);
    await page.goto(`${url}/#/sockets/${listener.id}`);
    await tab(page, "Queue").click();
    await eventually(() => page.locator("[data-field=acceptQueue]").textContent(), (text) => text === "2");
    assert.equal(await page.locator("[data-field=backlog]").textContent(), "5");
    await page.getByRole("img", { name: "Accept queue: waiting 2, backlog 5; highest 5" }).waitFor();
    const udp = await call("POST", "sockets", { type: "SOCK_DGRAM" });
    await page.goto(`${url}/#/sockets/${udp.id}`);
    await tab(page, "Options").waitFor();
    assert.deepEqual(await page.getByRole("tab").allTextContents(), ["Data", "Calls", "Options", "Code", "About"]);
  }),

  "policy-rules": (name) => browse(name, async (page) => {
    const port = await serve(() => {});
    await signIn(page);
    await page.getByRole("link", { name: "Policy" }).click();
    const rules = page.getByRole("group", { name: "What may be reached" });
    const row = (rule) => rules.getByRole("row").filter({ has: page.getByRole("rowheader", { name: rule }) });
    assert.equal(await rules.getByRole("rowheader").first().innerText(), "local-loopback");
    await row("local-loopback").getByText("classes loopback").waitFor();
    await page.getByRole("group", { name: "What may be bound" }).getByText("127.0.0.0/8, ::1").waitFor();
    const matched = async (rule) => Number((await row(rule).getByRole("cell").last().textContent()).replace(",", ""));
    const before = await matched("local-loopback");
    await call("POST", "connections", { host: "127.0.0.1", port });
    await eventually(() => matched("local-loopback"), (now) => now === before + 1);
    const lit = () => page.locator(".rules tr.lit th").allTextContents();
    const explain = async (host, verdict) => {
      await page.getByLabel("Host").fill(host);
      await page.getByLabel("Port").fill("80");
      await page.getByRole("button", { name: "Explain" }).click();
      await page.getByText(verdict, { exact: true }).waitFor();
    };
    await explain("127.0.0.1", "Allowed");
    await eventually(lit, (rows) => rows.length === 1 && rows[0] === "local-loopback decided");
    await explain("169.254.169.254", "Denied");
    await eventually(lit, (rows) => rows.length === 1 && rows[0] === "default:metadata decided");
    assert.equal(await matched("local-loopback"), before + 1, "explaining counts for nothing");
    await page.getByRole("button", { name: "default:metadata" }).click();
    assert.match(await page.evaluate(() => document.activeElement.textContent), /^default:metadata/);
    await page.getByLabel("Operation").selectOption("bind");
    await explain("127.0.0.1", "Denied");
    await eventually(lit, (rows) => rows.length === 1 && rows[0] === "default:listen decided");
  }),

  "resolver-connect": (name) => browse(name, async (page) => {
    const port = await serve((connection) => connection.write("hello by name\n"));
    await signIn(page);
    const resolve = async (host, service) => {
      await page.goto(`${url}/#/resolver`);
      const form = page.getByRole("form", { name: "getaddrinfo", exact: true });
      await form.getByLabel("Host", { exact: true }).fill(host);
      await form.getByLabel("Port or service").fill(service);
      await form.getByRole("button", { name: "Resolve" }).click();
    };
    await resolve("127.0.0.1", String(port));
    await page.getByText(/^1 address in/).waitFor();
    const row = page.getByRole("row", { name: `127.0.0.1:${port}` });
    assert.equal(await row.count(), 1, "one row an address");
    assert.match(await row.textContent(), /SOCK_STREAM, SOCK_DGRAM/);
    await row.getByRole("button", { name: "Connect" }).click();
    await shows(page, "hello by name");
    await page.getByRole("button", { name: "Detach" }).waitFor();

    await resolve("127.0.0.1", "");
    await page.getByLabel("Port at 127.0.0.1:0").fill(String(port));
    await page.getByRole("button", { name: "Connect to 127.0.0.1:0" }).click();
    await shows(page, "hello by name");
    await eventually(handles, (all) => all.length === 2);

    await resolve("10.0.0.1", "80");
    await page.getByRole("button", { name: "Connect to 10.0.0.1:80" }).click();
    await page.getByRole("alert").getByText("EACCES").waitFor();
    await page.getByRole("link", { name: "Explain the decision" }).click();
    await page.getByText("Denied", { exact: true }).waitFor();
  }, { expected: /status of 403/ }),
};
