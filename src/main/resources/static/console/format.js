/** Numbers, times and addresses as people read them. */

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** Bytes in decimal units, three digits. */
export function bytes(count) {
  let value = count;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/** Bytes per second. */
export function rate(perSecond) {
  return `${bytes(perSecond < 0.5 ? 0 : perSecond)}/s`;
}

/** A whole number with its thousands apart. */
export function count(number) {
  return number.toLocaleString('en');
}

/** host:port, [host]:port or the path. */
export function address(value) {
  if (!value) {
    return '–';
  }
  if (value.path !== undefined) {
    return value.path === '' ? 'unnamed' : value.path.replace(/^\0/, '@');
  }
  const host = value.scopeId ? `${value.host}%${value.scopeId}` : value.host;
  return host.includes(':') ? `[${host}]:${value.port}` : `${host}:${value.port}`;
}

/** A handle's name: its kind, and whom it is or was connected to, or else where it is. */
export function title(socket) {
  return `${kind(socket)} ${address(socket.remoteAddress ?? socket.peer ?? socket.localAddress)}`;
}

/** A duration in milliseconds as a clock: 4:59, 1:02:03, 2 d 3 h. */
export function duration(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const two = (number) => String(number).padStart(2, '0');
  if (seconds >= 86_400) {
    return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`;
  }
  const minutes = Math.floor(seconds / 60);
  return minutes >= 60
    ? `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`
    : `${minutes}:${two(seconds % 60)}`;
}

/** The time of day with milliseconds. */
export function clock(ms) {
  const date = new Date(ms);
  const pad = (number, width = 2) => String(number).padStart(width, '0');
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}.${pad(date.getMilliseconds(), 3)}`;
}

/** The kind of socket in a word: TCP, UDP, or the type where it is another. */
export function kind(socket) {
  if (socket.family === 'AF_UNIX') {
    return socket.type === 'SOCK_DGRAM' ? 'Unix dgram' : 'Unix';
  }
  return (socket.type === 'SOCK_DGRAM' ? 'UDP' : 'TCP') + (socket.family === 'AF_INET6' ? '6' : '');
}

/** So many hexadecimal digits, more where needed. */
export function hexOffset(offset, digits) {
  return offset.toString(16).padStart(digits, '0');
}
