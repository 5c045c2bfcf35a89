// The browser client's suite in a browser that nothing drives, so that it can be any: the page comes from a server here and tells it everything by
// fetch. The service is of another origin, then. Prints one JSON line for each case.
//
//   BROWSER=/usr/bin/firefox SOCKET_PROXY_URL=… SOCKET_PROXY_TOKEN=… node undriven.mjs page|worker [which cases, a regular expression]

import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { isSuite, readSuite } from "../client/suite-files.mjs";
import { start } from "../client/targets.mjs";

const [where, only] = process.argv.slice(2);

const targets = await start(process.env.SOCKET_PROXY_URL);
const context = { url: targets.url, token: process.env.SOCKET_PROXY_TOKEN, ports: targets.ports, ipv6: targets.ipv6, only };

const script = `
  const ask = async (path, json) => (await fetch(path, { method: "POST", body: JSON.stringify(json) })).json();
  const control = async (...call) => {
    const { result, error } = await ask("/control", call);
    if (error) {
      throw new Error(error);
    }
    return result;
  };
  let error;
  try {
    const module = await import("${targets.url}/client/socket-proxy.js");
    const { run } = await import("/suite.mjs");
    await run(module, { ...${JSON.stringify(context)}, control, report: (result) => ask("/report", result) });
  } catch (failure) {
    error = \`\${failure}\\n\${failure.stack}\`;
  }
  await ask("/done", { error });`;

const begin = where === "worker" ? 'new Worker("/script.mjs", { type: "module" })' : 'import("/script.mjs")';

/** Emits `done`, or `error`. */
const suite = new EventEmitter();

const answers = {
  "/": () => ["text/html", `<!doctype html><meta charset="utf-8"><title>The suite</title><script type="module">${begin};</script>`],
  "/script.mjs": () => ["text/javascript", script],
  "/favicon.ico": () => ["image/png", ""],
  "/control": json(async (call) => {
    try {
      return { result: await targets.control(...call) };
    } catch (error) {
      return { error: error.message };
    }
  }),
  "/report": json((result) => {
    console.log(JSON.stringify(result));
    return {};
  }),
  "/done": json(({ error }) => {
    suite.emit(error ? "error" : "done", new Error(error));
    return {};
  }),
};

/** A call of the page's, answered in JSON. */
function json(call) {
  return async (argument) => ["application/json", JSON.stringify(await call(argument))];
}

const server = http.createServer(async (request, response) => {
  const body = await text(request);
  const url = new URL(request.url, "http://localhost");
  const [type, content] = isSuite(url) ? ["text/javascript", await readSuite(url.pathname)] : await answers[request.url](body && JSON.parse(body));
  response.writeHead(200, { "content-type": type }).end(content);
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));

/** What keeps Firefox from asking and from calling home. */
const PREFERENCES = {
  "app.normandy.enabled": false,
  "browser.aboutwelcome.enabled": false,
  "browser.shell.checkDefaultBrowser": false,
  "browser.startup.homepage_override.mstone": "ignore",
  "datareporting.policy.dataSubmissionEnabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "services.settings.server": "data:,",
};

const profile = await mkdtemp(path.join(tmpdir(), "socket-proxy-browser-"));
await writeFile(
  path.join(profile, "user.js"),
  Object.entries(PREFERENCES).map(([name, value]) => `user_pref("${name}", ${JSON.stringify(value)});\n`).join(""),
);
const flags = path.basename(process.env.BROWSER).startsWith("firefox")
  ? ["--headless", "--no-remote", "--profile", profile]
  : [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", `--user-data-dir=${profile}`,
  ];
const browser = spawn(process.env.BROWSER, [...flags, `http://127.0.0.1:${server.address().port}/`], {
  env: { ...process.env, HOME: profile }, stdio: "ignore",
});
browser.on("exit", (status) => suite.emit("error", new Error(`the browser ended with ${status}`)));
try {
  await once(suite, "done");
} finally {
  browser.removeAllListeners("exit");
  browser.kill();
  await once(browser, "exit");
  await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  targets.stop();
}
process.exit();
