import { protocolName, warnings } from './certificates.js';
import { h } from './dom.js';

/** What the end of a connection is called, by its errno. */
const ENDS = {
  ECONNRESET: ['reset', 'The peer reset the connection (RST): it took nothing more, and what was on its way is lost.'],
  EPIPE: ['reset', 'The peer had closed the connection when more was sent to it.'],
  ETIMEDOUT: ['timed out', 'The peer did not answer any more.'],
};

/**
 * What is to be said of a handle's state: by the service's answer, and by what this page has seen of it.
 *
 * @param {object|null} session of the handle, if it was opened here
 * @returns {{word: string, kind: string, why: string|null}} a word, the class of its colour, and what it means where the word alone does not say
 */
export function stateOf(socket, session) {
  if (session?.closed) {
    return session.closedHere
      ? { word: 'closed', kind: 'closed', why: 'It was closed here.' }
      : { word: 'gone', kind: 'closed', why: 'The service has no such handle any more. What was said on it is kept here.' };
  }
  if (socket.state === 'disconnected' && session?.failure) {
    const [word, why] = ENDS[session.failure] ?? ['failed', `The connection failed: ${session.failure}.`];
    return { word, kind: 'closed', why };
  }
  if (socket.state === 'connected' && (socket.eof || session?.eof)) {
    return { word: 'peer closed', kind: 'connecting', why: 'The peer has sent FIN: nothing more comes from it. It may still be sent to.' };
  }
  return { word: socket.state, kind: socket.state, why: null };
}

/** Whether the stream that is attached is another client's. What was asked before this page's own has ended says nothing of that. */
export function isElsewhere(socket, session) {
  return socket.attached && !session?.closed && (session?.state ?? 'detached') === 'detached' && !(socket.asOf < session?.leftAt);
}

/** What else is to be said, each as {@link stateOf} has it. */
export function notesOf(socket, session, draining) {
  const open = !session?.closed;
  return [
    socket.tls && tlsNote(socket.tls),
    open && socket.state === 'connected' && (socket.shut || session?.shut)
      && { word: 'half-closed', kind: 'connecting', why: 'FIN is sent: nothing more can be sent, and reading goes on.' },
    isElsewhere(socket, session)
      && { word: 'attached elsewhere', kind: 'listening', why: 'Another client, or another page, has a stream on it, and receives alone.' },
    open && draining
      && { word: 'stopping', kind: 'connecting', why: 'The server is shutting down. It makes no new sockets, and closes this one when its time is up.' },
  ].filter(Boolean);
}

function tlsNote(tls) {
  const faults = warnings(tls);
  const word = protocolName(tls.protocol);
  return faults.length > 0
    ? { word: `${word}, with a warning`, kind: 'connecting', why: faults.join(' ') }
    : { word, kind: 'connected', why: `The service speaks ${word} with ${tls.serverName ?? 'the peer'}: ${tls.cipherSuite}.` };
}

/** A word in a box, with its meaning for those who ask and for screen readers. */
export function badge({ word, kind, why }) {
  return h('span.badge', { class: kind, title: why }, word, why && h('span.visually-hidden', {}, `: ${why}`));
}
