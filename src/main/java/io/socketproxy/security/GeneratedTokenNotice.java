package io.socketproxy.security;

import io.socketproxy.http.ServiceAddress;
import java.io.PrintStream;

/** What is printed once where no token is configured: the generated one, and a link that opens the console signed in. */
final class GeneratedTokenNotice {

    private final String token;

    private final String baseUrl;

    GeneratedTokenNotice(String token, ServiceAddress service) {
        this.token = token;
        this.baseUrl = service.url();
    }

    /** To standard output and not to the log, whose files and collectors would keep the token. */
    void print(PrintStream out) {
        // In the fragment, which a browser sends to nobody: the token gets into no log on the way.
        out.printf("""

                  No API token is configured. This one is valid until the server stops:

                      %1$s

                  The console, signed in:  %2$s/#token=%1$s
                  From a shell:            curl -H "Authorization: Bearer %1$s" %2$s/api/v1/constants

                  To choose the token, set SOCKET_PROXY_TOKEN.

                """, token, baseUrl);
        out.flush();
    }
}
