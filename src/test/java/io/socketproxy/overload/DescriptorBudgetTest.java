package io.socketproxy.overload;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The parts of the descriptor limit add up to less than it, and are those of docs/operations.md. */
class DescriptorBudgetTest {
    @ParameterizedTest
    @ValueSource(longs = {256, 1024, 16_384, 20_000, 1_048_576, 1_073_741_816})
    void thePartsAreLessThanTheWhole(long limit) {
        DescriptorBudget budget = new DescriptorBudget(limit);

        assertThat(budget.sum()).isLessThanOrEqualTo(limit * (100 - DescriptorBudget.REST) / 100);
        assertThat(DescriptorBudget.REST).isPositive();
        assertThat(budget.streams()).isLessThan(budget.connections());
    }

    @ParameterizedTest
    @ValueSource(longs = {10_000})
    void theyAreAsDocumented(long limit) throws IOException {
        DescriptorBudget budget = new DescriptorBudget(limit);
        String document = Files.readString(Path.of("docs/operations.md"));

        assertThat(document)
                .contains("| handles | 1 | " + budget.handles() / 100 + "% |")
                .contains("| attached streams | 2 | " + budget.streams() / 100 + "% |")
                .contains("| HTTP connections, those of streams among them | 1 | " + budget.connections() / 100 + "% |")
                .contains("| attempts at a name's further addresses | 1 | " + budget.attempts() / 100 + "% |");
    }
}
