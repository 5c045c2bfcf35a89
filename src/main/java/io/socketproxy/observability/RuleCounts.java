package io.socketproxy.observability;

import io.socketproxy.policy.Decision;
import io.socketproxy.registry.SocketEvents;
import java.time.Instant;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;

/**
 * How often each of policy's rules has decided since the start, for all owners together and for each.
 *
 * <p>Rules are as many as are configured. Owners beyond {@value #OWNERS} are not counted apart. All methods may be called concurrently.
 */
@Component
public final class RuleCounts implements SocketEvents {
    private static final int OWNERS = 1024;

    private final Instant since = Instant.now();
    private final Of all = new Of(true);
    private final ConcurrentMap<String, Of> owners = new ConcurrentHashMap<>();

    /** The counts of an owner, or of all. */
    public static final class Of {
        private final boolean counted;
        private final ConcurrentMap<String, LongAdder> egress = new ConcurrentHashMap<>();
        private final ConcurrentMap<String, LongAdder> listen = new ConcurrentHashMap<>();

        private Of(boolean counted) {
            this.counted = counted;
        }

        /** Of the rule about what is connected and sent to; null where it is not counted. */
        public @Nullable Long egress(String rule) {
            return count(egress.get(rule));
        }

        /** Of the rule about what is bound; null where it is not counted. */
        public @Nullable Long listen(String rule) {
            return count(listen.get(rule));
        }

        private @Nullable Long count(@Nullable LongAdder adder) {
            return !counted ? null : adder == null ? 0 : adder.sum();
        }

        private void add(Operation operation, String rule) {
            ConcurrentMap<String, LongAdder> rules =
                    switch (operation) {
                        case CONNECT, SENDTO -> egress;
                        case BIND, LISTEN -> listen;
                    };
            rules.computeIfAbsent(rule, r -> new LongAdder()).increment();
        }
    }

    @Override
    public void decided(String owner, Operation operation, Decision decision) {
        all.add(operation, decision.rule());
        Of own = owners.get(owner);
        if (own == null && owners.size() < OWNERS) {
            own = owners.computeIfAbsent(owner, o -> new Of(true));
        }
        if (own != null) {
            own.add(operation, decision.rule());
        }
    }

    /** When counting began. */
    public Instant since() {
        return since;
    }

    public Of ofAll() {
        return all;
    }

    public Of of(String owner) {
        Of own = owners.get(owner);
        return own != null ? own : new Of(owners.size() < OWNERS);
    }
}
