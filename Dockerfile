# The service, on a Java runtime that holds only what it uses, with an ahead-of-time cache of what a training run of it loaded.
# docs/operations.md says how to run it.

FROM eclipse-temurin:25-jdk AS build
# The services database, for getaddrinfo.
RUN apt-get update -q && apt-get install -q -y --no-install-recommends netbase && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# A layer of its own, which stays while the project's dependencies do.
COPY .mvn/wrapper/mvnw pom.xml ./
COPY .mvn .mvn
RUN ./mvnw -B -q dependency:go-offline -DincludeScope=runtime
COPY openapi openapi
COPY docs/examples docs/examples
COPY src/main src/main
RUN ./mvnw -B -q package -Dmaven.test.skip=true \
    && java -Djarmode=tools -jar target/socket-proxy.jar extract --layers --destination /layers
# Netty would unpack its library into /tmp, where a hardened container can execute nothing.
RUN mkdir /native && cd /native \
    && for jar in /layers/dependencies/lib/netty-transport-native-epoll-*-linux-*.jar; do jar xf "$jar" META-INF/native; done \
    && mv META-INF/native/*.so . && rm -r META-INF
# What jdeps says the jars need, and beside it the cryptography, the monitoring and the file systems that are found by name.
RUN jlink --output /jre --no-man-pages --no-header-files --add-modules \
    java.base,java.compiler,java.desktop,java.instrument,java.management,java.naming,java.net.http,java.prefs,java.scripting,java.security.jgss,java.sql,jdk.crypto.cryptoki,jdk.crypto.ec,jdk.jfr,jdk.management,jdk.net,jdk.unsupported,jdk.zipfs

FROM debian:trixie-slim AS service
COPY --from=build /etc/services /etc/protocols /etc/
COPY --from=build /jre /opt/java
WORKDIR /app
COPY --from=build /layers/dependencies/ ./
COPY --from=build /native native
COPY src/docker/java.options src/docker/healthcheck ./
COPY --from=build /layers/application/ ./

FROM service AS training
COPY src/docker/train /train
# What the service writes it writes to /tmp, also here.
RUN /train/train /app/application.aot

FROM service
COPY --from=training /app/application.aot ./
# Numeric, so that an orchestrator can tell that it is not root.
USER 65532:65532
# Any difference between the training run and this image would leave the cache unused without a word: here it fails the build.
RUN ["/opt/java/bin/java", "@java.options", "-XX:AOTMode=on", "-Djava.io.tmpdir=/dev/shm", "-Dspring.context.exit=onRefresh", "-jar", "socket-proxy.jar"]

ARG VERSION=0.1.0-SNAPSHOT
ARG REVISION=unknown
LABEL org.opencontainers.image.title="socket-proxy" \
      org.opencontainers.image.description="BSD sockets by handle, over HTTP and WebSocket" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.base.name="docker.io/library/debian:trixie-slim"
# Files in /run/secrets are properties: socket-proxy.security.token, say.
ENV SPRING_CONFIG_IMPORT=optional:configtree:/run/secrets/
EXPOSE 8080
HEALTHCHECK --interval=2s --timeout=8s --start-period=30s --retries=3 CMD ["bash", "/app/healthcheck"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/opt/java/bin/java", "@/app/java.options", "-jar", "/app/socket-proxy.jar"]
