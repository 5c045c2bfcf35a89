// What was said, as it is kept, shown and searched.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { browse, connect, eventually, serve, show, shows, signIn } from "./support.mjs";

export const cases = {
  async journal() {
    const { Journal, RETAINED } = await import("../../../../main/resources/static/console/journal.js");
    const { Terminal } = await import("../../../../main/resources/static/console/terminal.js");
    const { parseHex, textRows, unescape } = await import("../../../../main/resources/static/console/text.js");
    const bytes = (text) => new TextEncoder().encode(text);

    const journal = new Journal(false);
    journal.add("in", bytes("Hello "), { time: 1000 });
    journal.add("in", bytes("World"), { time: 1010 });
    journal.add("out", bytes("world"), { time: 1020 });
    journal.add("in", bytes("!"), { time: 2000 });
    assert.deepEqual(journal.blocks.map(({ direction, offset, length }) => [direction, offset, length]), [["in", 0, 11], ["out", 0, 5], ["in", 11, 1]]);
    assert.deepEqual(journal.find("world", { ignoreCase: true }).map(({ direction, offset }) => [direction, offset]), [["in", 6], ["out", 0]]);
    assert.deepEqual(journal.find("d!").map(({ direction, offset }) => [direction, offset]), [["in", 10]], "across blocks");
    assert.equal(Buffer.concat(journal.parts("in")).toString(), "Hello World!");

    const flood = new Journal(false);
    const chunk = new Uint8Array(100_000);
    let next = 0;
    for (let i = 0; i < 200; i++) {
      for (let at = 0; at < chunk.length; at++) {
        chunk[at] = next++ % 251;
      }
      flood.add("in", chunk, { time: i });
    }
    assert.equal(flood.received, 20_000_000);
    assert.ok(flood.kept <= RETAINED && flood.kept > RETAINED / 2, `${flood.kept} bytes are kept`);
    assert.equal(flood.kept + flood.dropped, flood.received);
    for (const block of flood.blocks) {
      for (let at = 0; at < block.length; at++) {
        assert.equal(block.bytes[at], (block.offset + at) % 251);
      }
    }
    const tiny = new Journal(true);
    for (let i = 0; i < 20_000; i++) {
      tiny.add("in", Uint8Array.of(1));
    }
    assert.ok(tiny.blocks.length <= 8192, "datagrams without data are bounded, too");

    assert.deepEqual([...unescape("a\\r\\n\\x00\\xff\\u{e9}\\\\")], [97, 13, 10, 0, 255, 0xc3, 0xa9, 92]);
    assert.throws(() => unescape("\\q"), /no escape/);
    assert.deepEqual([...parseHex("0x48 65,6C:6c 6f")], [0x48, 0x65, 0x6c, 0x6c, 0x6f]);
    assert.throws(() => parseHex("123"), /one is missing/);
    assert.deepEqual(textRows(bytes("one\ntwo three\n\nfour"), 19, 8), [0, 4, 12, 14, 15]);

    const terminal = new Terminal();
    terminal.write("in", bytes("10%\r20%\r\n\x1b[31mred\x1b[0m \x1b]0;title\x07ok\x1b["));
    terminal.write("in", bytes("1mbold"));
    const [first, second] = terminal.lines.map((line) => line.map(({ character }) => character).join(""));
    assert.equal(first, "20%");
    assert.equal(second, "red okbold");
    assert.equal(terminal.lines[1][0].style, "ansi-1");
    assert.equal(terminal.lines[1][9].style, "ansi-bold");
  },

  "search-and-save": (name) => browse(name, async (page) => {
    const lines = Array.from({ length: 2000 }, (_, i) => `line ${i} of the answer`).join("\r\n");
    const port = await serve((connection) => connection.write(`${lines}\r\nNEEDLE one\r\n${lines}\r\nneedle two\r\n`));
    await signIn(page);
    await connect(page, port);
    await shows(page, "needle two");
    const search = page.getByLabel("Search in the data");
    await search.fill("needle");
    await page.getByText("2 found").waitFor();
    await search.press("Enter");
    await page.getByText("1 of 2").waitFor();
    await shows(page, "NEEDLE one");
    assert.equal(await page.locator(".hit.current").textContent(), "NEEDLE");
    await search.press("Enter");
    await shows(page, "needle two");
    await page.getByLabel("Search for").selectOption("case");
    await page.getByText("1 of 1").waitFor();
    await show(page, "Hex");
    await search.fill("6e 65 65 64 6c 65 20 74");
    await search.press("Enter");
    await page.getByText("1 of 1").waitFor();
    assert.match(await page.locator(".hit.current").first().textContent(), /6e/);

    await page.getByRole("button", { name: "Save to a file" }).click();
    const [saved] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Received bytes" }).click()]);
    assert.equal((await readFile(await saved.path(), "utf8")), `${lines}\r\nNEEDLE one\r\n${lines}\r\nneedle two\r\n`);
  }),

  flood: (name) => browse(name, async (page) => {
    const chunk = Buffer.alloc(1 << 20, "all work and no play makes a dull stream\n");
    // Bounded, because Playwright is shown every frame of the page's WebSockets, and takes longer than the page.
    const total = 128 * chunk.length;
    const port = await serve((connection) => {
      let written = 0;
      const pump = () => {
        while (written < total) {
          written += chunk.length;
          if (!connection.write(chunk)) {
            connection.once("drain", pump);
            return;
          }
        }
      };
      pump();
      connection.resume();
    });
    await signIn(page);
    // In the page, since what is asked from outside waits behind those frames.
    await page.evaluate(() => {
      const flooded = { gaps: [], answered: null };
      globalThis.flooded = flooded;
      let last = performance.now();
      const tab = (label) => [...document.querySelectorAll("[role=tab]")].find((node) => node.textContent === label);
      const step = (now) => {
        if (document.querySelector(".jflood:not([hidden])")) {
          flooded.gaps.push(now - last);
          if (flooded.gaps.length === 10) {
            const asked = performance.now();
            tab("About").click();
            requestAnimationFrame(() => {
              flooded.answered = performance.now() - asked;
              tab("Data").click();
            });
          }
        }
        last = now;
        requestAnimationFrame(step);
      };
      requestAnimationFrame(step);
    });
    await connect(page, port);
    const received = () => page.locator(".jsummary").textContent().then((text) => Number(text.match(/^[\d,]+/)[0].replaceAll(",", "")));
    await eventually(received, (bytes) => bytes === total, 90_000);
    await page.locator(".jflood").waitFor({ state: "hidden" });
    const { gaps, answered } = await page.evaluate(() => globalThis.flooded);
    gaps.sort((one, other) => one - other);
    console.log(`${gaps.length} frames while flooded: median ${gaps[gaps.length >> 1]?.toFixed(1)} ms, longest ${gaps.at(-1)?.toFixed(0)} ms; a tab in ${answered?.toFixed(0)} ms`);
    assert.ok(gaps.length >= 20, `only ${gaps.length} frames were flooded`);
    assert.ok(gaps[gaps.length >> 1] < 100, `the median frame took ${gaps[gaps.length >> 1]} ms`);
    assert.ok(answered < 1_000, `a tab took ${answered} ms`);
    await shows(page, "all work and no play");
    assert.match(await page.locator(".jsummary").textContent(), /the last 4\.\d+ MB are kept/);
  }, { timeout: 60_000 }),

  "hostile-bytes": (name) => browse(name, async (page) => {
    const port = await serve((connection) => connection.write("<script>alert(1)</script><img src=x onerror=alert(2)>\u202e\u0000\x1b]0;x\x07\r\n"));
    await signIn(page);
    await connect(page, port);
    await shows(page, "<script>alert(1)</script><img src=x onerror=alert(2)>");
    for (const mode of ["Terminal", "Hex"]) {
      await show(page, mode);
      await shows(page, /script/);
    }
    assert.equal(await page.locator(".journal script, .journal img").count(), 0);
  }),
};
