// The browser client's suite in a page, over a network that can be cut. Prints one JSON line for each case.

import { isSuite, readSuite } from "../client/suite-files.mjs";
import { start } from "../client/targets.mjs";

const targets = await start(process.env.SOCKET_PROXY_URL);
// The page comes by way of that network too, so that its origin is where the client goes.
process.env.SOCKET_PROXY_URL = targets.url;
const { browse, url, token } = await import("./browser.mjs");

// The browser's own lines for what the cases mean to happen.
const expected = /WebSocket connection to|Failed to load resource/;

try {
  await browse(
    "client",
    async (page) => {
      await page.route(isSuite, async (route) =>
        route.fulfill({ contentType: "text/javascript", body: await readSuite(new URL(route.request().url()).pathname) }),
      );
      await page.exposeFunction("control", targets.control);
      await page.exposeFunction("report", (result) => console.log(JSON.stringify(result)));
      // Any page that really comes from the service: to others Chromium denies the loopback interface.
      await page.goto(`${url}/client/socket-proxy.js`);
      await page.evaluate(
        async (context) => {
          const module = await import("/client/socket-proxy.js");
          const { run } = await import("/suite.mjs");
          await run(module, { ...context, control: window.control, report: window.report });
        },
        { url, token, ports: targets.ports, ipv6: targets.ipv6, only: process.argv[2] ?? process.env.CASES },
      );
    },
    { expected },
  );
} finally {
  targets.stop();
}
process.exit();
