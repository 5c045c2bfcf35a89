import { pythonBytes, pythonString, pythonValue } from './literals.js';

/** A program for Python 3, of its standard library. */
export function python(api, calls) {
  return `#!/usr/bin/env python3
import json
import os
import sys
import urllib.error
import urllib.request

API = ${pythonString(api)}
TOKEN = os.environ["SOCKET_PROXY_TOKEN"]


def call(method, path, body=None):
    """Makes a call, with bytes or what becomes JSON; gives the bytes of the answer."""
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/octet-stream"}
    if body is not None and not isinstance(body, bytes):
        headers["Content-Type"] = "application/json"
        body = json.dumps(body).encode()
    request = urllib.request.Request(f"{API}/{path}", body, headers, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.read()
    except urllib.error.HTTPError as problem:
        sys.exit(f"{method} {path}: {problem.read().decode()}")


${calls.map(line).join('\n')}
`;
}

function line({ method, path, json, body, omitted, makes, where = [], gives }) {
  if (omitted) {
    return `# ${omitted} bytes were sent here, which were too many to keep.`;
  }
  const target = path.some((part) => part.name)
    ? `f"${path.map((part) => (part.name ? `{${part.name}}` : part)).join('')}"`
    : pythonString(path.join(''));
  const sent = body ? `, ${pythonBytes(body)}` : json !== undefined ? `, ${pythonValue(json)}` : '';
  const call = `call(${pythonString(method)}, ${target}${sent})`;
  const at = where.map((name) => `[${pythonString(name)}]`).join('');
  return makes.length > 1 ? `${makes.join(', ')} = (made["id"] for made in json.loads(${call})${at})`
    : makes.length === 1 ? `${makes[0]} = json.loads(${call})${at}["id"]`
      : gives === 'bytes' ? `sys.stdout.buffer.write(${call})`
        : gives === 'json' ? `print(${call}.decode())`
          : call;
}
