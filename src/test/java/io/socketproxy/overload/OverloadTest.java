package io.socketproxy.overload;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** What is turned away, in which order, and until when. */
class OverloadTest {
    @Test
    void turnsNothingAwayInAProcessThatHasJustStarted() throws InterruptedException {
        try (Overload overload = new Overload(OverloadProperties.defaults())) {
            Thread.sleep(600);

            assertThat(overload.level()).isZero();
        }
    }

    @Test
    void turnsConnectionsAwayBeforeHandlesAndHandlesBeforeBodies() {
        try (Overload overload = still()) {
            overload.judge(0.5, 0.86, 0.1);
            assertThat(Load.values()).filteredOn(overload::sheds).containsExactly(Load.CONNECTIONS);

            overload.judge(0.91, 0.5, 0.1);
            assertThat(Load.values()).filteredOn(overload::sheds).containsExactly(Load.CONNECTIONS, Load.HANDLES);

            overload.judge(0.5, 0.5, 0.96);
            assertThat(Load.values()).filteredOn(overload::sheds).containsExactly(Load.values());
        }
    }

    @Test
    void letsInAgainOnlyWellBelowTheThreshold() {
        try (Overload overload = still()) {
            overload.judge(0.91, 0, 0);
            overload.judge(0.88, 0, 0);
            assertThat(overload.level()).isEqualTo(2);

            overload.judge(0.86, 0, 0);
            assertThat(overload.level()).isEqualTo(1);

            overload.judge(0.81, 0, 0);
            assertThat(overload.level()).isZero();
        }
    }

    @Test
    void readsHeapDirectMemoryAndDescriptorsOfThisProcess() {
        System.gc();
        Readings readings = new Readings();

        assertThat(readings.heap()).isBetween(0.0001, 0.9);
        assertThat(readings.isHeapOld()).isFalse();
        assertThat(readings.direct()).isBetween(0.0, 0.9);
        assertThat(readings.descriptors()).isBetween(0.0001, 0.9);
    }

    @Test
    void budgetsFollowFromTheProcess() {
        try (Overload overload = still()) {
            assertThat(overload.budgets()).contains(overload.bodies(), overload.buffers(), overload.calls());
            assertThat(overload.bodies().limit()).isEqualTo(Runtime.getRuntime().maxMemory() / 3);
            assertThat(overload.bodies().limitPerOwner())
                    .isEqualTo(overload.bodies().limit() / 2);
            assertThat(overload.calls().limit()).isGreaterThanOrEqualTo(16);
        }
    }

    /** One whose readings say that nothing is used. */
    private static Overload still() {
        Overload overload = new Overload(OverloadProperties.defaults(), new Readings());
        overload.close();
        return overload;
    }
}
