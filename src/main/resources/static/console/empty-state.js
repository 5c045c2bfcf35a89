import { h, icon } from './dom.js';
import { shown } from './forms.js';
import { PRESETS } from './presets.js';
import { ProblemSlot } from './problem.js';

/** What there is instead of a list without sockets: ways to a first one. `onnew` is called with a preset, or with none. */
export function emptyState(app, onnew) {
  const problems = new ProblemSlot();
  const demo = (label, what, run) =>
    h('button.demo', { type: 'button', onclick: run }, h('strong', {}, label), h('span', {}, what));
  const echo = demo('Echo', 'One click: a listener and a connection to it, which gives back what you send', async () => {
    problems.clear();
    echo.disabled = true;
    try {
      const { openEcho } = await import('./echo.js');
      await openEcho(app);
    } catch (problem) {
      problems.show(shown(problem));
    } finally {
      echo.disabled = false;
    }
  });
  return h(
    'div.empty',
    { hidden: true },
    h('p.empty-title', {}, 'No sockets yet'),
    h('p', {}, 'Connect to a server, listen on a port, or make a bare handle and call what you like on it.'),
    h('button.button.primary', { type: 'button', onclick: () => onnew() }, icon('plus'), h('span', {}, 'New socket')),
    h('h2', {}, 'Or try one of these'),
    h('div.demos', {}, echo, PRESETS.map((preset) => demo(preset.name, preset.what, () => onnew(preset)))),
    problems.node);
}
