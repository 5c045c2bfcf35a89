// A real browser for tests: Debian's Chromium, or Chrome, driven by playwright-core.
//
//   import { browse, url, token } from "./browser.mjs";
//   await browse("console", async (page) => { await page.goto(url); … });
//
// The environment is what io.socketproxy.node.Chromium gives: CHROMIUM, PICTURES, SOCKET_PROXY_URL, SOCKET_PROXY_TOKEN.

import path from "node:path";
import { chromium } from "playwright-core";

export const url = process.env.SOCKET_PROXY_URL;
export const token = process.env.SOCKET_PROXY_TOKEN;

const FLAGS = [
  "--no-sandbox", // Chromium's own needs another user than root.
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/**
 * Runs a test on a fresh page, and closes the browser whatever happens.
 *
 * The test fails, too, if the page threw, logged an error that `expected` does not match, or asked for anything from another server than the
 * service and `others`: pages must work where there is no Internet. Then a picture of the page is left in $PICTURES/<name>.png.
 *
 * @param {string} name
 * @param {(page: import("playwright-core").Page, context: import("playwright-core").BrowserContext) => Promise<void>} test
 * @param {{expected?: RegExp, others?: string[], timeout?: number, context?: object}} options
 *   expected: console errors that are meant, such as the browser's own line for an answer of 4xx;
 *   others: origins that the page may ask beside the service's;
 *   timeout: how long one step may take, in milliseconds; context: Playwright's options for the browser context
 */
export async function browse(name, test, { expected = /(?!)/, others = [], timeout = 60_000, context: settings = {} } = {}) {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, headless: true, args: FLAGS });
  try {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...settings });
    context.setDefaultTimeout(timeout);
    const faults = [];
    await context.route(
      (target) => !["data:", "blob:"].includes(target.protocol) && ![new URL(url).origin, ...others].includes(target.origin),
      (route) => {
        faults.push(`the page asked for ${route.request().url()}`);
        return route.abort();
      },
    );
    context.on("weberror", (error) => faults.push(`the page threw ${error.error().stack}`));
    context.on("console", (message) => {
      if (message.type() === "error" && !expected.test(message.text())) {
        faults.push(`the page logged ${message.text()} (${message.location().url})`);
      }
    });
    const page = await context.newPage();
    try {
      await test(page, context);
      if (faults.length > 0) {
        throw new Error(faults.join("\n"));
      }
    } catch (error) {
      await page.screenshot({ path: path.join(process.env.PICTURES ?? ".", `${name}.png`), fullPage: true }).catch(() => {});
      if (!error.message.includes(faults[0])) {
        error.message += `\n${faults.join("\n")}`;
      }
      throw error;
    }
  } finally {
    await browser.close();
  }
}
