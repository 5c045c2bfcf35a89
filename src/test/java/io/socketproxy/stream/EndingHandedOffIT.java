package io.socketproxy.stream;

import org.springframework.test.context.TestPropertySource;

@TestPropertySource(properties = "socket-proxy.stream.handoff=true")
class EndingHandedOffIT extends EndingCases {}
