import { announce } from './dom.js';
import * as format from './format.js';

/**
 * Shows a handle that has just been made.
 *
 * @param {{attach?: boolean, target?: object|null, draft?: object|null}} options whether a stream is attached, where it was connected to by name, and with TLS,
 *   and what is offered to be sent first
 */
export function openSocket({ handles, sessions }, socket, { attach = false, target = null, draft = null } = {}) {
  handles.put(socket);
  const session = sessions.of(socket.id);
  session.target = target;
  session.draft = draft;
  location.hash = `#/sockets/${socket.id}`;
  if (attach) {
    session.attach();
  }
  announce(`${format.title(socket)}: ${socket.state}`);
}

/** How to make one like it again, once it is gone: `{label, path, json}` of a call; null where there is no way, as for a connection that was accepted. */
export function again({ known: socket, target }) {
  const { family, type, state, localAddress } = socket;
  if (state === 'listening') {
    return { label: 'Listen again', path: 'listeners', json: { ...localAddress, family } };
  }
  if (target) {
    return { label: 'Connect again', path: 'connections', json: { ...target, type } };
  }
  const peer = socket.remoteAddress ?? socket.peer;
  return peer && peer.path !== '' && !socket.acceptedOn ? { label: 'Connect again', path: 'connections', json: { ...peer, type, family: peer.path ? undefined : family } } : null;
}
