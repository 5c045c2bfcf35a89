// The pages of docs/examples, as a reader would use them: as the service serves them, or ($ELSEWHERE) from another origin. Prints one JSON line for
// each, or for those that match the regular expression $CASES.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import http from "node:http";
import net from "node:net";
import path from "node:path";
import { browse, token, url } from "./browser.mjs";

const HOST = "127.0.0.1";
const DIRECTORY = new URL("../../../../docs/examples/", import.meta.url);
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };
const closers = [];

function listening(server) {
  closers.push(() => server.close());
  return new Promise((resolve) => server.listen(0, HOST, () => resolve(server.address().port)));
}

const pages = await listening(
  http.createServer(async (request, response) => {
    const content = await readFile(new URL(`.${request.url}`, DIRECTORY)).catch(() => undefined);
    response.writeHead(content ? 200 : 404, { "content-type": TYPES[path.extname(request.url)] ?? "text/plain" });
    response.end(content);
  }),
);

const freePort = async () => {
  const probe = net.createServer();
  const port = await new Promise((resolve) => probe.listen(0, HOST, () => resolve(probe.address().port)));
  await new Promise((resolve) => probe.close(resolve));
  return port;
};

/** Starts a program that is on the PATH, or says that it is not. */
async function started(program, ...args) {
  const child = spawn(program, args, { stdio: "ignore", env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` } });
  closers.push(() => child.kill());
  const [outcome] = await Promise.race([once(child, "spawn").then(() => []), once(child, "error")]);
  return !outcome;
}

async function until(condition, what) {
  for (const end = Date.now() + 20_000; !(await condition()); ) {
    if (Date.now() > end) {
      throw new Error(`not so: ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const connects = (port) =>
  new Promise((resolve) => {
    const socket = net.connect(port, HOST, () => resolve(true)).on("error", () => resolve(false));
    socket.unref();
    socket.on("connect", () => socket.destroy());
  });

const elsewhere = Boolean(process.env.ELSEWHERE);

/** Goes to the page by its ways in, fills the form, sends it, and hands over the page and what it prints. */
async function use(page, name, fields, { signedIn = true } = {}) {
  if (elsewhere) {
    await page.goto(`http://${HOST}:${pages}/${name}`);
    Object.assign(fields, { service: url, token });
  } else if (signedIn) {
    await page.goto(`${url}/#token=${token}`);
    await page.getByRole("heading", { name: "Sockets", level: 1 }).waitFor();
    await page.goto(`${url}/examples`);
    await page.locator(`a[href="${name}"]`).click();
  } else {
    await page.goto(`${url}/examples/${name}`);
    if ((await page.getByRole("link", { name: "Sign in on the console" }).evaluate((link) => link.href)) !== `${url}/`) {
      throw new Error("the link does not lead to the console");
    }
    fields.token = token;
  }
  for (const [field, value] of Object.entries(fields)) {
    await page.fill(`input[name=${field}]`, String(value));
  }
  const asked = await page.locator("input").evaluateAll((inputs) => inputs.map((input) => input.name).sort());
  if (asked.join() !== Object.keys(fields).sort().join()) {
    throw new Error(`the page asks for ${asked}`);
  }
  await page.click("button");
  return {
    output: () => page.textContent("output"),
    done: async () => {
      await page.waitForSelector("output[data-state=done], output[data-state=failed]");
      return page.textContent("output");
    },
  };
}

function contains(text, expected) {
  if (!text.includes(expected)) {
    throw new Error(`expected ${JSON.stringify(expected)} in ${JSON.stringify(text)}`);
  }
}

/** The console is another tab, of the same browser. */
async function signsOutWithTheConsole(page) {
  const console = await page.context().newPage();
  await console.goto(`${url}/#token=${token}`);
  await console.getByRole("button", { name: "Sign out" }).click();
  await page.locator("input[name=token]").waitFor();
  if ((await page.evaluate(() => sessionStorage.length)) !== 0) {
    throw new Error("the token stays in the tab");
  }
  await console.close();
}

const examples = {
  "redis-ping.html": async (page) => {
    const port = await freePort();
    if (!(await started("redis-server", "--port", port, "--bind", HOST, "--save", "", "--appendonly", "no"))) {
      return "redis-server is not on the PATH: install redis-server to run this";
    }
    await until(() => connects(port), "Redis listens");
    const { done } = await use(page, "redis-ping.html", { address: `${HOST}:${port}` });
    contains(await done(), "+PONG\r\n+OK\r\n$5\r\nhello\r\n+OK\r\n");
  },

  "http-get.html": async (page) => {
    const port = await listening(http.createServer((request, response) => response.end(`you asked for ${request.url}`)));
    const { done } = await use(page, "http-get.html", { host: HOST, port, path: "/some/where" }, { signedIn: false });
    const answer = await done();
    contains(answer, "HTTP/1.1 200 OK\r\n");
    contains(answer, "you asked for /some/where");
  },

  "dns-query.html": async (page) => {
    const port = await freePort();
    const options = ["--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--bind-interfaces", `--listen-address=${HOST}`];
    if (!(await started("dnsmasq", ...options, `--port=${port}`, "--address=/example.test/192.0.2.7"))) {
      return "dnsmasq is not on the PATH: install dnsmasq-base to run this";
    }
    await until(() => connects(port), "dnsmasq listens");
    const { done } = await use(page, "dns-query.html", { server: HOST, port, name: "www.example.test" });
    contains(await done(), "192.0.2.7");
    if (!elsewhere) {
      await signsOutWithTheConsole(page);
    }
  },

  "tcp-server.html": async (page) => {
    const { output } = await use(page, "tcp-server.html", { address: HOST });
    await until(async () => /listening on .*:\d+/.test(await output()), "the page listens");
    const port = Number(/:(\d+)/.exec(await output())[1]);
    let answer = "";
    const client = net.connect({ port, host: HOST, allowHalfOpen: true }, () => client.end("hello page\n"));
    client.on("data", (data) => (answer += data));
    await once(client, "end");
    contains(answer, "Hello from a browser tab");
    contains(answer, "HELLO PAGE\n");
    await until(async () => (await output()).includes("has gone"), "the page has seen it go");
  },
};

const cases = Object.entries(examples).filter(([name]) => new RegExp(process.env.CASES ?? "").test(name));
for (const [name, example] of cases) {
  const result = { name };
  try {
    await browse(
      name.replace(".html", ""),
      async (page) => {
        result.skipped = await example(page);
      },
      { others: elsewhere ? [`http://${HOST}:${pages}`] : [] },
    );
  } catch (error) {
    result.error = error.stack;
  }
  console.log(JSON.stringify(result));
}
closers.forEach((close) => close());
process.exit();
