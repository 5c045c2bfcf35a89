package io.socketproxy.address;

import io.socketproxy.overload.Budget;
import io.socketproxy.overload.Exhausted;
import java.util.ArrayDeque;
import java.util.LinkedHashMap;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Runs what blocks on a few threads, on which owners take turns: one owner has a quarter of them at most, so that whoever asks name servers
 * that do not answer waits alone. All methods may be called concurrently.
 */
final class Lanes implements AutoCloseable {
    private final int threadCount;
    private final int share;
    private final Budget budget;
    private final ThreadPoolExecutor threads;

    // Those who wait or run, whose turn is next first. Guarded by this.
    private final LinkedHashMap<String, Lane> lanes = new LinkedHashMap<>();
    private int running;

    private static final class Lane {
        final ArrayDeque<Task<?>> waiting = new ArrayDeque<>();
        int running;
    }

    /** What was submitted, and its part of the budget until nobody is busy with it any more. */
    private record Task<T>(FutureTask<T> call, Budget.Grant grant) {}

    /** @param budget of what waits or runs */
    Lanes(int threadCount, String name, Budget budget) {
        this.threadCount = threadCount;
        this.share = Math.max(1, threadCount / 4);
        this.budget = budget;
        this.threads = new ThreadPoolExecutor(
                threadCount,
                threadCount,
                10,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(),
                Thread.ofPlatform().daemon().name(name, 0).factory());
        this.threads.allowCoreThreadTimeOut(true);
    }

    /**
     * Runs the call when its turn comes.
     *
     * @throws Exhausted where the owner's calls, or all, are too many
     */
    void submit(String owner, FutureTask<?> call) {
        Task<?> task = new Task<>(call, budget.take(owner, 1));
        synchronized (this) {
            lanes.computeIfAbsent(owner, name -> new Lane()).waiting.add(task);
            dispatch();
        }
    }

    /** Takes the call out, if it has not begun; otherwise it runs to its end, which nobody waits for. */
    synchronized void cancel(String owner, FutureTask<?> call) {
        call.cancel(false);
        Lane lane = lanes.get(owner);
        if (lane == null) {
            return;
        }
        for (Task<?> task : lane.waiting) {
            if (task.call().equals(call)) {
                lane.waiting.remove(task);
                task.grant().close();
                break;
            }
        }
        forget(owner, lane);
    }

    // Under this object's lock.
    private void dispatch() {
        while (running < threadCount) {
            String owner = null;
            for (var lane : lanes.entrySet()) {
                if (lane.getValue().running < share && !lane.getValue().waiting.isEmpty()) {
                    owner = lane.getKey();
                    break;
                }
            }
            Lane lane = owner == null ? null : lanes.get(owner);
            Task<?> task = lane == null ? null : lane.waiting.poll();
            if (owner == null || lane == null || task == null) {
                return;
            }
            // Everybody else is before this owner now.
            lanes.putLast(owner, lane);
            lane.running++;
            running++;
            try {
                run(owner, lane, task);
            } catch (RuntimeException | Error e) {
                // There is no thread to be had.
                lane.running--;
                running--;
                task.grant().close();
                task.call().cancel(false);
                throw e;
            }
        }
    }

    private void run(String owner, Lane lane, Task<?> task) {
        threads.execute(() -> {
            try {
                task.call().run();
            } finally {
                task.grant().close();
                synchronized (this) {
                    lane.running--;
                    running--;
                    forget(owner, lane);
                    dispatch();
                }
            }
        });
    }

    private void forget(String owner, Lane lane) {
        if (lane.running == 0 && lane.waiting.isEmpty()) {
            lanes.remove(owner, lane);
        }
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
