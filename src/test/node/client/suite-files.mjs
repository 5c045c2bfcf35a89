// The suite's modules for a page that imports them from a server: `/suite.mjs`, and those in `/suite/`.

import { readFile } from "node:fs/promises";

export const isSuite = ({ pathname }) => /^\/suite(\/[a-z-]+)?\.mjs$/.test(pathname);

export const readSuite = (pathname) => readFile(new URL(`.${pathname}`, import.meta.url));
