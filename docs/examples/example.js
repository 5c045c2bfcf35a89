// What the example pages share: where the service is, who calls, a form with the example's own fields, and a place for what comes out.

/** Whether the service itself serves this page, below /examples/. From elsewhere it has to be told where the service is. */
const served = new URL(import.meta.url).pathname.endsWith("/examples/example.js");
const home = new URL("..", import.meta.url).href.replace(/\/$/, "");

/** Where the console keeps the token of who has signed in, until the tab is closed. */
const TOKEN = "socket-proxy.token";

/** Runs `run(proxy, fields, print)` when the form is sent; `fields` are the form's, by name. */
export function example(run) {
  const form = document.querySelector("form");
  const output = document.querySelector("output");
  const print = (line) => output.append(`${line}\n`);
  if (!served || !sessionStorage.getItem(TOKEN)) {
    ask(form);
  }
  if (served) {
    // Signed out on the console, signed out here.
    new BroadcastChannel("socket-proxy.signed-out").addEventListener("message", () => {
      sessionStorage.removeItem(TOKEN);
      if (!form.elements.token) {
        ask(form);
      }
    });
  }
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    output.textContent = "";
    output.dataset.state = "running";
    const { service = home, token = sessionStorage.getItem(TOKEN), ...fields } = Object.fromEntries(new FormData(form));
    try {
      const { SocketProxy } = await import(`${service}/client/socket-proxy.js`);
      await run(new SocketProxy({ url: service, token }), fields, print);
      output.dataset.state = "done";
    } catch (error) {
      print(error);
      if ((error.cause ?? error).status === 401 && !form.elements.token) {
        // The token of before, and the service has made another at its start.
        ask(form);
      }
      output.dataset.state = "failed";
    }
  });
}

/** Puts fields for the token, and where it has to be asked for the service, in front of the example's own. */
function ask(form) {
  const signIn = document.createElement("p");
  const link = Object.assign(document.createElement("a"), { href: `${home}/`, textContent: "Sign in on the console" });
  signIn.append(link, " in this tab, and come back; or give the token, which the service printed when it started.");
  form.prepend(
    ...(served ? [signIn] : [field("Service", { name: "service", value: "http://127.0.0.1:8080" })]),
    field("Token", { name: "token", type: "password", autocomplete: "off", placeholder: "spx_…" }),
  );
}

function field(label, attributes) {
  const node = document.createElement("label");
  node.append(`${label} `, Object.assign(document.createElement("input"), { required: true, ...attributes }));
  return node;
}
