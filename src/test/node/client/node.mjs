// The suite in Node, with npm's ws. Prints one JSON line for each case.

import WebSocket from "ws";
import * as module from "../../../main/resources/static/client/socket-proxy.js";
import { run } from "./suite.mjs";
import { start } from "./targets.mjs";

const targets = await start(process.env.SOCKET_PROXY_URL);
await run(module, {
  ...targets,
  token: process.env.SOCKET_PROXY_TOKEN,
  WebSocket,
  deadUrl: "http://127.0.0.1:1",
  only: process.argv[2],
  report: (result) => console.log(JSON.stringify(result)),
});
targets.stop();
process.exit();
