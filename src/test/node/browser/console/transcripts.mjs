// What was said, as it is written down: in its order, as it is, and still there after a reload.

import assert from "node:assert/strict";
import dgram from "node:dgram";
import { once } from "node:events";
import {
  anotherToken, audit, browse, call, closers, connect, create, echo, eventually, handleTo, send, serve, show, shown, shows, signIn, state, token, url,
} from "./support.mjs";

export const cases = {
  "survives-a-reload": (name) => browse(name, async (page) => {
    const port = await serve((connection) => connection.on("data", (data) => connection.write(`got ${data}`)));
    await signIn(page);
    await connect(page, port);
    await send(page, "first\x1b");
    await shows(page, "got first");
    const { id } = await handleTo(port);
    // At once: what was just said is not lost either.
    await page.reload();
    await shows(page, /first[^]*got first/);
    assert.match(await page.locator(".jsummary").textContent(), /12 bytes received, 8 sent/);
    await page.getByRole("button", { name: "Attach", exact: true }).click();
    await page.getByRole("button", { name: "Detach" }).waitFor();
    await send(page, "second");
    await shows(page, /got first[^]*got second/);
    await page.getByLabel("Data to send").press("ArrowUp");
    await page.getByLabel("Data to send").press("ArrowUp");
    assert.equal(await page.getByLabel("Data to send").inputValue(), "first\x1b", "and what was typed can be recalled");

    // A handle that went while nobody looked is still there to be read.
    await page.goto("about:blank");
    await call("DELETE", `sockets/${id}`);
    await page.goto(`${url}/#/sockets/${id}`);
    await state(page, "gone");
    await shows(page, /got first[^]*got second/);
    await page.getByRole("heading", { name: `TCP 127.0.0.1:${port}` }).waitFor();
    await page.getByRole("button", { name: "Clear", exact: true }).click();
    await page.waitForTimeout(500);
    await page.reload();
    await state(page, "gone");
    assert.doesNotMatch(await shown(page), /got first/, "what is cleared is gone");
  }, { expected: /status of 404/ }),

  "transcripts-are-their-owners": (name) => browse(name, async (page) => {
    const port = await echo();
    const kept = () => page.evaluate(async () => {
      const counts = [];
      for (const { name: database } of await indexedDB.databases()) {
        const opened = await new Promise((resolve) => (indexedDB.open(database).onsuccess = ({ target }) => resolve(target.result)));
        for (const store of opened.objectStoreNames) {
          counts.push(await new Promise((resolve) => (opened.transaction(store).objectStore(store).count().onsuccess = ({ target }) => resolve(target.result))));
        }
        opened.close();
      }
      return counts.reduce((sum, count) => sum + count, 0);
    });
    await signIn(page);
    await connect(page, port);
    await send(page, "a secret");
    await eventually(kept);
    const { id } = await handleTo(port);

    // The tab is closed, and another owner comes.
    await page.evaluate(() => sessionStorage.clear());
    await page.goto("about:blank");
    await page.goto(`${url}/#token=${anotherToken}`);
    await page.getByText("No sockets yet").waitFor();
    await page.goto(`${url}/#/sockets/${id}`);
    await page.getByRole("heading", { name: "No such socket" }).waitFor();
    assert.equal(await kept(), 0, "what the first has left is deleted");

    await page.goto("about:blank");
    await page.goto(`${url}/#token=${token}`);
    await page.getByRole("link", { name: `127.0.0.1:${port}` }).click();
    await page.getByRole("button", { name: "Attach", exact: true }).click();
    await page.getByRole("button", { name: "Detach" }).waitFor();
    await send(page, "another secret");
    await eventually(kept);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("API token").waitFor();
    await eventually(kept, (count) => count === 0);

    // In memory only is in memory only.
    await page.getByLabel("API token").fill(token);
    await page.getByLabel("Keep it until this tab is closed").uncheck();
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("link", { name: `127.0.0.1:${port}` }).click();
    await send(page, "by a call");
    await shows(page, "by a call");
    await page.waitForTimeout(1000);
    assert.equal(await kept(), 0);

    // A tab that is closed leaves what the next sign-in page deletes.
    await page.goto("about:blank");
    await page.goto(`${url}/#token=${token}`);
    await page.getByRole("link", { name: `127.0.0.1:${port}` }).click();
    await send(page, "left behind");
    await eventually(kept);
    await page.evaluate(() => sessionStorage.clear());
    await page.goto("about:blank");
    await page.goto(url);
    await page.getByLabel("API token").waitFor();
    await eventually(kept, (count) => count === 0);
  }, { expected: /status of 404/ }),

  async "transcripts-are-bounded"() {
    const { Journal } = await import("../../../../main/resources/static/console/journal.js");
    const { Keeper } = await import("../../../../main/resources/static/console/keeper.js");
    const { KEPT_BYTES } = await import("../../../../main/resources/static/console/archive.js");
    const stored = new Map();
    const less = (one, other) => one[1] < other[1] || (one[1] === other[1] && one[3] < other[3]);
    let record;
    const archive = {
      save(newest, added, first) {
        record = structuredClone(newest);
        for (const [name, { key }] of stored) {
          if (!first || less(key, first)) {
            stored.delete(name);
          }
        }
        added.forEach(({ key, value }) => stored.set(key.join(), { key, value: structuredClone(value) }));
      },
    };
    const session = Object.assign(new EventTarget(), { id: "x", journal: new Journal(false), accepts: [], history: [], facts: { id: "x" } });
    const keeper = new Keeper(archive, session);
    const bytes = () => [...stored.values()].reduce((sum, { value }) => sum + value.bytes.length, 0);
    for (let i = 0; i < 300; i++) {
      session.journal.add("in", new Uint8Array(10_000).fill(i), { time: 1000 * i });
      keeper.flush();
      assert.ok(bytes() <= KEPT_BYTES, `${bytes()} bytes`);
    }
    assert.ok(bytes() > KEPT_BYTES / 2);
    for (let i = 0; i < 20_000; i++) {
      session.journal.note("nothing to speak of");
    }
    keeper.flush();
    assert.ok(stored.size <= 8192, `${stored.size} blocks`);
    session.journal.add("out", Uint8Array.of(1, 2, 3));
    keeper.flush();
    const again = new Journal(false);
    again.restore([...stored.values()].map(({ value }) => value), record.counts);
    assert.deepEqual([again.received, again.sent], [3_000_000, 3]);
    const last = again.blocks.at(-1);
    assert.deepEqual([last.direction, last.offset, [...last.bytes]], ["out", 0, [1, 2, 3]]);
  },

  // An answer may come before the service says that the question went.
  "causes-before-effects": (name) => browse(name, async (page) => {
    const peer = dgram.createSocket("udp4");
    peer.bind(0, "127.0.0.1");
    await once(peer, "listening");
    closers.push(() => peer.close());
    peer.on("message", (message, from) => peer.send(`answer to ${message}`, from.port, from.address));
    await page.route(/\/sendto/, async (route) => {
      const response = await route.fetch();
      await page.locator(".jrow.in").first().waitFor();
      await route.fulfill({ response });
    });
    await signIn(page);
    const dialog = await create(page, "udp");
    await dialog.getByLabel("Local host").fill("127.0.0.1");
    await dialog.getByRole("button", { name: "Make" }).click();
    await page.getByRole("button", { name: "Detach" }).waitFor();
    await eventually(() => page.evaluate(() => document.activeElement.name), (field) => field === "host");
    await page.getByLabel("To host").fill("127.0.0.1");
    await page.locator(".to-part").getByLabel("Port").fill(String(peer.address().port));
    await send(page, "question");
    await shows(page, /question[^]*answer to question/);
    await page.unrouteAll({ behavior: "wait" });
    await page.getByLabel("To host").fill("10.0.0.1");
    await send(page, "not allowed");
    await page.locator(".jrow.failed", { hasText: "not allowed" }).waitFor();
    await shows(page, "EACCES: 11 of 11 bytes were not sent.");
    assert.match(await page.locator(".jsummary").textContent(), /, 8 sent/, "what did not go does not count");
  }, { expected: /status of 403/ }),

  "control-characters": (name) => browse(name, async (page) => {
    const port = await serve((connection) => connection.write("a\x1b[1mb\x00\ttab \u202eevil\r\nnext\rover\n"));
    await signIn(page);
    await connect(page, port);
    await shows(page, "next");
    const names = () => page.locator(".jrow .control").allTextContents();
    assert.deepEqual(await names(), ["ESC", "NUL", "U+202E", "CR"]);
    await page.getByLabel("Line ends").check();
    await eventually(names, (all) => all.join(" ") === "ESC NUL U+202E CR LF CR LF");
    assert.ok((await page.locator(".jrow .tab-stop").count()) > 0);
    assert.doesNotMatch(await shown(page), /[\u2400-\u2426\u21e5]/, "no glyphs that fonts lack");
    // Each takes whole columns, so that what comes behind stays aligned.
    const widths = await page.locator(".jrow .control").evaluateAll((nodes) => {
      const column = document.querySelector(".ruler").scrollWidth / 64;
      return nodes.map((node) => (node.getBoundingClientRect().width + 2) / column);
    });
    for (const width of widths) {
      assert.ok(Math.abs(width - Math.round(width)) < 0.1, `${width} columns`);
    }
    await audit(page, "control characters");
    await send(page, "\x1b");
    await show(page, "Terminal");
    await shows(page, "^[");
  }),
};
