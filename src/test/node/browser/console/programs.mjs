// What was done in the console, copied as programs, which are run.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { audit, browse, connect, create, echo, eventually, handles, send, shows, signIn, token, url } from "./support.mjs";

const INTERPRETERS = { curl: ["bash", "program.sh"], Python: ["python3", "program.py"], JavaScript: [process.execPath, "program.mjs"] };

/** What each language's program prints, as the bytes it is, by the panel that has the programs. */
export async function run(page, panel) {
  const directory = await mkdtemp(path.join(os.tmpdir(), "programs"));
  const printed = {};
  try {
    for (const [language, [interpreter, file]] of Object.entries(INTERPRETERS)) {
      await panel.locator(".segment", { hasText: language }).click();
      await panel.getByRole("button", { name: "Copy the program" }).click();
      const program = await page.evaluate(() => navigator.clipboard.readText());
      assert.ok(!program.includes(token), "the token is not in it");
      const where = path.join(directory, file);
      await writeFile(where, program);
      const { stdout } = await promisify(execFile)(interpreter, [where], {
        encoding: "buffer",
        timeout: 60_000,
        env: { PATH: process.env.PATH, LC_ALL: "C.UTF-8", SOCKET_PROXY_TOKEN: token },
      });
      printed[language] = stdout;
    }
  } finally {
    await rm(directory, { recursive: true });
  }
  return printed;
}

export const inAll = (output) => ({ curl: output, Python: output, JavaScript: output });

export const context = { permissions: ["clipboard-read", "clipboard-write"] };

export const cases = {
  "copy-as-programs": (name) => browse(name, async (page) => {
    const port = await echo();
    await signIn(page);
    await connect(page, port);
    // What means something to a shell, to printf, to a template or to a quoted string, and what is no UTF-8.
    const first = `-n 'single' "double" \`date\` $HOME \${token} {braces} %s %% !! \\ \u00e9\u4e16\u{1f600} \u202e`;
    await send(page, first);
    await shows(page, "{braces} %s");
    await eventually(() => page.locator(".jsummary").innerText(), (text) => /^(\d+) bytes received, \1 sent/.test(text));
    await page.locator('.composer .segment', { hasText: "Hex" }).click();
    await send(page, "00 ff 80 27 5c 25 0a");
    await eventually(() => page.locator(".jsummary").innerText(), (text) => /^(\d+) bytes received, \1 sent/.test(text));
    await page.getByRole("button", { name: "Half-close" }).click();
    await shows(page, "The peer sent FIN");
    await page.getByRole("tab", { name: "Code" }).click();
    const panel = page.locator(".code-panel");
    await panel.getByText("socket=$(call").waitFor();
    await audit(page, "code");
    const bytes = Buffer.concat([Buffer.from(`${first}\r\n`), Buffer.from([0x00, 0xff, 0x80, 0x27, 0x5c, 0x25, 0x0a])]);
    assert.deepEqual(await run(page, panel), inAll(bytes));

    // One call of them: what has just been sent, on the handle itself.
    await panel.getByLabel("Calls").selectOption({ label: (await panel.getByLabel("Calls").locator("option").allInnerTexts()).find((text) => text.includes("connections")) });
    const made = await run(page, panel);
    assert.equal(JSON.parse(made.curl).state, "connected");
  }, { context }),

  "copy-as-a-session": (name) => browse(name, async (page) => {
    await signIn(page);
    const dialog = await create(page, "pair");
    await dialog.getByRole("button", { name: "Make" }).click();
    await page.getByLabel("Data to send").waitFor();
    await send(page, "over the pair");
    await shows(page, "over the pair");
    const other = (await handles()).find(({ id }) => !page.url().endsWith(id));
    await page.goto(`${url}/#/sockets/${other.id}`);
    await page.getByRole("tab", { name: "Calls" }).click();
    await page.getByRole("form", { name: "Receive", exact: true }).getByRole("button").click();
    await shows(page, "over the pair");

    await page.goto(`${url}/#/resolver`);
    const names = page.getByRole("form", { name: "getaddrinfo", exact: true });
    await names.getByLabel("Host", { exact: true }).fill("127.0.0.1");
    await names.getByLabel("Port or service").fill("80");
    await names.getByRole("button", { name: "Resolve" }).click();
    await page.getByRole("row", { name: /127.0.0.1:80/ }).first().waitFor();
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: "Find a command" }).fill("copy all");
    await page.keyboard.press("Enter");
    const panel = page.getByRole("dialog", { name: "Copy as a program" });
    await panel.getByText("read -r").waitFor();
    await audit(page, "a session's program");
    for (const [language, output] of Object.entries(await run(page, panel))) {
      const [received, ...resolved] = output.toString().trim().split("\r\n");
      assert.equal(received, "over the pair", language);
      assert.equal(JSON.parse(resolved.join(""))[0].sockaddr.port, 80, language);
    }
  }, { context }),
};
