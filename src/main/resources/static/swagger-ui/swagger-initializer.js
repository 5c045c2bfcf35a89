// Swagger UI on the document that is served beside it. A script, not a module, as the bundle is one.
(() => {
  /** Where the console keeps its token, in this tab or in the one that opened it; see console/main.js. */
  const TOKEN = 'socket-proxy.token';

  const SCHEME = 'bearerAuth';

  /** A path's own parameters come last in Swagger UI, behind all that may be left out; here those that are required come first. */
  const requiredFirst = () => ({
    wrapComponents: {
      parameters: (Parameters, { React }) => (props) =>
        React.createElement(Parameters, { ...props, parameters: props.parameters.sortBy((parameter) => (parameter.get('required') ? 0 : 1)) }),
    },
  });

  const ui = SwaggerUIBundle({
    // Absolute: calls go to where it came from.
    url: new URL('../openapi.yaml', location.href).href,
    dom_id: '#swagger-ui',
    deepLinking: true,
    tryItOutEnabled: true,
    displayRequestDuration: true,
    defaultModelsExpandDepth: 0,
    // Nothing of it goes to a validator elsewhere.
    validatorUrl: null,
    plugins: [requiredFirst],
    onComplete: () => {
      const token = sessionStorage.getItem(TOKEN);
      if (token) {
        ui.preauthorizeApiKey(SCHEME, token);
      }
    },
  });

  // Signed out there, signed out here.
  new BroadcastChannel('socket-proxy.signed-out').addEventListener('message', () => {
    sessionStorage.removeItem(TOKEN);
    ui.authActions.logout([SCHEME]);
  });
})();
