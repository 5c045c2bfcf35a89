// Not a module: it runs before the first paint, so that no page flashes in the wrong colours.
(() => {
  let theme = null;
  try {
    theme = localStorage.getItem('socket-proxy.theme');
  } catch {
    // Storage may be closed to this page; the system's preference holds then.
  }
  if (theme === 'light' || theme === 'dark') {
    document.documentElement.dataset.theme = theme;
  }
})();
