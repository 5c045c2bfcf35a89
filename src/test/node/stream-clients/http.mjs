// node:http over a stream: PORT. A kept-alive connection with several requests, one with a large body.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import { connect } from "./stream.mjs";

const port = process.argv[2];
const stream = await connect(port, { ticket: true });
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
agent.createConnection = () => stream;

async function request(method, path, body) {
  const outgoing = http.request({ agent, method, path, host: "127.0.0.1", port });
  outgoing.end(body);
  const [answer] = await once(outgoing, "response");
  const pieces = [];
  for await (const piece of answer) {
    pieces.push(piece);
  }
  return { status: answer.statusCode, body: Buffer.concat(pieces) };
}

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
const body = randomBytes(5_000_000);
for (let i = 0; i < 3; i++) {
  const answer = await request("POST", "/sha256", body);
  assert.equal(answer.status, 200);
  assert.equal(answer.body.toString(), sha256(body));
  const large = await request("GET", "/bytes/5000000");
  assert.equal(large.body.length, 5_000_000);
}
agent.destroy();
stream.destroy();
console.log("ok");
