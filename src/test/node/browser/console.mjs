// The web console as its users use it. One case a run: CASE names it. Where DOCUMENTATION names a directory, the documentation's pictures are
// taken into it on the way.

import { cases as access } from "./console/access.mjs";
import { cases as calls } from "./console/calls.mjs";
import { cases as commands } from "./console/commands.mjs";
import { cases as journal } from "./console/journal.mjs";
import { cases as panels } from "./console/panels.mjs";
import { cases as programs } from "./console/programs.mjs";
import { cases as signIn } from "./console/sign-in.mjs";
import { cases as streams } from "./console/streams.mjs";
import { call, closers, handles } from "./console/support.mjs";
import { cases as tls } from "./console/tls.mjs";
import { cases as transcripts } from "./console/transcripts.mjs";
import { cases as truth } from "./console/truth.mjs";

const cases = { ...signIn, ...streams, ...journal, ...calls, ...panels, ...access, ...truth, ...transcripts, ...commands, ...programs, ...tls };

const name = process.env.CASE;
try {
  await cases[name](`console-${name}`);
} finally {
  for (const close of closers.reverse()) {
    close();
  }
  // A service that has been stopped has none.
  for (const { id } of await handles().catch(() => [])) {
    await call("DELETE", `sockets/${id}`).catch(() => {});
  }
}
