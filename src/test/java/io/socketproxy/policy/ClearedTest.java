package io.socketproxy.policy;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.constructors;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.methods;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaConstructor;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.io.Serializable;
import java.lang.reflect.Modifier;
import org.junit.jupiter.api.Test;

/** Only policy makes capabilities. */
class ClearedTest {
    private static final JavaClasses MAIN = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("io.socketproxy");

    @Test
    void isSealedOverFinalClassesWithoutPublicConstructors() {
        assertThat(Cleared.class.isSealed()).isTrue();
        assertThat(Cleared.class.getPermittedSubclasses())
                .containsExactlyInAnyOrder(Cleared.Remote.class, Cleared.Local.class);
        for (Class<?> capability : Cleared.class.getPermittedSubclasses()) {
            assertThat(Modifier.isFinal(capability.getModifiers())).isTrue();
            assertThat(capability.getDeclaredConstructors())
                    .hasSize(1)
                    .allMatch(constructor -> constructor.getModifiers() == 0);
            assertThat(capability.isRecord()).isFalse();
            assertThat(Serializable.class.isAssignableFrom(capability)).isFalse();
        }
    }

    @Test
    void isMadeByThePoliciesAlone() {
        constructors()
                .that()
                .areDeclaredInClassesThat()
                .areAssignableTo(Cleared.class)
                .should(new ArchCondition<JavaConstructor>("be called by the two policies only") {
                    @Override
                    public void check(JavaConstructor constructor, ConditionEvents events) {
                        constructor.getCallsOfSelf().stream()
                                .filter(call -> !call.getOriginOwner().isEquivalentTo(EgressPolicy.class)
                                        && !call.getOriginOwner().isEquivalentTo(ListenPolicy.class))
                                .forEach(
                                        call -> events.add(SimpleConditionEvent.violated(call, call.getDescription())));
                    }
                })
                .check(MAIN);
    }

    @Test
    void comesOutOfDecisionsAlone() {
        methods()
                .that()
                .areDeclaredInClassesThat()
                .resideInAPackage("io.socketproxy.policy..")
                .and()
                .arePublic()
                .should(new ArchCondition<JavaMethod>("give a capability out of a decision only") {
                    @Override
                    public void check(JavaMethod method, ConditionEvents events) {
                        if (method.getRawReturnType().isAssignableTo(Cleared.class)
                                && !method.getOwner().isEquivalentTo(Decision.Allowed.class)) {
                            events.add(SimpleConditionEvent.violated(method, method.getDescription()));
                        }
                    }
                })
                .check(MAIN);
    }

    @Test
    void leaveToConnectIsNoLeaveToBind() {
        Decision.Allowed egress =
                (Decision.Allowed) Policies.egress(new FakeRoutes()).judge(Addresses.tcp("8.8.8.8", 80));
        Decision.Allowed listen = (Decision.Allowed)
                Policies.listen("{addresses: [127.0.0.1], ports: [80]}").judge(Addresses.tcp("127.0.0.1", 80));

        assertThatIllegalStateException().isThrownBy(egress::local);
        assertThatIllegalStateException().isThrownBy(listen::remote);
        assertThat(egress.remote()).hasToString("Remote[TCP 8.8.8.8:80]");
        assertThat(listen.local()).hasToString("Local[TCP 127.0.0.1:80]");
    }
}
