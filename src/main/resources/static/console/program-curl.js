import { printfFormat, shellWord } from './literals.js';

const JSON_TYPE = "-H 'Content-Type: application/json'";
const BYTES_TYPE = "-H 'Content-Type: application/octet-stream'";

/** A script for bash: curl, printf, grep and cut. A single call is one command. */
export function curl(api, calls) {
  if (calls.length === 1 && calls[0].makes.length === 0) {
    const [call] = calls;
    return `${command(call, `curl -sS -H "Authorization: Bearer $SOCKET_PROXY_TOKEN"`, shellWord(`${api}/${call.path.join('')}`))}\n`;
  }
  const lines = calls.map((call) => {
    const target = `"$api/${call.path.map((part) => (part.name ? `$${part.name}` : part)).join('')}"`;
    const line = command(call, 'call', target);
    return call.makes.length === 0 ? (call.gives === 'nothing' && !call.omitted ? `${line} > /dev/null` : line)
      : call.makes.length === 1 ? `${call.makes[0]}=$(${line} | ids)`
        : `{ ${call.makes.map((name) => `read -r ${name};`).join(' ')} } < <(${line} | ids)`;
  });
  return `#!/usr/bin/env bash
set -euo pipefail
: "\${SOCKET_PROXY_TOKEN:?put your API token in it}"
api=${shellWord(api)}
call() { curl -sS --fail-with-body -H "Authorization: Bearer $SOCKET_PROXY_TOKEN" "$@"; }
ids() { grep -o '"id":"[^"]*"' | cut -d '"' -f 4; }

${lines.join('\n')}
`;
}

function command({ method, json, body, omitted }, begin, target) {
  if (omitted) {
    return `# ${omitted} bytes were sent here, which were too many to keep.`;
  }
  const asked = method === 'GET' ? begin : `${begin} -X ${method}`;
  return body ? `printf ${printfFormat(body)} | ${asked} ${BYTES_TYPE} --data-binary @- ${target}`
    : json !== undefined ? `${asked} ${JSON_TYPE} --data-raw ${shellWord(JSON.stringify(json))} ${target}`
      : `${asked} ${target}`;
}
