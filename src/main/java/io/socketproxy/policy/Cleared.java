package io.socketproxy.policy;

import io.socketproxy.address.InetText;
import io.socketproxy.libc.SockAddr;

/**
 * A socket address that policy has allowed: the capability without which nothing connects, sends or binds.
 *
 * <p>Only this package can make one. It holds the address that was judged, so that no name is looked up a second time; for
 * AF_UNIX that is the path with its symbolic links resolved.
 */
public sealed interface Cleared {
    /** The address to give to the kernel. */
    SockAddr address();

    /** The transport that was judged; the allowance is for no other. */
    Transport transport();

    /** Leave to connect or send to the address. */
    final class Remote implements Cleared {
        private final Transport transport;
        private final SockAddr address;

        Remote(Transport transport, SockAddr address) {
            this.transport = transport;
            this.address = address;
        }

        @Override
        public SockAddr address() {
            return address;
        }

        @Override
        public Transport transport() {
            return transport;
        }

        @Override
        public String toString() {
            return "Remote[" + transport + " " + InetText.display(address) + "]";
        }
    }

    /** Leave to bind the address. */
    final class Local implements Cleared {
        private final Transport transport;
        private final SockAddr address;
        private final boolean v6Only;

        Local(Transport transport, SockAddr address, boolean v6Only) {
            this.transport = transport;
            this.address = address;
            this.v6Only = v6Only;
        }

        @Override
        public SockAddr address() {
            return address;
        }

        @Override
        public Transport transport() {
            return transport;
        }

        /** True if the leave is for a socket with IPV6_V6ONLY set; without the option, {@code ::} takes in IPv4 too. */
        boolean v6Only() {
            return v6Only;
        }

        @Override
        public String toString() {
            return "Local[" + transport + " " + InetText.display(address) + (v6Only() ? " v6only]" : "]");
        }
    }
}
