import { announce } from './dom.js';

const MOST_CONNECTIONS = 16;

/** Not long after the page: nobody else answers there. */
const LEASE_MS = 60_000;

/** Handles of the user's own on which this page sends back what comes. They echo as long as the page is there. */
class Echo {
  #service;
  #streams = new Set();

  constructor(service) {
    this.#service = service;
  }

  /** Accepts connections on the listener, and answers on each. */
  listen(id) {
    this.#open(id, { accepted: ({ socket }) => (this.#streams.size > MOST_CONNECTIONS ? this.#close(socket.id) : this.answer(socket.id)) });
  }

  /** Sends back what comes on the handle, until its end. */
  answer(id) {
    let sent = Promise.resolve();
    const stream = this.#open(id, {
      data: (bytes) => {
        sent = sent.then(() => stream.send(bytes)).then(() => stream.consumed(bytes.length), () => {});
      },
      eof: () => sent.then(() => stream.shutdown()).then(() => stream.detach()).catch(() => {}),
    });
  }

  #open(id, heard) {
    const stream = this.#service.stream(id, {
      data: () => {},
      eof: () => {},
      accepted: () => {},
      fault: () => {},
      end: () => {
        this.#streams.delete(stream);
        this.#close(id);
      },
      ...heard,
    }, { quiet: true });
    this.#streams.add(stream);
    stream.ready.catch(() => {});
    return stream;
  }

  #close(id) {
    this.#service.call('DELETE', `sockets/${id}`, { quiet: true }).catch(() => {});
  }

  stop() {
    for (const stream of this.#streams) {
      stream.detach();
    }
  }
}

/** Opens a connection to an echo: to a listener on loopback, or, where policy lets nobody listen there, a pair of which one end answers. */
export async function openEcho(app) {
  const { service } = app;
  app.echo ??= new Echo(service);
  let socket;
  try {
    socket = await overLoopback(app);
  } catch (problem) {
    if (problem.status !== 403) {
      throw problem;
    }
    socket = await overPair(app);
  }
  app.names.set(socket.id, 'Echo', app.handles.byId);
  app.handles.put(socket);
  const session = app.sessions.of(socket.id);
  session.draft = { text: 'Hello, socket!' };
  session.attach();
  location.hash = `#/sockets/${socket.id}`;
  announce('Connected to an echo');
}

async function overLoopback({ service, handles, names, echo }) {
  const listener = await service.call('POST', 'listeners', { json: { host: '127.0.0.1', port: 0, leaseMs: LEASE_MS }, quiet: true });
  try {
    names.set(listener.id, 'Echo server', new Map([...handles.byId, [listener.id, listener]]));
    handles.put(listener);
    echo.listen(listener.id);
    return await service.call('POST', 'connections', { json: listener.localAddress });
  } catch (problem) {
    service.call('DELETE', `sockets/${listener.id}`, { quiet: true }).catch(() => {});
    throw problem;
  }
}

async function overPair({ service, handles, echo }) {
  const { sockets: [near, far] } = await service.call('POST', 'socketpair', { json: { type: 'SOCK_STREAM' } });
  handles.put(far);
  echo.answer(far.id);
  return near;
}
