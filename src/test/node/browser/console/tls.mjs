// TLS in the console: from the start, in mid-stream, refused; what was agreed on, and the peer's certificates. CERTIFICATES is a directory with
// ca.pem, which the service trusts and which has signed server.pem, for localhost; selfsigned.pem it does not trust.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import tls from "node:tls";
import { context, inAll, run } from "./programs.mjs";
import { audit, browse, connect, create, eventually, handleTo, picture, send, serve, shows, signIn } from "./support.mjs";

const pem = (name) => readFileSync(path.join(process.env.CERTIFICATES, name), "utf8");

/** Goes on with TLS, as the server; the chain is sent up to the authority. */
function secure(connection, name = "server") {
  const secured = new tls.TLSSocket(connection, {
    isServer: true, cert: name === "server" ? pem("server.pem") + pem("ca.pem") : pem(`${name}.pem`), key: pem(`${name}.key`), ALPNProtocols: ["echo"],
  });
  secured.on("error", () => {});
  secured.pipe(secured);
}

/** Talks in clear until it is asked for TLS. */
const afterRequest = () => serve((connection) => {
  connection.write("220 mail.example ready\r\n");
  connection.on("data", function listen(data) {
    if (/^STARTTLS/.test(data)) {
      connection.off("data", listen);
      connection.write("220 go ahead\r\n");
      secure(connection);
    }
  });
});

const tab = (page, name) => page.getByRole("tab", { name, exact: true });

const panel = (page) => page.locator(".tls-panel");

const property = (page, name) => panel(page).locator(".properties > div", { has: page.locator("dt", { hasText: new RegExp(`^${name}$`) }) }).locator("dd").first();

const start = (page) => panel(page).getByRole("button", { name: "Start TLS" });

