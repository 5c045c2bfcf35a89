package io.socketproxy;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;

/** The packages are floors of a house, and a dependency only goes down. */
class PackageStructureTest {

    private static final String ROOT = PackageStructureTest.class.getPackageName();

    /** A new package takes its place here. Packages on the same floor never see each other. */
    private static final Map<String, Integer> FLOORS = Map.ofEntries(
            Map.entry("files", 0),
            Map.entry("libc", 0),
            Map.entry("overload", 0),
            Map.entry("address", 1),
            Map.entry("wire", 1),
            Map.entry("fault", 2),
            Map.entry("policy", 2),
            Map.entry("frontdoor", 3),
            Map.entry("socket", 3),
            Map.entry("tls", 3),
            Map.entry("http", 4),
            Map.entry("quota", 4),
            Map.entry("registry", 5),
            Map.entry("relay", 6),
            Map.entry("cluster", 6),
            Map.entry("security", 5),
            Map.entry("websocket", 5),
            Map.entry("stream", 7),
            Map.entry("wisp", 7),
            Map.entry("emscripten", 7),
            Map.entry("proxy", 7),
            Map.entry("observability", 7),
            Map.entry("rest", 8),
            Map.entry("", 9));

    private static final int MOST_LINES = 400;
    private static final int MOST_PACKAGE_LINES = 2500;

    private static final Pattern SUBGRAPH = Pattern.compile("^  subgraph f(\\d+)");
    private static final Pattern ROOM = Pattern.compile("^    \\w+\\[\"<b>([^<]+)</b>");

    private static final JavaClasses MAIN = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages(ROOT);

    @Test
    void everyPackageHasItsFloor() {
        Set<String> features = MAIN.stream().map(PackageStructureTest::feature).collect(Collectors.toSet());

        assertThat(FLOORS.keySet()).containsAll(features);
    }

    @Test
    void theDocumentDrawsThemSo() throws IOException {
        Map<String, Integer> drawn = new TreeMap<>();
        int floor = -1;
        for (String line : Files.readAllLines(Path.of("docs/architecture.md"))) {
            Matcher subgraph = SUBGRAPH.matcher(line);
            Matcher room = ROOM.matcher(line);
            if (subgraph.find()) {
                floor = Integer.parseInt(subgraph.group(1));
            } else if (room.find()) {
                drawn.put(room.group(1).equals("(root)") ? "" : room.group(1), floor);
            }
        }
        Map<String, Integer> built = new TreeMap<>(FLOORS);
        built.keySet()
                .retainAll(MAIN.stream().map(PackageStructureTest::feature).collect(Collectors.toSet()));

        assertThat(drawn).isEqualTo(built);
    }

    @Test
    void anArrowOnlyGoesDown() {
        classes().should(dependOnlyOnLowerFloors()).check(MAIN);
    }

    @Test
    void noFileIsLong() throws IOException {
        Map<String, Integer> longOnes = new TreeMap<>();
        for (Path file : javaFiles(Path.of("src"))) {
            int lines = Files.readAllLines(file).size();
            if (lines > MOST_LINES) {
                longOnes.put(file.toString(), lines);
            }
        }

        assertThat(longOnes).isEmpty();
    }

    @Test
    void noPackageIsLarge() throws IOException {
        Map<String, Integer> lines = new TreeMap<>();
        for (Path file : javaFiles(Path.of("src/main/java"))) {
            lines.merge(file.getParent().toString(), Files.readAllLines(file).size(), Integer::sum);
        }

        assertThat(lines.values()).allMatch(sum -> sum <= MOST_PACKAGE_LINES);
    }

    private static List<Path> javaFiles(Path below) throws IOException {
        try (Stream<Path> files = Files.walk(below)) {
            return files.filter(file -> file.toString().endsWith(".java")).toList();
        }
    }

    @Test
    void libcNeedsNothingButTheJdk() {
        classes()
                .that()
                .resideInAPackage(ROOT + ".libc..")
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage("java..", "org.jspecify.annotations..", ROOT + ".libc..")
                .allowEmptyShould(true)
                .check(MAIN);
    }

