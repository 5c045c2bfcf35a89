package io.socketproxy.testing;

import java.nio.file.Path;

/** What nginx is told for a test: all that it writes goes into one directory. */
public final class Nginx {
    private Nginx() {}

    /**
     * A configuration.
     *
     * @param server what stands in its server, after its root, which is the directory
     */
    public static String configuration(Path directory, String server) {
        return """
                daemon off;
                user root;
                pid %1$s/pid;
                error_log stderr;
                worker_processes 1;
                events { worker_connections 16; }
                http {
                    access_log off;
                    client_body_temp_path %1$s/t1; proxy_temp_path %1$s/t2; fastcgi_temp_path %1$s/t3;
                    uwsgi_temp_path %1$s/t4; scgi_temp_path %1$s/t5;
                    server { root %1$s; %2$s }
                }
                """.formatted(directory, server);
    }
}
