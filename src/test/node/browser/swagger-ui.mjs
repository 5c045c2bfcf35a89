// Swagger UI as a newcomer uses it: Authorize, or come from the console, then fill in what is required and "Execute".

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import net from "node:net";
import { browse, token, url } from "./browser.mjs";

const echo = net.createServer((connection) => connection.on("error", () => {}).pipe(connection));
echo.listen(0, "127.0.0.1");
await once(echo, "listening");

// Chromium's own line for an answer of 4xx, which this test provokes.
const expected = /^Failed to load resource: the server responded with a status of 4\d\d/;

try {
  await browse("swagger-ui", async (page) => {
    await page.goto(`${url}/swagger-ui.html`);
    assert.match(await page.locator(".info .description").innerText(), /^[^.]+\.$/, "one sentence");

    const refused = await execute(page, "socket", {});
    assert.equal(refused.status, 401);
    assert.match((await refused.json()).detail, /Authorization: Bearer/);
    await authorize(page);

    const created = await execute(page, "socket", { body: { family: "AF_INET", type: "SOCK_STREAM" } });
    assert.equal(created.status, 201);
    const { id } = await created.json();

    const connected = await execute(page, "connect", { id, body: { host: "127.0.0.1", port: echo.address().port } });
    assert.equal(connected.status, 200);
    assert.equal((await connected.json()).state, "connected");

    const bytes = Buffer.from([0x00, 0xff, 0x80, 0x0a]);
    for (const [sending, accept, sent] of [
      [{ body: { text: "Grüße" } }, "application/octet-stream", Buffer.from("Grüße")],
      [{ body: { data: bytes.toString("base64") } }, "application/octet-stream", bytes],
      [{ file: bytes }, "application/json", bytes],
    ]) {
      const took = await execute(page, "send", { id, ...sending });
      assert.deepEqual(await took.json(), { sent: sent.length });

      const received = await execute(page, "recv", { id, parameters: { bufsize: String(sent.length), flags: "MSG_WAITALL" }, accept });
      assert.deepEqual(
        accept === "application/json" ? Buffer.from((await received.json()).data, "base64") : await received.download(),
        sent,
      );
    }

    const nothing = await execute(page, "recv", { id, parameters: { bufsize: "1", flags: "MSG_DONTWAIT" } });
    assert.equal(nothing.status, 204);

    const closed = await execute(page, "close", { id });
    assert.equal(closed.status, 204);
    const gone = await execute(page, "recv", { id });
    assert.equal(gone.status, 404);
    assert.equal((await gone.json()).errno, "EBADF");
  }, { expected });

  await browse("swagger-ui-signed-in", async (console, context) => {
    await console.goto(`${url}/#token=${token}`);
    const [page] = await Promise.all([context.waitForEvent("page"), console.getByRole("link", { name: "REST interface" }).click()]);
    await page.locator(".btn.authorize.locked").waitFor();

    const listener = await ok(execute(page, "createServer", { body: { host: "127.0.0.1", port: 0 } }), 201);
    const { port } = listener.localAddress;
    const client = await ok(execute(page, "createConnection", { body: { host: "127.0.0.1", port } }), 201);
    const { socket: accepted } = await ok(execute(page, "accept", { id: listener.id }), 201);
    // What is to be sent is text and what was received is shown as text, with nothing chosen.
    assert.deepEqual(await ok(execute(page, "sendall", { id: client.id, body: { text: "Grüße\r\n" } })), { sent: 9 });
    assert.equal((await ok(execute(page, "recv", { id: accepted.id }))).text, "Grüße\r\n");
    assert.equal((await ok(execute(page, "shutdown", { id: client.id, body: { how: "SHUT_WR" } }))).id, client.id);
    assert.equal((await ok(execute(page, "recv", { id: accepted.id }))).eof, true);
    const parameters = { level: "SOL_SOCKET", name: "SO_RCVBUF" };
    assert.ok((await ok(execute(page, "getsockopt", { id: client.id, parameters }))).value > 0);
    assert.ok((await ok(execute(page, "listSockets", {}))).sockets.length >= 3);
    const [first] = await ok(execute(page, "getaddrinfo", { parameters: { host: "127.0.0.1", port: "80" } }));
    assert.equal(first.sockaddr.host, "127.0.0.1");
    for (const { id } of [client, accepted, listener]) {
      assert.equal((await execute(page, "close", { id })).status, 204);
    }

    const wrong = await page.locator(".opblock.is-open").evaluateAll((operations) => operations
      .filter((operation) => Array.from(operation.querySelectorAll("tr[data-param-name] .parameter__name"), (name) => name.matches(".required"))
        .some((required, index, all) => required && index > 0 && !all[index - 1]))
      .map((operation) => operation.id));
    assert.deepEqual(wrong, [], "what is required comes first");

    await console.getByRole("button", { name: "Sign out" }).click();
    await page.locator(".btn.authorize.unlocked").first().waitFor();
    assert.equal((await execute(page, "listSockets", {})).status, 401);
    assert.equal(await page.evaluate(() => sessionStorage.length), 0);
    await authorize(page);
    assert.equal((await execute(page, "listSockets", {})).status, 200);
  }, { expected });
} finally {
  echo.close();
}

async function authorize(page) {
  await page.locator(".auth-wrapper .btn.authorize").click();
  const dialog = page.locator(".dialog-ux");
  await dialog.locator("input").fill(token);
  await dialog.locator("button.authorize").click();
  await dialog.locator("button.btn-done").click();
}

/** The JSON that an operation answers with this status. */
async function ok(executed, status = 200) {
  const answer = await executed;
  assert.equal(answer.status, status);
  return answer.json();
}

/** Fills an operation's form, clicks Execute and reads what Swagger UI then shows. */
async function execute(page, operationId, { id, parameters = {}, body, file, accept }) {
  const operation = page.locator(`.opblock[id$="-${operationId}"]`);
  const button = operation.locator("button.execute");
  if (!(await button.isVisible())) {
    await operation.locator(".opblock-summary-control").click();
  }
  for (const [name, value] of Object.entries({ ...(id && { id }), ...parameters })) {
    await operation.locator(`tr[data-param-name="${name}"] input`).fill(value);
  }
  if (body || file) {
    await operation.locator(".body-param-content-type select").selectOption(body ? "application/json" : "application/octet-stream");
  }
  if (body) {
    await operation.locator("textarea.body-param__text").fill(JSON.stringify(body));
  }
  if (file) {
    await operation.locator("input[type=file]").setInputFiles({ name: "bytes", mimeType: "application/octet-stream", buffer: file });
  }
  if (accept) {
    await operation.locator(".response-control-media-type--accept-controller select").selectOption(accept);
  }
  if (await operation.locator(".btn-clear").isVisible()) {
    await operation.locator(".btn-clear").click();
  }
  await button.click();
  await operation.locator(".live-responses-table .response").waitFor();
  const live = operation.locator(".live-responses-table");
  return {
    status: Number.parseInt(await live.locator(".response .response-col_status").innerText(), 10),
    json: async () => JSON.parse(await live.locator(".response .response-col_description code").first().innerText()),
    download: async () => {
      const link = live.locator(".response a[download]");
      const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
      return readFile(await download.path());
    },
  };
}