    @Test
    void theContainerIsSeenOnlyWhereItsConnectionsAreServed() {
        classes()
                .that()
                .resideInAnyPackage(
                        ROOT + ".address..",
                        ROOT + ".wire..",
                        ROOT + ".policy..",
                        ROOT + ".socket..",
                        ROOT + ".registry..",
                        ROOT + ".relay..",
                        ROOT + ".stream..")
                .should()
                .onlyDependOnClassesThat(notOfTheWeb())
                .allowEmptyShould(true)
                .check(MAIN);
    }

    /** A connection is served on any wire: the container is seen by its handshake, and by what it is taken from. */
    @Test
    void aWebSocketKnowsTheContainerOnlyAtItsEdge() {
        classes()
                .that()
                .resideInAPackage(ROOT + ".websocket..")
                .and(DescribedPredicate.not(DescribedPredicate.describe(
                        "are the edge",
                        type -> Set.of("HandOver", "HandshakeRequest", "OpeningHandshake", "TomcatEnd", "Upgrade")
                                .contains(type.getName()
                                        .substring(type.getPackageName().length() + 1)
                                        .split("\\$", 2)[0]))))
                .should()
                .onlyDependOnClassesThat(notOfTheWeb())
                .check(MAIN);
    }

    /** Who is served, and by which socket, is behind {@code Served}. */
    @Test
    void aWebSocketKnowsNoSocket() {
        classes()
                .that()
                .resideInAPackage(ROOT + ".websocket..")
                .should()
                .onlyDependOnClassesThat(DescribedPredicate.describe(
                        "are no socket's", type -> !type.getPackageName().equals(ROOT + ".socket")))
                .check(MAIN);
    }

    /** A wire is a pipe, whoever has it: nothing of it is anybody's protocol or framework. */
    @Test
    void aWireNeedsNoSpring() {
        classes()
                .that()
                .resideInAPackage(ROOT + ".wire..")
                .should()
                .onlyDependOnClassesThat(DescribedPredicate.describe(
                        "are not Spring's", type -> !type.getPackageName().startsWith("org.springframework")))
                .check(MAIN);
    }

    @Test
    void everyPackageIsNullMarked() {
        Set<String> unmarked = MAIN.stream()
                .filter(type -> !type.getPackage().isAnnotatedWith(NullMarked.class))
                .map(JavaClass::getPackageName)
                .collect(Collectors.toSet());

        assertThat(unmarked).isEmpty();
    }

    /** The first name below the root package; empty for the root package itself. */
    private static String feature(JavaClass type) {
        String name = type.getPackageName();
        return name.equals(ROOT) ? "" : name.substring(ROOT.length() + 1).split("\\.", 2)[0];
    }

    private static boolean isOurs(JavaClass type) {
        return type.getPackageName().equals(ROOT) || type.getPackageName().startsWith(ROOT + ".");
    }

    private static DescribedPredicate<JavaClass> notOfTheWeb() {
        return DescribedPredicate.describe(
                "are neither the servlet container's nor Spring's web and security", type -> {
                    String name = type.getPackageName();
                    return !(name.startsWith("jakarta.servlet")
                            || name.startsWith("jakarta.websocket")
                            || name.startsWith("org.apache.")
                            || name.startsWith("org.springframework.web")
                            || name.startsWith("org.springframework.http")
                            || name.startsWith("org.springframework.security"));
                });
    }

    private static ArchCondition<JavaClass> dependOnlyOnLowerFloors() {
        return new ArchCondition<>("depend only on its own package and on packages of lower floors") {
            @Override
            public void check(JavaClass type, ConditionEvents events) {
                String from = feature(type);
                type.getDirectDependenciesFromSelf().stream()
                        .filter(dependency -> isOurs(dependency.getTargetClass().getBaseComponentType()))
                        .forEach(dependency -> {
                            String to = feature(dependency.getTargetClass().getBaseComponentType());
                            boolean down = from.equals(to)
                                    || FLOORS.getOrDefault(to, Integer.MAX_VALUE) < FLOORS.getOrDefault(from, -1);
                            if (!down) {
                                events.add(SimpleConditionEvent.violated(dependency, dependency.getDescription()));
                            }
                        });
            }
        };
    }
}
