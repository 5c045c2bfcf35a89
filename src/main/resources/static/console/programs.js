/** Programs that do again what was done here: with curl, in Python and in JavaScript, each with nothing but what comes with it. */

import { curl } from './program-curl.js';
import { javascript } from './program-javascript.js';
import { python } from './program-python.js';

/** How long a program waits for what came on a stream here. */
const WAIT_MS = 10_000;

/** What a handle is called in a program, by the call that made it. */
const NAMES = { listeners: 'listener', accept: 'connection' };

export const LANGUAGES = [
  ['curl', 'curl', 'socket-proxy.sh', curl],
  ['python', 'Python', 'socket_proxy.py', python],
  ['javascript', 'JavaScript', 'socket-proxy.mjs', javascript],
];

/**
 * A program that makes the calls again, with the token out of `SOCKET_PROXY_TOKEN`.
 *
 * @param {string} language one of {@link LANGUAGES}
 * @param {Array} steps of the history; a single one stands for itself, failed or not, and of several those that failed are left out
 * @param {string} api where the interface is
 */
export function program(language, steps, api) {
  const write = LANGUAGES.find(([name]) => name === language)[3];
  return write(api, steps.length === 1 ? [plain(steps[0], new Map())] : whole(steps));
}

/** The calls with the handles that they make under names, and each handle closed at the end. */
function whole(steps) {
  const names = new Map();
  const closed = new Set();
  const counts = new Map();
  const calls = steps.filter(({ failed }) => !failed).map((step) => {
    const call = plain(step, names);
    const kind = NAMES[step.path.split('/').at(-1)] ?? 'socket';
    for (const id of step.made) {
      const count = (counts.get(kind) ?? 0) + 1;
      counts.set(kind, count);
      names.set(id, count === 1 ? kind : `${kind}${count}`);
    }
    if (step.method === 'DELETE') {
      closed.add(step.socket);
    }
    return { ...call, makes: step.made.map((id) => names.get(id)), where: where(step) };
  });
  const left = [...names].filter(([id]) => !closed.has(id)).map(([, name]) => ({ method: 'DELETE', path: ['sockets/', { name }], makes: [], gives: 'nothing' }));
  return [...calls, ...left.reverse()];
}

/** Where the ids are in the answer. */
function where({ path, made }) {
  return path.endsWith('/accept') ? ['socket'] : made.length > 1 ? ['sockets'] : [];
}

/**
 * A call as every language writes it: `path` in parts, of which a `{name}` is a handle of this program's; what it `gives`: `bytes`, `json` to show,
 * or `nothing` of interest.
 */
function plain(step, names) {
  const { method, json, body, omitted, streamed, eof, makes = [] } = step;
  const given = Object.entries({ ...step.query, ...wait(step) }).filter(([, value]) => value !== undefined && value !== null && value !== '');
  const query = new URLSearchParams(given.map(([key, value]) => [key, Array.isArray(value) ? value.join('|') : value]));
  const [first, id, ...rest] = step.path.split('/');
  const name = first === 'sockets' && names.get(id);
  const behind = `${rest.map((part) => `/${segment(decodeURIComponent(part))}`).join('')}${query.size > 0 ? `?${query}` : ''}`;
  const path = name ? ['sockets/', { name }, behind] : [`${step.path}${query.size > 0 ? `?${query}` : ''}`];
  const receives = /\/recv(?:from)?$/.test(step.path);
  return { method, path, json, body, omitted, streamed, eof, makes, gives: receives ? 'bytes' : method === 'GET' || step.path === 'policy/explain' ? 'json' : 'nothing' };
}

function wait({ streamed, eof, path }) {
  return !streamed ? {} : { timeoutMs: WAIT_MS, ...(eof && path.endsWith('/recv') ? { follow: true } : {}) };
}

/** Of a path; nothing in it means anything to a shell. */
function segment(part) {
  return encodeURIComponent(part).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
