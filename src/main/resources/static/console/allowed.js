/** Which calls a handle's state allows, by the rules of bind(2), connect(2), listen(2), accept(2), recv(2), send(2) and shutdown(2). */

const STREAM_ONLY = { listen: 'Datagrams need no listener: they come to whoever is bound.', accept: 'A datagram socket has no connections to accept.' };

/** Call → state → why not. What is not here is left to the kernel, which knows better. */
const BY_STATE = {
  bind: {
    bound: 'It is bound already, and a socket is bound once.',
    connecting: 'It is connecting, and has an address by that.',
    connected: 'It is connected, and has an address by that.',
    listening: 'It listens, on the address that it has.',
  },
  connect: {
    connected: 'It is connected already.',
    listening: 'It listens: a listener takes connections and makes none.',
  },
  listen: {
    connecting: 'It is connecting.',
    connected: 'It is connected: a connection cannot listen.',
  },
  accept: { '*': 'It does not listen. Bind it, and listen, first.', listening: null },
  receive: {
    unbound: 'It is not connected. Connect it first.',
    bound: 'It is not connected. Connect it first.',
    connecting: 'It is still connecting.',
    listening: 'A listener has connections to accept, and no data of its own.',
  },
  send: {
    '*': 'It is not connected.',
    connected: null,
    connecting: 'It is still connecting.',
    disconnected: 'The connection has ended.',
  },
  shutdown: {
    '*': 'It is not connected: there is nothing to shut down.',
    connected: null,
    listening: null,
  },
  starttls: {
    '*': 'It is not connected. Connect it first.',
    connected: null,
    connecting: 'It is still connecting.',
    disconnected: 'The connection has ended.',
  },
  attach: {
    unbound: 'It is not connected: there is nothing to stream.',
    bound: 'It is not connected: there is nothing to stream.',
    connecting: 'It is still connecting.',
  },
};

/** What datagram sockets may at any time. */
const DATAGRAMS = new Set(['connect', 'receive', 'send', 'attach']);

const ALONE = new Set(['accept', 'receive']);

/**
 * Why a call cannot be made on a handle as it is now, in a sentence; null where it can.
 *
 * @param {{closed: boolean, attached: boolean, shut: boolean}} now whether the handle is gone, a stream is attached to it, and it is shut down for writing
 */
export function whyNot(call, socket, { closed = false, attached = false, shut = false } = {}) {
  if (closed) {
    return 'The handle is closed.';
  }
  const datagrams = socket.type === 'SOCK_DGRAM';
  if (datagrams && STREAM_ONLY[call]) {
    return STREAM_ONLY[call];
  }
  if (call === 'attach' && datagrams && socket.family === 'AF_UNIX' && socket.state !== 'connected') {
    return 'A Unix datagram socket is streamed once it is connected.';
  }
  const rules = (datagrams && DATAGRAMS.has(call) ? null : BY_STATE[call]) ?? {};
  const reason = socket.state in rules ? rules[socket.state] : rules['*'];
  if (reason) {
    return reason;
  }
  if (attached && ALONE.has(call)) {
    return 'A stream is attached, and it alone receives and accepts. Detach it first.';
  }
  return shut && (call === 'send' || call === 'starttls') ? 'It is shut down for writing.' : null;
}
