package io.socketproxy;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.config.BeanFactoryPostProcessor;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.Name;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.context.properties.source.IterableConfigurationPropertySource;
import org.springframework.context.EnvironmentAware;
import org.springframework.core.annotation.AnnotatedElementUtils;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.EnumerablePropertySource;
import org.springframework.core.env.Environment;
import org.springframework.core.env.PropertySource;
import org.springframework.core.env.SystemEnvironmentPropertySource;
import org.springframework.stereotype.Component;

/**
 * Stops the start-up where something under {@code socket-proxy.} is set that is no setting: a limit whose name is misspelt is no limit.
 *
 * <p>The settings are those of the records with {@link ConfigurationProperties}; they may be written in any of Spring Boot's relaxed forms,
 * in files, as arguments and as environment variables.
 */
@Component
final class KnownSettings implements BeanFactoryPostProcessor, EnvironmentAware {
    private static final String PREFIX = "socket-proxy";
    private static final String VARIABLE_PREFIX = "SOCKET_PROXY_";

    /** An element of a list, whichever. */
    private static final String ELEMENT = "[*]";

    /** Variables that are the client's, or docker-compose.yml's. */
    private static final Set<String> OTHER_VARIABLES = Set.of(
            "SOCKET_PROXY_URL",
            "SOCKET_PROXY_TOKEN",
            "SOCKET_PROXY_ADVERTISED_HOST",
            "SOCKET_PROXY_CLUSTER_PORT",
            "SOCKET_PROXY_DEMO_SUBNET",
            "SOCKET_PROXY_DESCRIPTORS",
            "SOCKET_PROXY_DOMAIN",
            "SOCKET_PROXY_HTTP_PORT",
            "SOCKET_PROXY_HTTPS_PORT",
            "SOCKET_PROXY_LISTEN_ADDRESS",
            "SOCKET_PROXY_LISTEN_PORTS",
            "SOCKET_PROXY_STORE_PASSWORD");

    /** What Kubernetes gives every process in the namespace of a Service whose name is, or begins with, socket-proxy. */
    private static final Pattern OF_KUBERNETES = Pattern.compile("SOCKET_PROXY_([A-Z0-9_]+_)?"
            + "(SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)|PORT(_\\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)");

    /** What was a setting, by its letters, and why it is none any more. */
    private static final Map<String, String> GONE = Map.of(
            "socketproxystreamhandoff", "every connection is handed to the event loop, with TLS as well; leave it out");

    private @Nullable ConfigurableEnvironment environment;

    @Override
    public void setEnvironment(Environment given) {
        environment = given instanceof ConfigurableEnvironment configurable ? configurable : null;
    }

    @Override
    public void postProcessBeanFactory(ConfigurableListableBeanFactory beans) {
        if (environment != null) {
            Set<String> known = new TreeSet<>();
            for (String bean : beans.getBeanNamesForAnnotation(ConfigurationProperties.class)) {
                Class<?> type = beans.getType(bean, false);
                ConfigurationProperties properties = type == null
                        ? null
                        : AnnotatedElementUtils.findMergedAnnotation(type, ConfigurationProperties.class);
                if (type != null && properties != null && properties.prefix().startsWith(PREFIX)) {
                    add(known, properties.prefix(), type);
                }
            }
            check(environment, known);
        }
    }

    /** Adds what can be set at a name, as {@code socket-proxy.policy.egress.rules[*].ports}. */
    private static void add(Set<String> known, String name, Type type) {
        switch (type) {
            case ParameterizedType generic
            when generic.getRawType() instanceof Class<?> raw && Collection.class.isAssignableFrom(raw) -> {
                known.add(name);
                add(known, name + ELEMENT, generic.getActualTypeArguments()[0]);
            }
            case Class<?> record
            when record.isRecord() && record.getName().startsWith("io.socketproxy.") -> {
                for (RecordComponent component : record.getRecordComponents()) {
                    add(known, name + "." + dashed(record, component), component.getGenericType());
                }
            }
            default -> known.add(name);
        }
    }

    private static String dashed(Class<?> record, RecordComponent component) {
        for (var constructor : record.getDeclaredConstructors()) {
            for (var parameter : constructor.getParameters()) {
                Name given = parameter.getAnnotation(Name.class);
                if (given != null && parameter.getName().equals(component.getName())) {
                    return given.value();
                }
            }
        }
        return component.getName().replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
    }

    private static void check(ConfigurableEnvironment environment, Set<String> known) {
        Map<String, String> unknown = new TreeMap<>();
        properties(environment, known, unknown);
        variables(environment, known, unknown);
        if (!unknown.isEmpty()) {
            throw new UnknownSettings(List.copyOf(unknown.values()));
        }
    }

