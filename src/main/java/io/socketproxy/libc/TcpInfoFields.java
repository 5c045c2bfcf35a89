package io.socketproxy.libc;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * {@code struct tcp_info} field by field, under the kernel's names with their units; linux/tcp.h, tcp(7).
 *
 * <p>A kernel gives as many bytes as it has fields, and each release appends some: what is beyond is left out. Null stands where the kernel
 * writes its largest number for "no limit" or "not measured". Left out as well is what Linux does not fill (fackets, last_ack_sent), and what
 * no length tells from an older kernel's padding (fastopen_client_fail, what is behind the counters of accurate ECN).
 */
public final class TcpInfoFields {
    /** More than any kernel has. */
    public static final int MAX_BYTES = 1024;

    private static final int STATE = 0;
    private static final int CA_STATE = 1;
    private static final int OPTIONS = 5;
    private static final int WINDOW_SCALES = 6;
    private static final int APP_LIMITED = 7;
    private static final int DELIVERY_RATE = 160;
    private static final int LISTEN = 10;

    /** net/tcp_states.h, from 1 on. */
    private static final List<String> STATES = List.of(
            "TCP_ESTABLISHED",
            "TCP_SYN_SENT",
            "TCP_SYN_RECV",
            "TCP_FIN_WAIT1",
            "TCP_FIN_WAIT2",
            "TCP_TIME_WAIT",
            "TCP_CLOSE",
            "TCP_CLOSE_WAIT",
            "TCP_LAST_ACK",
            "TCP_LISTEN",
            "TCP_CLOSING",
            "TCP_NEW_SYN_RECV",
            "TCP_BOUND_INACTIVE");

    /** {@code enum tcp_ca_state}. */
    private static final List<String> CA_STATES =
            List.of("TCP_CA_Open", "TCP_CA_Disorder", "TCP_CA_CWR", "TCP_CA_Recovery", "TCP_CA_Loss");

    /** By their bits, from the lowest. */
    private static final List<String> OPTION_BITS = List.of(
            "TCPI_OPT_TIMESTAMPS",
            "TCPI_OPT_SACK",
            "TCPI_OPT_WSCALE",
            "TCPI_OPT_ECN",
            "TCPI_OPT_ECN_SEEN",
            "TCPI_OPT_SYN_DATA",
            "TCPI_OPT_USEC_TS",
            "TCPI_OPT_TFO_CHILD");

    private static final long NOTHING = Long.MIN_VALUE;
    private static final long UNMEASURED = 0xffff_ffffL;
    private static final long UNLIMITED = -1;

    /** TCP_INFINITE_SSTHRESH. */
    private static final long INFINITE = 0x7fff_ffff;

    /** @param none the value that stands for none */
    private record Field(String name, int offset, int width, long none) {
        Field(String name, int offset, int width) {
            this(name, offset, width, NOTHING);
        }
    }

