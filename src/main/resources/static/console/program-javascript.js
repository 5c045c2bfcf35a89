import { javascriptBytes, javascriptString, javascriptValue } from './literals.js';

/** A module for Node 18 or later. */
export function javascript(api, calls) {
  return `// node socket-proxy.mjs
const api = ${javascriptString(api)};
const token = process.env.SOCKET_PROXY_TOKEN;

/** Makes a call, with a string, bytes or what becomes JSON; gives the answer. */
async function call(method, path, body) {
  const json = body !== undefined && typeof body !== "string" && !(body instanceof Uint8Array);
  const answer = await fetch(\`\${api}/\${path}\`, {
    method,
    headers: { authorization: \`Bearer \${token}\`, "content-type": json ? "application/json" : "application/octet-stream" },
    body: json ? JSON.stringify(body) : body,
  });
  if (!answer.ok) {
    throw new Error(\`\${method} \${path}: \${await answer.text()}\`);
  }
  return answer;
}

${calls.map(line).join('\n')}
`;
}

function line({ method, path, json, body, omitted, makes, where = [], gives }) {
  if (omitted) {
    return `// ${omitted} bytes were sent here, which were too many to keep.`;
  }
  const target = path.some((part) => part.name)
    ? `\`${path.map((part) => (part.name ? `\${${part.name}}` : javascriptString(part, true))).join('')}\``
    : javascriptString(path.join(''));
  const sent = body ? `, ${javascriptBytes(body)}` : json !== undefined ? `, ${javascriptValue(json)}` : '';
  const call = `await call(${javascriptString(method)}, ${target}${sent})`;
  const answer = `await (${call})`;
  const names = makes.length > 1 ? `[${makes.map((name) => `{ id: ${name} }`).join(', ')}]` : `{ id: ${makes[0]} }`;
  return makes.length > 0 ? `const ${where.length > 0 ? `{ ${where[0]}: ${names} }` : names} = ${answer}.json();`
    : gives === 'bytes' ? `process.stdout.write(new Uint8Array(${answer}.arrayBuffer()));`
      : gives === 'json' ? `console.log(${answer}.text());`
        : `${call};`;
}
