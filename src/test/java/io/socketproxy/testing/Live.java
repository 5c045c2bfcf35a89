package io.socketproxy.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.lang.management.ManagementFactory;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.management.JMException;
import javax.management.ObjectName;

/** How many objects of some classes are left after a full collection. */
public record Live(Map<String, Long> instances) {

    private static final Pattern LINE = Pattern.compile("\\s*\\d+:\\s+(\\d+)\\s+\\d+\\s+(\\S+).*");

    /** @param names of classes, which must exist, or a test would count nothing once one is renamed */
    public static Live of(String... names) throws JMException {
        String histogram = (String) ManagementFactory.getPlatformMBeanServer()
                .invoke(
                        new ObjectName("com.sun.management:type=DiagnosticCommand"),
                        "gcClassHistogram",
                        new Object[] {new String[0]},
                        new String[] {String[].class.getName()});
        Map<String, Long> instances = new TreeMap<>();
        for (String name : names) {
            assertThatCode(() -> Class.forName(name, false, Live.class.getClassLoader()))
                    .doesNotThrowAnyException();
            instances.put(name, 0L);
        }
        histogram.lines().forEach(line -> {
            Matcher of = LINE.matcher(line);
            if (of.matches() && instances.containsKey(of.group(2))) {
                instances.merge(of.group(2), Long.parseLong(of.group(1)), Long::sum);
            }
        });
        return new Live(instances);
    }

    public long count(String name) {
        return instances.getOrDefault(name, 0L);
    }

    /** Fails where there are more of any than there were, beside a few that pools keep. */
    public void isNoMoreThan(Live before, long granted) {
        instances.forEach((name, count) -> assertThat(count)
                .as(name + ", before: " + before.instances.get(name))
                .isLessThanOrEqualTo(before.instances.getOrDefault(name, 0L) + granted));
    }
}