    private static final List<Field> FIELDS = List.of(
            new Field("retransmits", 2, 1),
            new Field("probes", 3, 1),
            new Field("backoff", 4, 1),
            new Field("rtoUs", 8, 4),
            new Field("atoUs", 12, 4),
            new Field("sndMssBytes", 16, 4),
            new Field("rcvMssBytes", 20, 4),
            new Field("unackedSegments", 24, 4),
            new Field("sackedSegments", 28, 4),
            new Field("lostSegments", 32, 4),
            new Field("retransSegments", 36, 4),
            new Field("lastDataSentMs", 44, 4),
            new Field("lastDataRecvMs", 52, 4),
            new Field("lastAckRecvMs", 56, 4),
            new Field("pmtuBytes", 60, 4),
            new Field("rcvSsthreshBytes", 64, 4),
            new Field("rttUs", 68, 4),
            new Field("rttvarUs", 72, 4),
            new Field("sndSsthreshSegments", 76, 4, INFINITE),
            new Field("sndCwndSegments", 80, 4),
            new Field("advmssBytes", 84, 4),
            new Field("reorderingSegments", 88, 4),
            new Field("rcvRttUs", 92, 4),
            new Field("rcvSpaceBytes", 96, 4),
            new Field("totalRetransSegments", 100, 4),
            new Field("pacingRateBytesPerSecond", 104, 8, UNLIMITED),
            new Field("maxPacingRateBytesPerSecond", 112, 8, UNLIMITED),
            new Field("bytesAcked", 120, 8),
            new Field("bytesReceived", 128, 8),
            new Field("segsOut", 136, 4),
            new Field("segsIn", 140, 4),
            new Field("notsentBytes", 144, 4),
            new Field("minRttUs", 148, 4, UNMEASURED),
            new Field("dataSegsIn", 152, 4),
            new Field("dataSegsOut", 156, 4),
            new Field("deliveryRateBytesPerSecond", DELIVERY_RATE, 8),
            new Field("busyTimeUs", 168, 8),
            new Field("rwndLimitedUs", 176, 8),
            new Field("sndbufLimitedUs", 184, 8),
            new Field("deliveredSegments", 192, 4),
            new Field("deliveredCeSegments", 196, 4),
            new Field("bytesSent", 200, 8),
            new Field("bytesRetrans", 208, 8),
            new Field("dsackDups", 216, 4),
            new Field("reordSeen", 220, 4),
            new Field("rcvOoopackSegments", 224, 4),
            new Field("sndWndBytes", 228, 4),
            new Field("rcvWndBytes", 232, 4),
            new Field("rehash", 236, 4),
            new Field("totalRto", 240, 2),
            new Field("totalRtoRecoveries", 242, 2),
            new Field("totalRtoTimeMs", 244, 4),
            new Field("receivedCeSegments", 248, 4),
            new Field("deliveredE1Bytes", 252, 4),
            new Field("deliveredE0Bytes", 256, 4),
            new Field("deliveredCeBytes", 260, 4),
            new Field("receivedE1Bytes", 264, 4),
            new Field("receivedE0Bytes", 268, 4),
            new Field("receivedCeBytes", 272, 4));

    /** Of a listening socket the kernel fills these and leaves the rest 0; two of them mean something else there. */
    private static final List<Field> LISTENER_FIELDS =
            List.of(new Field("acceptQueue", 24, 4), new Field("backlog", 28, 4));

    private TcpInfoFields() {}

    /** What the bytes that TCP_INFO gave say, in the kernel's order. */
    public static Map<String, @Nullable Object> of(byte[] info) {
        ByteBuffer bytes = ByteBuffer.wrap(info).order(ByteOrder.nativeOrder());
        Map<String, @Nullable Object> fields = new LinkedHashMap<>();
        int state = bytes.get(STATE);
        fields.put("state", name(STATES, state - 1, state));
        if (state == LISTEN) {
            LISTENER_FIELDS.forEach(field -> fields.put(field.name(), number(field, bytes)));
            return fields;
        }
        fields.put("caState", name(CA_STATES, bytes.get(CA_STATE), bytes.get(CA_STATE)));
        fields.put("options", options(bytes.get(OPTIONS)));
        fields.put("sndWscale", bytes.get(WINDOW_SCALES) & 0xf);
        fields.put("rcvWscale", bytes.get(WINDOW_SCALES) >> 4 & 0xf);
        if (info.length > DELIVERY_RATE) {
            fields.put("deliveryRateAppLimited", (bytes.get(APP_LIMITED) & 1) != 0);
        }
        for (Field field : FIELDS) {
            if (field.offset() + field.width() <= info.length) {
                fields.put(field.name(), number(field, bytes));
            }
        }
        return fields;
    }

    private static @Nullable Long number(Field field, ByteBuffer bytes) {
        int at = field.offset();
        long number =
                switch (field.width()) {
                    case 1 -> Byte.toUnsignedLong(bytes.get(at));
                    case 2 -> Short.toUnsignedLong(bytes.getShort(at));
                    case 4 -> Integer.toUnsignedLong(bytes.getInt(at));
                    default -> bytes.getLong(at);
                };
        return number == field.none() ? null : number;
    }

    private static String name(List<String> names, int index, int number) {
        return index >= 0 && index < names.size() ? names.get(index) : String.valueOf(number);
    }

    private static List<String> options(int bits) {
        List<String> names = new ArrayList<>();
        for (int bit = 0; bit < OPTION_BITS.size(); bit++) {
            if ((bits >> bit & 1) != 0) {
                names.add(OPTION_BITS.get(bit));
            }
        }
        return names;
    }
}
