import { Archive } from './archive.js';
import { h, icon, setText, toast } from './dom.js';
import { callForm, check, field, shown } from './forms.js';
import { Handles } from './handles.js';
import { PALETTE_KEYS, listenForKeys } from './keys.js';
import { Names } from './names.js';
import { problemCard } from './problem.js';
import { Service } from './service.js';
import { Sessions } from './sessions.js';
import { SocketsPage, loadHandlePane } from './sockets-page.js';

const TOKEN = 'socket-proxy.token';
const THEME = 'socket-proxy.theme';

/** Pages by their routes, when they have been loaded. */
const PAGES = { sockets: SocketsPage, resolver: null, policy: null };

let loaded = null;

/** What the first look does without: loaded behind it, it is there when it is asked for. */
function rest() {
  if (!loaded) {
    for (const link of document.querySelectorAll('link[rel="later"]')) {
      link.rel = 'modulepreload';
    }
    loaded = {
      handlePane: loadHandlePane(),
      newSocket: import('./new-socket.js'),
      palette: import('./palette.js'),
      help: import('./help.js'),
      pages: Promise.all([import('./resolver-page.js'), import('./policy-page.js')]).then(([{ ResolverPage }, { PolicyPage }]) =>
        Object.assign(PAGES, { resolver: ResolverPage, policy: PolicyPage })),
    };
  }
  return loaded;
}

