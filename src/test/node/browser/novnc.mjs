// Debian's noVNC, as it is, at a VNC server through a stream with a ticket in the URL: VNC_PORT, NOVNC (its directory).
import assert from "node:assert/strict";
import path from "node:path";
import { browse, token, url } from "./browser.mjs";

const { NOVNC, VNC_PORT } = process.env;

const answer = await fetch(`${url}/api/v1/tickets`, { method: "POST", headers: { Authorization: `Bearer ${token}` } });
const { ticket } = await answer.json();
const stream = `api/v1/connect?host=127.0.0.1&port=${VNC_PORT}&ticket=${ticket}`;

// A page that was not loaded from an address of this machine needs leave to connect to one.
const settings = { permissions: ["local-network-access"] };

await browse("novnc", async (page, context) => {
  // The page is served as if the service did it, so that its origin is the service's own.
  await context.route(`${url}/novnc/**`, (route) => {
    const file = new URL(route.request().url()).pathname.replace("/novnc/", "/");
    return route.fulfill({ path: path.join(NOVNC, file) });
  });
  await context.route(`${url}/favicon.ico`, (route) => route.fulfill({ status: 204 }));
  await page.goto(`${url}/novnc/vnc_lite.html?path=${encodeURIComponent(stream)}`);
  await page.getByText("Connected to streamed desktop").waitFor();
  // What the server drew has come: its screen has this size, and the canvas takes it with the first update.
  await page.waitForFunction(() => {
    const canvas = document.querySelector("#screen canvas");
    return canvas?.width === 400 && canvas.height === 300;
  });
  await page.locator("#screen canvas").click();
  await page.keyboard.type("hello");
  assert.match(await page.locator("#status").textContent(), /^Connected/);
}, { context: settings });
console.log("ok");
