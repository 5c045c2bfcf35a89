// What the README has for the developer tools of the console ($SNIPPET), but for the port. Prints what it logs.

import { once } from "node:events";
import http from "node:http";
import { browse, token, url } from "./browser.mjs";

const server = http.createServer((request, response) => response.end("Hello from a real server.\n"));
server.listen(0, "127.0.0.1");
await once(server, "listening");
const snippet = process.env.SNIPPET.replace("8000", server.address().port);

try {
  await browse("snippet", async (page) => {
    await page.goto(`${url}/#token=${token}`);
    await page.getByRole("heading", { name: "Sockets", level: 1 }).waitFor();
    page.on("console", (message) => console.log(message.text()));
    await page.evaluate(`(async () => {${snippet}})()`);
  });
} finally {
  server.close();
}
