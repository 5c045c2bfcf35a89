// The client as docs/client.md says that it is copied from the service, in Node. Prints one JSON line for each case.

import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import ts from "typescript";
import WebSocket from "ws";
import { run } from "./suite.mjs";
import { start } from "./targets.mjs";

const document = await readFile(new URL("../../../../docs/client.md", import.meta.url), "utf8");
const [, command] = /^```sh\n(service=[^]*?)^```$/m.exec(document);
const directory = await mkdtemp(path.join(tmpdir(), "socket-proxy-client-"));
const targets = await start(process.env.SOCKET_PROXY_URL);
try {
  execFileSync("bash", ["-euc", command.replace(/^service=.*$/m, `service=${process.env.SOCKET_PROXY_URL}`)], { cwd: directory });
  const entry = path.join(directory, "client", "socket-proxy");
  const diagnostics = ts.getPreEmitDiagnostics(ts.createProgram([`${entry}.d.ts`], { noEmit: true, types: [], target: ts.ScriptTarget.ES2022 }));
  await run(await import(pathToFileURL(`${entry}.js`)), {
    ...targets,
    token: process.env.SOCKET_PROXY_TOKEN,
    WebSocket,
    only: process.argv[2],
    report: ({ error, ...rest }) =>
      console.log(JSON.stringify({ ...rest, error: error ?? (diagnostics[0] && ts.flattenDiagnosticMessageText(diagnostics[0].messageText, "\n")) })),
  });
} finally {
  await rm(directory, { recursive: true });
  targets.stop();
}
process.exit();
