// What the example pages share: a form with the service, the token and the example's own fields, and a place for what comes out.

/** Runs `run(proxy, fields, print)` when the form is sent; `fields` are the form's, by name. */
export function example(run) {
  const form = document.querySelector("form");
  const output = document.querySelector("output");
  const print = (line) => output.append(`${line}\n`);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    output.textContent = "";
    output.dataset.state = "running";
    const { service, token, ...fields } = Object.fromEntries(new FormData(form));
    try {
      const { SocketProxy } = await import(`${service}/client/socket-proxy.js`);
      await run(new SocketProxy({ url: service, token }), fields, print);
      output.dataset.state = "done";
    } catch (error) {
      print(error);
      output.dataset.state = "failed";
    }
  });
}
