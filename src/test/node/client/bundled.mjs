// The client through a bundler, minified, as a module and as a script of its own. Prints one JSON line for each case.

import { mkdtemp, rm } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import WebSocket from "ws";
import { run } from "./suite.mjs";
import { start } from "./targets.mjs";

const directory = await mkdtemp(path.join(import.meta.dirname, "node_modules", ".bundled-"));
const targets = await start(process.env.SOCKET_PROXY_URL);
try {
  for (const [format, outfile] of [["esm", "client.mjs"], ["cjs", "client.cjs"]]) {
    const { warnings } = await build({
      entryPoints: [path.join(import.meta.dirname, "../../../main/resources/static/client/socket-proxy.js")],
      outfile: path.join(directory, outfile),
      bundle: true,
      minify: true,
      format,
      // Only a module has import.meta: elsewhere the URL has to be given.
      logOverride: { "empty-import-meta": "silent" },
    });
    const module = await import(pathToFileURL(path.join(directory, outfile)));
    await run(module.default ?? module, {
      ...targets,
      token: process.env.SOCKET_PROXY_TOKEN,
      WebSocket,
      only: process.argv[2],
      report: ({ name, error, ...rest }) =>
        console.log(JSON.stringify({ ...rest, name: `${format}: ${name}`, error: error ?? warnings[0]?.text })),
    });
  }
} finally {
  await rm(directory, { recursive: true });
  targets.stop();
}
process.exit();
