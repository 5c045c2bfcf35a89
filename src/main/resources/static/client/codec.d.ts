/** A Uint8Array with a buffer of its own, whatever this TypeScript calls that. */
export type Bytes = ReturnType<TextEncoder['encode']>;