    private static void properties(
            ConfigurableEnvironment environment, Set<String> known, Map<String, String> unknown) {
        Map<String, String> byForm = byForm(known, KnownSettings::uniform);
        ConfigurationPropertyName prefix = ConfigurationPropertyName.of(PREFIX);
        for (ConfigurationPropertySource source : ConfigurationPropertySources.get(environment)) {
            if (source instanceof IterableConfigurationPropertySource names) {
                for (ConfigurationPropertyName name : names) {
                    String form = uniform(name.toString());
                    if (prefix.isAncestorOf(name) && !byForm.containsKey(form)) {
                        ConfigurationProperty property = source.getConfigurationProperty(name);
                        // A section in YAML with nothing in it.
                        boolean empty = property == null
                                || String.valueOf(property.getValue()).isEmpty();
                        if (!empty || byForm.keySet().stream().noneMatch(setting -> setting.startsWith(form + "."))) {
                            unknown.put(
                                    name.toString(),
                                    sentence(
                                            name.toString(),
                                            property == null ? null : property.getOrigin(),
                                            nearest(form, byForm)));
                        }
                    }
                }
            }
        }
    }

    private static void variables(ConfigurableEnvironment environment, Set<String> known, Map<String, String> unknown) {
        Map<String, String> byForm = byForm(known, KnownSettings::variable);
        for (PropertySource<?> source : environment.getPropertySources()) {
            if (source instanceof SystemEnvironmentPropertySource variables) {
                for (String name : variables.getPropertyNames()) {
                    String form = name.toUpperCase(Locale.ROOT).replaceAll("_\\d+(?=_|$)", "_0");
                    if (form.startsWith(VARIABLE_PREFIX)
                            && !byForm.containsKey(form)
                            && !OTHER_VARIABLES.contains(name)
                            && !OF_KUBERNETES.matcher(name).matches()
                            && !isReferredTo(environment, name)) {
                        unknown.put(name, sentence(name, null, nearestVariable(form, byForm)));
                    }
                }
            }
        }
    }

    /** Whether some property takes its value from the variable. */
    private static boolean isReferredTo(ConfigurableEnvironment environment, String variable) {
        Pattern placeholder = Pattern.compile("\\$\\{" + Pattern.quote(variable) + "[:}]");
        return environment.getPropertySources().stream()
                .filter(EnumerablePropertySource.class::isInstance)
                .map(EnumerablePropertySource.class::cast)
                .anyMatch(source -> List.of(source.getPropertyNames()).stream()
                        .anyMatch(name -> placeholder
                                .matcher(String.valueOf(source.getProperty(name)))
                                .find()));
    }

    private static Map<String, String> byForm(Set<String> known, UnaryOperator<String> form) {
        Map<String, String> byForm = new TreeMap<>();
        known.forEach(name -> byForm.put(form.apply(name), name));
        return byForm;
    }

    /** The name as Spring Boot compares names: {@code handlesPerOwner} and {@code handles-per-owner} are the same. */
    private static String uniform(String name) {
        return name.toLowerCase(Locale.ROOT).replaceAll("[-_]", "").replaceAll("\\[\\d+\\]", "[*]");
    }

    private static String variable(String name) {
        return name.replace(ELEMENT, "_0").toUpperCase(Locale.ROOT).replaceAll("[^A-Z0-9]", "_");
    }

    private static @Nullable String nearest(String form, Map<String, String> byForm) {
        String nearest = nearestForm(form, byForm.keySet());
        return nearest == null ? null : String.valueOf(byForm.get(nearest)).replace(ELEMENT, "[0]");
    }

    private static @Nullable String nearestVariable(String form, Map<String, String> byForm) {
        return nearestForm(form, byForm.keySet());
    }

    /** The one with the fewest letters to change, if that is not nearly all of it. */
    private static @Nullable String nearestForm(String form, Set<String> forms) {
        return forms.stream()
                .min(Comparator.comparingInt(other -> distance(form, other)))
                .filter(other -> distance(form, other) <= (form.length() - PREFIX.length()) / 2 + 1)
                .orElse(null);
    }

    /** Letters to put in, take out or change: Levenshtein's distance. */
    static int distance(String from, String to) {
        int[] row = new int[to.length() + 1];
        for (int j = 0; j <= to.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= from.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= to.length(); j++) {
                int changed = diagonal + (from.charAt(i - 1) == to.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(changed, Math.min(row[j], row[j - 1]) + 1);
            }
        }
        return row[to.length()];
    }

    private static String sentence(String name, @Nullable Object origin, @Nullable String nearest) {
        String named = name + (origin == null ? "" : " (" + origin + ")");
        String gone = GONE.get(name.toLowerCase(Locale.ROOT).replaceAll("[^a-z]", ""));
        if (gone != null) {
            return named + " is no setting any more: " + gone + ".";
        }
        return named + " is no setting of this service" + (nearest == null ? "." : "; did you mean " + nearest + "?");
    }
}
