"""What a method finds out about one answer."""

from __future__ import annotations

from dataclasses import dataclass

from medray.contracts import Array

# Where an answer is hardly moved, an error is told as a share of this: a tenth of a unit of log-odds.
SMALLEST_CHANGE = 0.1


@dataclass(frozen=True)
class Explanation:
    """Attributes:
    output: the margin that is explained.
    base_value: the margin of what stands for nothing (of a surrogate: its constant); None without one.
    amounts: float64 (P,), what each part adds; or (rows, columns), what each place of an image adds.
    standard_errors: float64 (P,), of amounts that are estimated by chance.
    complete: the amounts are to sum up to `output` - `base_value`.
    fit: share of the answers' weighted variance that a surrogate explains.
    evaluations: answers of the network that were looked at.
    """

    output: float
    base_value: float | None
    amounts: Array
    standard_errors: Array | None = None
    complete: bool = False
    fit: float | None = None
    evaluations: int = 1

    @property
    def completeness_error(self) -> float | None:
        """How far the amounts miss the change that they are to explain, as a share of it."""
        if not self.complete or self.base_value is None:
            return None
        return completeness_error(float(self.amounts.sum()), self.base_value, self.output)


def completeness_error(total: float, base_value: float, output: float) -> float:
    """|total + base - output| as a share of |output - base|, or of `SMALLEST_CHANGE` where that is larger."""
    return abs(total + base_value - output) / max(abs(output - base_value), SMALLEST_CHANGE)
