// The calls on a handle, those that need none, and what fails.

import assert from "node:assert/strict";
import { browse, call, closers, create, eventually, handles, picture, serve, shows, signIn, url } from "./support.mjs";

export const cases = {
  "calls-and-options": (name) => browse(name, async (page) => {
    const port = await serve((connection) => connection.end("hello\n"));
    await signIn(page);
    const dialog = await create(page, "bare");
    await dialog.getByRole("button", { name: "Make" }).click();
    await page.getByRole("tab", { name: "Calls", selected: true }).waitFor();
    const form = (label) => page.getByRole("form", { name: label, exact: true });
    await form("Bind").getByRole("button").click();
    await page.locator(".handle-pane .state", { hasText: "bound" }).waitFor();
    await eventually(() => form("Bind").getByRole("button").getAttribute("aria-disabled"));
    const closed = await serve(() => {});
    await closers.pop()();
    await form("Connect").getByLabel("Host").fill("127.0.0.1");
    await form("Connect").getByLabel("Port").fill(String(closed));
    await form("Connect").getByRole("button").click();
    await page.getByRole("alert").getByText("ECONNREFUSED").first().waitFor();
    await form("Connect").getByLabel("Port").fill(String(port));
    await form("Connect").getByRole("button", { name: "Connect" }).click();
    await page.locator(".handle-pane .state", { hasText: "connected" }).waitFor();
    await form("Receive").getByRole("button").click();
    await shows(page, "hello");
    await page.getByRole("tab", { name: "Calls" }).click();
    await form("Receive").getByRole("button").click();
    await shows(page, "End of file");

    await page.getByRole("tab", { name: "Options" }).click();
    const option = page.getByLabel("TCP_NODELAY: Send small segments at once");
    await eventually(() => option.inputValue(), (value) => value === "0");
    await option.fill("1");
    await page.getByRole("button", { name: "Set TCP_NODELAY" }).click();
    const [{ id }] = (await handles()).filter(({ remoteAddress }) => remoteAddress?.port === port);
    await eventually(() => call("GET", `sockets/${id}/options/IPPROTO_TCP/TCP_NODELAY`), ({ value }) => value === 1);
    const any = form("Any option");
    await any.getByLabel("Level").fill("SOL_SOCKET");
    await any.getByLabel("Name").fill("SO_MARK");
    await any.getByRole("button").click();
    await page.getByRole("alert").getByText("EPERM").waitFor();
    await page.getByRole("tab", { name: "About" }).click();
    await page.getByText(id).first().waitFor();
  }, { expected: /status of (403|502)/ }),

  lease: (name) => browse(name, async (page) => {
    const { id } = await call("POST", "sockets", { leaseMs: 3_000 });
    await signIn(page);
    await page.goto(`${url}/#/sockets/${id}`);
    const lease = page.locator(".facts-strip div", { hasText: "Lease" }).locator("dd").first();
    await eventually(() => lease.textContent(), (text) => /^0:0[0-3]$/.test(text));
    await page.locator(".handle-pane .state", { hasText: "gone" }).waitFor();
    await page.getByRole("tab", { name: "Data" }).click();
    await shows(page, "The lease ran out");
  }),

  resolver: (name) => browse(name, async (page) => {
    await signIn(page);
    await page.getByRole("link", { name: "Resolver" }).click();
    const form = (label) => page.getByRole("form", { name: label, exact: true });
    const names = form("getaddrinfo");
    await names.getByLabel("Host", { exact: true }).fill("localhost");
    await names.getByLabel("Port or service").fill("https");
    await names.getByLabel("Family").selectOption("AF_INET");
    await names.getByLabel("Type").selectOption("SOCK_STREAM");
    await names.getByLabel("AI_CANONNAME").check();
    await names.getByRole("button", { name: "Resolve" }).click();
    await page.getByRole("row", { name: "127.0.0.1:443 AF_INET SOCK_STREAM IPPROTO_TCP localhost" }).waitFor();
    await form("getnameinfo").getByLabel("Address").fill("127.0.0.1");
    await form("getnameinfo").getByRole("button").click();
    await page.getByLabel("getnameinfo answer").getByText("localhost").waitFor();
    await form("Text to bytes").getByLabel("Address").fill("127.1");
    await form("Text to bytes").getByRole("button").click();
    await page.getByLabel("Text to bytes answer").getByText("7f000001").waitFor();
    await form("Bytes to text").getByLabel("Bytes").fill("7f 00 00 01");
    await form("Bytes to text").getByRole("button").click();
    await page.getByLabel("Bytes to text answer").getByText("127.0.0.1").waitFor();
    await form("Services").getByLabel("Name or port").fill("443");
    await form("Services").getByRole("button").click();
    await page.getByLabel("Services answer").getByText("https").waitFor();
    await picture(page, "console-resolver");
    await names.getByLabel("AI_CANONNAME").uncheck();
    await names.getByLabel("AI_NUMERICHOST").check();
    await names.getByLabel("Host", { exact: true }).fill("not-numeric.example");
    await names.getByRole("button", { name: "Resolve" }).click();
    await page.getByRole("alert").getByText("EAI_NONAME").first().waitFor();
  }, { expected: /status of 502/ }),

  policy: (name) => browse(name, async (page) => {
    await signIn(page);
    await page.getByRole("link", { name: "Policy" }).click();
    await page.getByLabel("Host").fill("169.254.169.254");
    await page.getByLabel("Port").fill("80");
    await page.getByRole("button", { name: "Explain" }).click();
    await page.getByText("Denied", { exact: true }).waitFor();
    await page.getByRole("cell", { name: "metadata", exact: true }).waitFor();
    await page.locator(".rules tr.lit").waitFor();
    await picture(page, "console-policy");
    await page.getByLabel("Host").fill("127.0.0.1");
    await page.getByRole("button", { name: "Explain" }).click();
    await page.getByText("Allowed", { exact: true }).waitFor();
    await page.getByRole("cell", { name: "local-loopback", exact: true }).waitFor();
  }),

  errors: (name) => browse(name, async (page) => {
    await signIn(page);
    const closed = await serve(() => {});
    await closers.pop()();
    const dialog = await create(page, "connect");
    await dialog.getByLabel("Host", { exact: true }).fill("127.0.0.1");
    await dialog.getByLabel("Port", { exact: true }).fill(String(closed));
    await dialog.getByRole("button", { name: "Connect", exact: true }).click();
    const alert = dialog.getByRole("alert");
    await alert.getByText("ECONNREFUSED").first().waitFor();
    assert.match(await alert.textContent(), /HTTP 502/);
    await dialog.getByText("Options").click();
    await dialog.getByLabel("TCP_NODELAY").check();
    await dialog.getByRole("button", { name: "Connect", exact: true }).click();
    await alert.getByText("ECONNREFUSED").first().waitFor();
    await eventually(handles, (all) => all.length === 0);
    await dialog.getByLabel("TCP_NODELAY").uncheck();
    await dialog.getByLabel("Host", { exact: true }).fill("10.0.0.1");
    await dialog.getByRole("button", { name: "Connect", exact: true }).click();
    await alert.getByText("EACCES").waitFor();
    assert.match(await alert.textContent(), /Rule\s*default:private/);
    await picture(page, "console-error");
    await alert.getByRole("link", { name: "Explain the decision" }).click();
    await page.getByText("Denied", { exact: true }).waitFor();
    assert.equal(await page.getByRole("dialog").count(), 0);

    await page.goto(`${url}/#/`);
    await create(page, "connect");
    await dialog.getByLabel("Host", { exact: true }).fill("127.0.0.1");
    await dialog.getByLabel("Port", { exact: true }).fill(String(closed));
    await dialog.getByText("Options").click();
    await dialog.getByLabel("Lease (s)").fill("0.5");
    await dialog.getByRole("button", { name: "Connect", exact: true }).click();
    assert.equal(await dialog.getByLabel("Lease (s)").evaluate((node) => node.matches(":invalid")), true);
    await page.keyboard.press("Escape");
    await page.goto(`${url}/#/sockets/no-such-socket`);
    await page.getByRole("heading", { name: "No such socket" }).waitFor();
    const { id } = await call("POST", "sockets");
    await page.goto(`${url}/#/sockets/${id}`);
    await page.getByRole("heading", { name: "TCP –" }).waitFor();
  }, { expected: /status of (403|404|502)/ }),
};
