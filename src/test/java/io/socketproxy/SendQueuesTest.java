package io.socketproxy;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SendQueuesTest {

    @Test
    void countsClosedConnectionsWithSomethingToSend() {
        assertThat(SendQueues.isUndelivered(line("04", "0003A0C1", "0"))).isTrue();
        assertThat(SendQueues.isUndelivered(line("09", "00000001", "0"))).isTrue();
    }

    @Test
    void leavesOutOpenOnesAndThoseThatHaveSentEverything() {
        assertThat(SendQueues.isUndelivered(line("01", "0003A0C1", "48151"))).isFalse();
        assertThat(SendQueues.isUndelivered(line("04", "00000000", "0"))).isFalse();
        assertThat(SendQueues.isUndelivered(line("06", "00000000", "0"))).isFalse();
        assertThat(
                        SendQueues.isUndelivered(
                                "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"))
                .isFalse();
    }

    @Test
    void tellsConnectionsApartByTheirAddresses() {
        assertThat(SendQueues.addresses(line("04", "0003A0C1", "0"))).isEqualTo("0100007F:1F90 0100007F:D431");
    }

    private static String line(String state, String sendQueue, String inode) {
        return "   1: 0100007F:1F90 0100007F:D431 %s %s:00000000 01:00000019 00000000     0        0 %s 2 0000000000000000"
                .formatted(state, sendQueue, inode);
    }
}
