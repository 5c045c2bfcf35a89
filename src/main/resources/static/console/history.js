/** What this page has asked of the service, so that it can be done again elsewhere; see programs.js. */

const MOST_STEPS = 500;

/** Bytes kept of one call, and of all. */
const LONGEST_BODY = 64 << 10;
const MOST_BYTES = 1 << 20;

/** What the page asks for by itself: lists, options as they are, rules, the names of constants; and the end of another's stream, of which a program has none. */
const IN_THE_BACKGROUND = /^GET (?:sockets|constants|policy)(?:\/|$)|^DELETE sockets\/[^/]+\/stream$/;

/**
 * A call: its `method`, `path` and `query`, what went with it (`json`, or `body` as bytes, of which `omitted` were too many to keep), the ids that its
 * answer `made`, and whether it `failed`. What came or went on a stream is the call that would have done it: a receive then is `streamed`, and `eof`
 * says that the end was reached.
 */
class Step {
  time = Date.now();
  made = [];
  failed = false;
  omitted = 0;

  constructor(method, path, { query = {}, json, body } = {}) {
    Object.assign(this, { method, path, query: { ...query }, json, body });
    if (body?.length > LONGEST_BODY) {
      this.omitted = body.length;
      this.body = undefined;
    }
  }

  /** The handle that it is about; null if it is about none. */
  get socket() {
    return this.path.match(/^sockets\/([^/]+)/)?.[1] ?? null;
  }

  get bytes() {
    return this.body?.length ?? 0;
  }
}

/** The calls of one sign-in, oldest first, the last of them only. Emits `change`. */
export class History extends EventTarget {
  steps = [];
  #bytes = 0;

  #add(step) {
    this.steps.push(step);
    this.#bytes += step.bytes;
    while (this.steps.length > MOST_STEPS || this.#bytes > MOST_BYTES) {
      this.#bytes -= this.steps.shift().bytes;
    }
    this.#changed();
    return step;
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }

  /** Makes the call by `run`, and keeps it unless the page makes it by itself. */
  async keep(method, path, options, run) {
    if (IN_THE_BACKGROUND.test(`${method} ${path}`)) {
      return run();
    }
    const step = this.#add(new Step(method, path, options));
    try {
      const answer = await run();
      const sockets = answer?.sockets ?? [answer?.socket ?? (step.socket ? null : answer)];
      step.made = sockets.flatMap((socket) => socket?.id ?? []);
      return answer;
    } catch (problem) {
      step.failed = true;
      throw problem;
    } finally {
      this.#changed();
    }
  }

  /** A stream on the handle, made by `open` with the sink that it is given. */
  stream(id, sink, { datagrams = false }, open) {
    const stream = open({
      ...sink,
      data: (bytes, address) => {
        this.#received(id, datagrams, false);
        sink.data(bytes, address);
      },
      eof: () => {
        this.#received(id, datagrams, true);
        sink.eof();
      },
      accepted: (accepted) => {
        this.#add(new Step('POST', `sockets/${id}/accept`)).made = [accepted.socket.id];
        sink.accepted(accepted);
      },
    });
    return {
      ...stream,
      send: (bytes, signal) => {
        this.#add(new Step('POST', `sockets/${id}/sendall`, { body: bytes }));
        return stream.send(bytes, signal);
      },
      startTls: (request) => {
        this.#add(new Step('POST', `sockets/${id}/starttls`, { json: request }));
        return stream.startTls(request);
      },
      shutdown: () => {
        this.#add(new Step('POST', `sockets/${id}/shutdown`, { json: { how: 'SHUT_WR' } }));
        return stream.shutdown();
      },
    };
  }

  // What comes piece by piece is one answer, until something is sent again.
  #received(id, datagrams, eof) {
    const last = this.steps.findLast((step) => step.socket === id);
    if (last?.streamed && !datagrams) {
      if (eof) {
        last.eof = true;
        this.#changed();
      }
    } else {
      Object.assign(this.#add(new Step('POST', `sockets/${id}/${datagrams ? 'recvfrom' : 'recv'}`)), { streamed: true, eof });
    }
  }
}

/** The steps that have to do with the handle: its own, and those that made what it came from. */
export function stepsOf(steps, id) {
  const wanted = new Set([id]);
  return steps.toReversed().filter((step) => {
    const concerned = wanted.has(step.socket) || step.made.some((made) => wanted.has(made));
    // Another connection of the listener's is another story.
    const other = step.made.length > 0 && !step.made.some((made) => wanted.has(made));
    if (concerned && !other) {
      step.made.forEach((made) => wanted.add(made));
      if (step.socket) {
        wanted.add(step.socket);
      }
    }
    return concerned && !other;
  }).reverse();
}