export const cases = {
  "tls-from-the-start": (name) => browse(name, async (page) => {
    const port = await serve((connection) => secure(connection));
    await signIn(page);
    const dialog = await create(page, "connect");
    await dialog.getByLabel("Host", { exact: true }).fill("localhost");
    await dialog.getByLabel("Port", { exact: true }).fill(String(port));
    await dialog.getByLabel(/^TLS/).check();
    await dialog.getByText("Options", { exact: true }).click();
    await dialog.getByLabel("Protocols").fill("none, echo");
    await audit(page, "the form");
    await dialog.getByRole("button", { name: "Connect", exact: true }).click();
    await page.getByRole("button", { name: "Detach" }).waitFor();
    await send(page, "kept from others");
    await eventually(() => page.locator(".jsummary").innerText(), (text) => text.startsWith("18 bytes received, 18 sent"));
    await page.locator(".handle-head .badge", { hasText: "TLS 1.3" }).waitFor();

    await tab(page, "TLS").click();
    assert.equal(await property(page, "protocol").innerText(), "TLS 1.3");
    assert.match(await property(page, "cipher suite").innerText(), /^TLS_\w+$/);
    assert.equal(await property(page, "server name").innerText(), "localhost");
    assert.equal(await property(page, "ALPN").innerText(), "echo");
    await panel(page).getByRole("heading", { name: "The chain of 2 certificates" }).waitFor();
    const links = panel(page).locator(".chain > li");
    assert.match(await links.nth(0).locator("summary").innerText(), /^localhost (29|30) days left$/);
    assert.match(await links.nth(1).locator("summary").innerText(), /^Authority of a test /);
    assert.equal(await property(page, "names").innerText(), "localhost\n127.0.0.1");
    assert.match(await property(page, "issuer").innerText(), /CN=Authority of a test/);
    assert.match(await property(page, "valid until").innerText(), /\d{4}/);
    assert.equal(await panel(page).locator(".warning").count(), 0);
    await audit(page, "certificates");
    await picture(page, "console-tls");
    await panel(page).getByRole("button", { name: "Copy the certificate of localhost" }).click();
    assert.equal((await page.evaluate(() => navigator.clipboard.readText())).trim(), pem("server.pem").trim());
    const saved = page.waitForEvent("download");
    await panel(page).getByRole("button", { name: "Save as PEM" }).click();
    assert.equal(readFileSync(await (await saved).path(), "utf8").match(/BEGIN CERTIFICATE/g).length, 2);
    await links.nth(1).locator("summary").focus();
    await page.keyboard.press("Enter");
    await links.nth(1).getByText("itself").waitFor();

    for (const width of [320, 640]) {
      await page.setViewportSize({ width, height: 500 });
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0, `no scrolling sideways at ${width}`);
      await audit(page, `certificates at ${width}`);
    }
    await page.setViewportSize({ width: 1280, height: 900 });

    await page.getByRole("button", { name: "Half-close" }).click();
    await page.getByRole("tab", { name: "Data" }).click();
    await shows(page, "The peer sent FIN");
    await page.getByRole("tab", { name: "Code" }).click();
    assert.deepEqual(await run(page, page.locator(".code-panel")), inAll(Buffer.from("kept from others\r\n")));
    await page.getByRole("button", { name: "Close", exact: true }).click();
    await page.getByRole("button", { name: "Connect again" }).click();
    await page.getByRole("button", { name: "Detach" }).waitFor();
    assert.equal((await handleTo(port)).tls.alpn, "echo", "connected again as before");
  }, { context }),

  "tls-in-mid-stream": (name) => browse(name, async (page) => {
    const port = await afterRequest();
    await signIn(page);
    await connect(page, port, "localhost");
    await shows(page, "220 mail.example ready");
    await send(page, "STARTTLS");
    await shows(page, "220 go ahead");
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: "Find a command" }).fill("start tls");
    await page.keyboard.press("Enter");
    await tab(page, "TLS").and(page.locator("[aria-selected=true]")).waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.name), "serverName");
    await audit(page, "before TLS");
    await page.keyboard.press("Enter");
    await panel(page).getByRole("heading", { name: "What was agreed on" }).waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "What was agreed on");
    await tab(page, "Data").click();
    await shows(page, /TLS 1\.3 with localhost: from here on the service encrypts\./);
    await send(page, "a secret");
    await eventually(() => page.locator(".jsummary").innerText(), (text) => /^48 bytes received, 20 sent/.test(text));
    await tab(page, "Code").click();
    await page.locator(".code-panel pre").getByText("/starttls").waitFor();

    // Without a stream, by a call.
    const second = await afterRequest();
    await connect(page, second, "localhost");
    await send(page, "STARTTLS");
    await shows(page, "220 go ahead");
    await page.getByRole("button", { name: "Detach" }).click();
    await page.getByRole("button", { name: "Attach" }).waitFor();
    await tab(page, "TLS").click();
    await panel(page).getByLabel("Server name").fill("127.0.0.1");
    await start(page).click();
    await panel(page).getByRole("heading", { name: "What was agreed on" }).waitFor();
    assert.equal(await property(page, "server name").innerText(), "127.0.0.1");
    await page.reload();
    await tab(page, "TLS").click();
    await panel(page).getByRole("heading", { name: "What was agreed on" }).waitFor();
  }),

  "tls-refused": (name) => browse(name, async (page) => {
    const port = await serve((connection) => secure(connection, "selfsigned"));
    await signIn(page);
    const dialog = await create(page, "connect");
    await dialog.getByLabel("Host", { exact: true }).fill("localhost");
    await dialog.getByLabel("Port", { exact: true }).fill(String(port));
    await dialog.getByLabel(/^TLS/).check();
    await dialog.getByRole("button", { name: "Connect", exact: true }).click();
    const problem = page.getByRole("alert").filter({ hasText: "EPROTO" });
    await problem.getByText("self-signed", { exact: true }).waitFor();
    await problem.getByText(/signed by itself/).first().waitFor();
    await audit(page, "the problem");
    await page.keyboard.press("Escape");

    await connect(page, port, "localhost");
    await tab(page, "TLS").click();
    await start(page).click();
    await page.getByRole("alert").getByText("self-signed", { exact: true }).first().waitFor();
    await page.getByRole("button", { name: "Close", exact: true }).click();
    await panel(page).getByText("The handle is closed.").waitFor();
    assert.equal(await start(page).getAttribute("aria-disabled"), "true");

    const said = await page.evaluate(async () => {
      const { shortName, warnings } = await import(new URL("console/certificates.js", document.baseURI));
      const now = Date.parse("2026-06-15T00:00:00Z");
      const certificate = (from, until, more) => ({
        subject: "CN=db.example,O=One\\, Two", issuer: "CN=Root", names: ["*.example.com", "db.example"], notBefore: from, notAfter: until, ...more,
      });
      const good = certificate("2026-01-01T00:00:00Z", "2026-12-31T00:00:00Z");
      const tls = (certificates, serverName = "db.example", more = {}) => warnings({ certificates, serverName, ...more }, now);
      return [
        shortName("O=One\\, Two,C=XX"),
        tls([good]),
        tls([good], "a.example.com"),
        tls([good], "a.b.example.com"),
        tls([certificate("2026-01-01T00:00:00Z", "2026-06-18T12:00:00Z")]),
        tls([certificate("2026-01-01T00:00:00Z", "2026-06-13T12:00:00Z")]),
        tls([certificate("2026-07-01T00:00:00Z", "2026-12-31T00:00:00Z")]),
        tls([certificate("2026-01-01T00:00:00Z", "2026-12-31T00:00:00Z", { issuer: "CN=db.example, O=One\\, Two" })]),
        tls([good, certificate("2020-01-01T00:00:00Z", "2026-01-01T00:00:00Z", { subject: "CN=Middle" })]),
        tls([]),
      ];
    });
    assert.deepEqual(said, [
      "One, Two",
      [],
      [],
      ["Its certificate is not for a.b.example.com."],
      ["Its certificate expires in 3 days."],
      ["Its certificate has expired 1 day ago."],
      ["Its certificate is not valid yet."],
      ["Its certificate is signed by itself: no authority says whose it is."],
      ["In its chain, Middle has expired 165 days ago."],
      ["The peer has shown no certificate: nobody knows who it is."],
    ]);
  }, { expected: /status of 502/ }),
};
