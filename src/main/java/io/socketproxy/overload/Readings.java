package io.socketproxy.overload;

import com.sun.management.GarbageCollectorMXBean;
import com.sun.management.GcInfo;
import com.sun.management.UnixOperatingSystemMXBean;
import io.netty.util.internal.PlatformDependent;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** How much of its limits the process has used, as the JVM and the kernel say. One thread at a time. */
class Readings {
    /** A scarcity that is read from the heap is looked at anew this often, although nobody allocates. */
    private static final Duration OLD = Duration.ofSeconds(10);

    private static final UnixOperatingSystemMXBean SYSTEM =
            ManagementFactory.getPlatformMXBean(UnixOperatingSystemMXBean.class);

    private final long maxHeap = Runtime.getRuntime().maxMemory();
    private final List<GarbageCollectorMXBean> collectors =
            ManagementFactory.getPlatformMXBeans(GarbageCollectorMXBean.class);
    private final Set<String> heapPools = ManagementFactory.getMemoryPoolMXBeans().stream()
            .filter(pool -> pool.getType() == MemoryType.HEAP)
            .map(MemoryPoolMXBean::getName)
            .collect(Collectors.toSet());
    private final List<BufferPoolMXBean> buffers = ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
            .filter(pool -> pool.getName().equals("direct"))
            .toList();

    /** The share of the heap that was used after the latest collection, 0 to 1. */
    double heap() {
        GcInfo latest = null;
        for (GarbageCollectorMXBean collector : collectors) {
            GcInfo info = collector.getLastGcInfo();
            if (info != null && (latest == null || info.getEndTime() > latest.getEndTime())) {
                latest = info;
            }
        }
        if (latest == null) {
            return 0;
        }
        long used = latest.getMemoryUsageAfterGc().entrySet().stream()
                .filter(pool -> heapPools.contains(pool.getKey()))
                .mapToLong(pool -> pool.getValue().getUsed())
                .sum();
        return (double) used / maxHeap;
    }

    /** Whether the latest collection was some time ago. */
    boolean isHeapOld() {
        long latest = collectors.stream()
                .map(GarbageCollectorMXBean::getLastGcInfo)
                .mapToLong(info -> info == null ? 0 : info.getEndTime())
                .max()
                .orElse(0);
        return ManagementFactory.getRuntimeMXBean().getUptime() - latest > OLD.toMillis();
    }

    /** The share of direct memory that is used, 0 to 1: Netty's or the JVM's own, each of which has a limit of this size. */
    double direct() {
        long own = buffers.stream().mapToLong(BufferPoolMXBean::getMemoryUsed).sum();
        return (double) Math.max(own, PlatformDependent.usedDirectMemory()) / maxDirect();
    }

    /** The share of descriptors that are open, 0 to 1. */
    double descriptors() {
        return (double) SYSTEM.getOpenFileDescriptorCount() / SYSTEM.getMaxFileDescriptorCount();
    }

    /** Bytes of direct memory that there may be. */
    static long maxDirect() {
        return PlatformDependent.maxDirectMemory();
    }

    /** Descriptors that may be open. */
    static long maxDescriptors() {
        return SYSTEM.getMaxFileDescriptorCount();
    }
}
