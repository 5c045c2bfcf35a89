/** Something to begin with: where to connect to, and what to say first. `hex` is said in hexadecimal digits. */

// A query for the address of example.com (RFC 1035): its id, recursion desired, one question.
const QUERY = '12 34 01 00 00 01 00 00 00 00 00 00 07 65 78 61 6d 70 6c 65 03 63 6f 6d 00 00 01 00 01';

export const PRESETS = [
  { name: 'HTTP', what: 'A web server: ask for its page', kind: 'connect', host: 'example.com', port: 80, first: { text: 'GET / HTTP/1.0\nHost: example.com\n' } },
  { name: 'Redis', what: 'A Redis or Valkey server: PING', kind: 'connect', host: '127.0.0.1', port: 6379, first: { text: 'PING' } },
  { name: 'DNS', what: 'A resolver over UDP: where is example.com?', kind: 'udp', host: '9.9.9.9', port: 53, first: { kind: 'hex', text: QUERY } },
  { name: 'SMTP', what: 'A mail server: EHLO', kind: 'connect', host: '127.0.0.1', port: 25, first: { text: 'EHLO console.example' } },
];
