// npm's pg over a stream: PORT. A bytea of 2 MB there and back, and LISTEN/NOTIFY between two connections.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import pg from "pg";
import { connect } from "./stream.mjs";

const port = process.argv[2];

async function client(options) {
  const stream = await connect(port, options);
  // pg waits for the event that a socket emits when it has connected.
  stream.connect = () => process.nextTick(() => stream.emit("connect"));
  const made = new pg.Client({ user: "tester", database: "postgres", stream: () => stream });
  await made.connect();
  return made;
}

const one = await client();
const two = await client({ ticket: true });

const bytes = randomBytes(2_000_000);
await one.query("CREATE TABLE blobs (id int, data bytea)");
await one.query("INSERT INTO blobs VALUES (1, $1)", [bytes]);
const { rows } = await two.query("SELECT data, md5(data) AS md5 FROM blobs WHERE id = 1");
assert.ok(bytes.equals(rows[0].data));

await one.query("LISTEN news");
const notified = once(one, "notification");
await two.query("NOTIFY news, 'extra'");
assert.equal((await notified)[0].payload, "extra");

const many = await one.query("SELECT count(*) AS n, sum(i) AS sum FROM generate_series(1, 200000) AS i");
assert.deepEqual(many.rows[0], { n: "200000", sum: "20000100000" });
await assert.rejects(two.query("SELECT 1/0"), { code: "22012" });

await one.end();
await two.end();
console.log("ok");
