package io.socketproxy.overload;

import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.util.unit.DataSize;

/**
 * The one place that decides what there is to be had: the budgets, and what is turned away while a resource runs out although all
 * budgets have been kept.
 *
 * <p>The second follows readings of the process itself (heap after the latest collection, direct memory, open descriptors) of a moment ago:
 * the scarcest one counts. All methods may be called concurrently, and none of them waits.
 */
public final class Overload implements AutoCloseable {
    /** Bytes of heap up to which a body or an answer is never turned away as a large one. */
    static final int SMALL = 262_144;

    private static final Logger LOG = LoggerFactory.getLogger(Overload.class);
    private static final long READING_MILLIS = 250;

    /** How far below its threshold a reading must be until what was turned away is let in again. */
    private static final double HYSTERESIS = 0.03;

    /** Heap that a call in flight is reckoned to take. */
    private static final int HEAP_PER_CALL = 32_768;

    /** Look-ups altogether; more would only wait longer than anybody waits for them. */
    private static final int LOOK_UPS = 1024;

    private final Budget bodies;
    private final Budget buffers;
    private final Budget calls;
    private final Budget lookUps;
    private final List<Budget> budgets = new CopyOnWriteArrayList<>();
    private final Readings readings;
    private final Map<Load, Double> thresholds = new EnumMap<>(Load.class);
    private final ScheduledExecutorService reader;

    private volatile Set<Load> shed = Set.of();

    /** Reads the process from now on until it is closed. */
    public Overload(OverloadProperties properties) {
        this(properties, new Readings());
    }

    Overload(OverloadProperties properties, Readings readings) {
        this.readings = readings;
        thresholds.put(Load.CONNECTIONS, properties.shedConnectionsAt() / 100.0);
        thresholds.put(Load.HANDLES, properties.shedHandlesAt() / 100.0);
        thresholds.put(Load.BODIES, properties.shedBodiesAt() / 100.0);
        long heap = Runtime.getRuntime().maxMemory();
        bodies = budget("bytes of bodies in flight", properties.bodies(), heap / 3, properties.bodiesPerOwner());
        buffers = budget(
                "bytes of buffers of streams",
                properties.buffers(),
                Readings.maxDirect() / 2,
                properties.buffersPerOwner());
        int connections = new DescriptorBudget(Readings.maxDescriptors()).connections();
        long manyCalls = Math.max(16, Math.min(heap / 8 / HEAP_PER_CALL, connections));
        calls = budget("calls in flight", properties.calls(), manyCalls, properties.callsPerOwner());
        lookUps = add(new Budget("look-ups", LOOK_UPS, properties.lookUpsPerOwner()));
        reader = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().daemon().name("overload").factory());
        reader.scheduleWithFixedDelay(this::read, READING_MILLIS, READING_MILLIS, TimeUnit.MILLISECONDS);
    }

    private Budget budget(String resource, DataSize limit, long ownLimit, DataSize perOwner) {
        return budget(resource, limit.toBytes(), ownLimit, perOwner.toBytes());
    }

    private Budget budget(String resource, long limit, long ownLimit, long perOwner) {
        long all = limit > 0 ? limit : ownLimit;
        return add(new Budget(resource, all, perOwner > 0 ? perOwner : Math.max(1, all / 2)));
    }

    /** Has the budget be one of {@link #budgets}. */
    public Budget add(Budget budget) {
        budgets.add(budget);
        return budget;
    }

    /** All budgets that there are. */
    public List<Budget> budgets() {
        return List.copyOf(budgets);
    }

    /** Bytes of heap that bodies and answers in flight take. */
    public Budget bodies() {
        return bodies;
    }

    /** The heap of one call's body and answer, of which nothing is taken yet. */
    public Room room(String owner) {
        return new Room(this, owner);
    }

    /**
     * Whether one body or answer may take so much.
     *
     * @throws Exhausted where large ones are turned away now, or this one is larger than any may be
     */
    void admitBody(long bytes) {
        if (bytes > bodies.limitPerOwner()) {
            throw Exhausted.tooLarge("This takes more memory than one owner may hold, " + bodies.limitPerOwner()
                    + " bytes. Send bytes by sendall as application/octet-stream, which takes next to none.");
        }
        if (bytes > SMALL && sheds(Load.BODIES)) {
            throw Exhausted.shed("The server is short of memory and takes small bodies only. Try again later.");
        }
    }

    /** Bytes of direct memory that streams' buffers take. */
    public Budget buffers() {
        return buffers;
    }

    /** REST calls in flight, most of which wait. */
    public Budget calls() {
        return calls;
    }

    /** Look-ups of names that are under way or wait for their turn. */
    public Budget lookUps() {
        return lookUps;
    }

    /** Whether this is turned away now. */
    public boolean sheds(Load load) {
        return shed.contains(load);
    }

    /** How many kinds of load are shed: 0 none, 1 connections, 2 handles too, 3 large bodies too. */
    public int level() {
        return shed.size();
    }

    private void read() {
        try {
            double heap = readings.heap();
            if (!shed.isEmpty() && exceeds(heap, Load.CONNECTIONS) && readings.isHeapOld()) {
                // What is turned away allocates nothing, and no collection might come to tell that there is room again.
                System.gc();
                heap = readings.heap();
            }
            judge(heap, readings.direct(), readings.descriptors());
        } catch (RuntimeException | Error e) {
            // What is thrown would end the reading for good.
            LOG.error("reading what the process uses", e);
        }
    }

    void judge(double heap, double direct, double descriptors) {
        double scarcest = Math.max(heap, Math.max(direct, descriptors));
        Set<Load> now = EnumSet.noneOf(Load.class);
        for (Load load : Load.values()) {
            if (exceeds(scarcest, load)) {
                now.add(load);
            }
        }
        if (now.equals(shed)) {
            return;
        }
        shed = now;
        String used = String.format(
                Locale.ROOT,
                "heap %.0f%%, direct memory %.0f%%, descriptors %.0f%%",
                heap * 100,
                direct * 100,
                descriptors * 100);
        if (now.isEmpty()) {
            LOG.info("nothing is shed any more: {}", used);
        } else {
            LOG.warn("new {} are shed: {}", now, used);
        }
    }

    private boolean exceeds(double reading, Load load) {
        return reading >= thresholds.getOrDefault(load, 1.0) - (shed.contains(load) ? HYSTERESIS : 0);
    }

    @Override
    public void close() {
        reader.shutdownNow();
    }
}
