package io.socketproxy.stream;

import org.springframework.test.context.TestPropertySource;

@TestPropertySource(properties = "socket-proxy.stream.handoff=false")
class EndingContainerIT extends EndingCases {}
