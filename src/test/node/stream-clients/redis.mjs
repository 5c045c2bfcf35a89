// npm's ioredis over a stream: PORT. A pipeline, a large value, and publish/subscribe.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import Redis from "ioredis";
import { connect } from "./stream.mjs";

const port = process.argv[2];

class Connector {
  constructor(options) {
    this.ticket = options.ticket;
  }
  check() {
    return true;
  }
  disconnect() {
    this.stream?.end();
  }
  async connect() {
    this.stream = await connect(port, { ticket: this.ticket });
    return this.stream;
  }
}

const one = new Redis({ Connector, ticket: false, retryStrategy: null });
const two = new Redis({ Connector, ticket: true, retryStrategy: null });

const pipeline = one.pipeline();
for (let i = 0; i < 10_000; i++) {
  pipeline.set(`key:${i}`, `value ${i}`);
}
assert.equal((await pipeline.exec()).filter(([error, answer]) => error === null && answer === "OK").length, 10_000);
assert.equal(await two.get("key:9999"), "value 9999");

const bytes = randomBytes(3_000_000);
await one.set("large", bytes);
assert.ok(bytes.equals(await two.getBuffer("large")));

await two.subscribe("news");
const message = once(two, "message");
assert.equal(await one.publish("news", "extra"), 1);
assert.deepEqual(await message, ["news", "extra"]);

await one.quit();
await two.quit();
console.log("ok");
