package io.socketproxy.stream;

import org.springframework.test.context.TestPropertySource;

@TestPropertySource(properties = "socket-proxy.stream.handoff=true")
class Rfc6455HandedOffIT extends Rfc6455Cases {}