/** The token that the start-up link carries; it is taken out of the address bar and out of the history. */
function tokenFromLink() {
  const match = location.hash.match(/^#\/?token=([^&]+)/);
  if (!match) {
    return null;
  }
  history.replaceState(null, '', `${location.pathname}${location.search}#/`);
  return decodeURIComponent(match[1]);
}

/** The console, signed in or not. */
class Console {
  #root = document.getElementById('app');
  #page = null;
  #route = null;

  service = null;
  handles = null;
  sessions = null;
  names = null;
  echo = null;

  start() {
    listenForKeys({
      palette: () => this.service && this.openPalette(),
      help: () => this.service && this.help(),
      search: () => this.service && this.#search(),
      create: () => this.service && this.create(),
    });
    addEventListener('hashchange', () => {
      const token = tokenFromLink();
      if (token) {
        this.#signOut();
        this.#signIn(token, true);
      } else if (this.service) {
        closeDialogs();
        this.#navigate(true);
      }
    });
    const token = tokenFromLink() ?? sessionStorage.getItem(TOKEN);
    if (token) {
      this.#signIn(token, true);
    } else {
      Archive.sweep();
      this.#askForToken();
    }
  }

  #askForToken(problem = null) {
    const input = h('input', {
      type: 'password',
      name: 'token',
      required: true,
      autocomplete: 'off',
      spellcheck: 'false',
      placeholder: 'spx_…',
    });
    document.title = 'Sign in – socket-proxy';
    this.#root.replaceChildren(h(
      'main.sign-in',
      { id: 'main' },
      h('div.sign-in-card', {},
        h('div.brand.large', {}, logo(), h('h1', {}, 'socket-proxy')),
        h('p.lead', {}, 'Real BSD sockets, held on this server.'),
        problem && problemCard(problem),
        callForm({
          label: 'Sign in',
          fields: [
            field('API token', input, { wide: true, hint: 'The service prints one at start-up where none is configured.' }),
            h('div.field.wide', {}, check('Keep it until this tab is closed', 'keep', { checked: true }),
              h('p.hint', {}, 'And what is said on its sockets, so that a reload loses nothing.')),
          ],
          action: 'Sign in',
          run: async ({ token, keep }) => {
            await new Service(token.trim()).call('GET', 'sockets', { query: { limit: 1 } });
            this.#signIn(token.trim(), keep);
          },
        }),
        h('p.links', {}, h('a', { href: 'swagger-ui.html' }, 'REST interface'), themeButton()))));
    input.focus();
  }

  #signIn(token, keep) {
    if (keep) {
      sessionStorage.setItem(TOKEN, token);
    }
    this.service = new Service(token);
    this.handles = new Handles(this.service);
    this.sessions = new Sessions(this.service, this.handles);
    this.names = new Names(() => this.service?.owner ?? '', keep);
    this.service.addEventListener('unauthorized', () => {
      if (this.service?.token === token) {
        this.#signOut();
        this.#askForToken({
          title: 'Signed out',
          errno: 'EACCES',
          status: 401,
          message: 'The service does not take this token (any more). Sign in with a valid one.',
        });
      }
    });
    this.#frame();
    this.service.synchronise().catch(() => {});
    const { sessions, service } = this;
    const first = this.handles.start();
    const kept = first.then(() => keep && service.owner !== null && sessions.keep(service.owner));
    // A link to a handle cannot be followed before the list is there, what was kept of it, and what shows a handle.
    const ready = location.hash.startsWith('#/sockets/') ? Promise.all([kept, rest().handlePane]) : first;
    ready.finally(() => this.service?.token === token && this.#navigate(false)).finally(rest);
  }

  #signOut() {
    sessionStorage.removeItem(TOKEN);
    // A tab that was opened from here has a copy of what was kept.
    const tabs = new BroadcastChannel('socket-proxy.signed-out');
    tabs.postMessage(null);
    tabs.close();
    this.echo?.stop();
    this.echo = null;
    this.sessions?.end();
    this.handles?.stop();
    this.#page?.dispose();
    this.#page = null;
    this.#route = null;
    this.service = null;
    this.handles = null;
    this.sessions = null;
    this.names = null;
    closeDialogs();
  }

  #frame() {
    this.main = h('main', { id: 'main', tabindex: '-1' }, h('p.loading', {}, 'Loading…'));
    this.links = {
      sockets: h('a', { href: '#/' }, 'Sockets'),
      resolver: h('a', { href: '#/resolver' }, 'Resolver'),
      policy: h('a', { href: '#/policy' }, 'Policy'),
    };
    this.live = h('span.live', { role: 'status' });
    this.#root.replaceChildren(
      h('header.top', {},
        h('a.skip', {
          href: '#/',
          onclick: (event) => {
            event.preventDefault();
            this.main.focus();
          },
        }, 'Skip to the content'),
        h('div.brand', {}, logo(), h('span', {}, 'socket-proxy')),
        h('nav', { 'aria-label': 'Pages' }, Object.values(this.links)),
        this.live,
        h('div.top-end', {},
          h('button.icon-button', { type: 'button', title: `Commands (${PALETTE_KEYS})`, 'aria-label': 'Commands', 'aria-keyshortcuts': 'Control+K', onclick: () => this.openPalette() }, icon('search')),
          h('a.button.quiet.wide-only', { href: 'swagger-ui.html', target: '_blank', rel: 'opener', title: 'The REST interface, in Swagger UI', 'aria-label': 'REST interface, in Swagger UI' }, 'REST interface', icon('external')),
          h('button.icon-button', { type: 'button', title: 'Help (?)', 'aria-label': 'Help', onclick: () => this.help() }, icon('help')),
          themeButton(),
          h('button.icon-button', {
            type: 'button',
            title: 'Sign out',
            'aria-label': 'Sign out',
            onclick: () => {
              this.#signOut();
              this.#askForToken();
            },
          }, icon('out')))),
      this.main);
    this.handles.addEventListener('change', () => this.#setLive(true));
    this.handles.addEventListener('trouble', () => this.#setLive(false));
  }

  #setLive(live) {
    const stopping = live && this.service.draining;
    this.live.classList.toggle('down', !live);
    this.live.classList.toggle('stopping', stopping);
    setText(this.live, stopping ? 'stopping' : live ? 'live' : 'no answer');
    this.retitle();
  }

  /** What the page shows is called otherwise: a bare handle that is connected, say, or one that was given a name. */
  retitle() {
    if (this.#page) {
      document.title = `${this.#page.title} – socket-proxy`;
    }
  }

  #navigate(byUser) {
    const [path, query] = location.hash.replace(/^#/, '').split('?');
    const [, first, id] = (path || '/').split('/');
    const route = first === 'resolver' || first === 'policy' ? first : 'sockets';
    if (!PAGES[route]) {
      rest().pages.then(() => this.service && this.#navigate(byUser));
      return;
    }
    if (route !== this.#route || (route === 'policy' && query)) {
      this.#page?.dispose();
      this.#route = route;
      this.#page = new PAGES[route](this, new URLSearchParams(query));
      this.main.replaceChildren(this.#page.node);
      for (const [name, link] of Object.entries(this.links)) {
        if (name === route) {
          link.setAttribute('aria-current', 'page');
        } else {
          link.removeAttribute('aria-current');
        }
      }
    }
    if (route === 'sockets') {
      this.#page.open(first === 'sockets' && id ? id : null);
    }
    this.retitle();
    if (byUser) {
      this.#page.focus();
    }
  }

  /** Asks what socket to make; a preset fills the form in. */
  async create(preset) {
    const { newSocketDialog } = await rest().newSocket;
    newSocketDialog(this, preset);
  }

  async openPalette() {
    const { openPalette } = await rest().palette;
    openPalette(this);
  }

  async help() {
    const { openHelp } = await rest().help;
    openHelp();
  }

  /** Swagger UI; the tab begins with a copy of this one's storage, and so signed in. */
  openRest() {
    open('swagger-ui.html', '_blank');
  }

  #search() {
    const inputs = [...document.querySelectorAll('.handle-pane input[type="search"], .filters input, .page form input')];
    const input = inputs.find((each) => each.checkVisibility());
    if (input) {
      input.focus();
      input.select();
    } else {
      location.hash = '#/';
    }
  }
}

function closeDialogs() {
  for (const dialog of document.querySelectorAll('dialog')) {
    dialog.close();
  }
}

function logo() {
  return h('img', { src: 'favicon.svg', alt: '', width: '22', height: '22' });
}

function themeButton() {
  const names = { system: 'as the system', light: 'light', dark: 'dark' };
  const button = h('button.icon-button', { type: 'button' }, icon('theme'));
  const current = () => document.documentElement.dataset.theme ?? 'system';
  const say = () => {
    button.title = `Colours: ${names[current()]}`;
    button.setAttribute('aria-label', `Colours: ${names[current()]}. Change`);
  };
  button.addEventListener('click', () => {
    const dark = matchMedia('(prefers-color-scheme: dark)').matches;
    // The first press must change something: it goes to the opposite of what is shown.
    const order = dark ? ['system', 'light', 'dark'] : ['system', 'dark', 'light'];
    const next = order[(order.indexOf(current()) + 1) % order.length];
    if (next === 'system') {
      delete document.documentElement.dataset.theme;
      localStorage.removeItem(THEME);
    } else {
      document.documentElement.dataset.theme = next;
      localStorage.setItem(THEME, next);
    }
    say();
  });
  say();
  return button;
}

addEventListener('unhandledrejection', ({ reason }) => toast(shown(reason).message, { kind: 'error' }));

new Console().start();
