"""Every input ends in exactly one place: the sum is checked before a run commits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from medray.errors import AccountingError


@dataclass(frozen=True)
class Sum:
    """`total_name` must equal the parts' sum."""

    total_name: str
    total: int
    parts: Mapping[str, int]

    def __str__(self) -> str:
        parts = " + ".join(f"{name} {count:,}" for name, count in self.parts.items())
        return f"{self.total_name} {self.total:,} = {parts}"

    def checked(self) -> Sum:
        """This sum, when it adds up.

        Raises:
            AccountingError: it does not; nothing has been committed.
        """
        found = sum(self.parts.values())
        if found != self.total or min(self.parts.values(), default=0) < 0:
            raise AccountingError(
                where=f"sum of {self.total_name}",
                found=f"{self} (the parts make {found:,})",
                allowed="parts that make the total",
                do="report this with the run's plan: nothing was committed",
            )
        return self

    def counts(self) -> dict[str, int]:
        """The total and the parts by name."""
        return {self.total_name: self.total, **self.parts}

    def named(self) -> dict[str, int]:
        """The total and the parts, their names led by the total's: for runs that hold several sums."""
        return {self.total_name: self.total, **{f"{self.total_name}/{name}": n for name, n in self.parts.items()}}


def stored_sum(counts: Mapping[str, int], total_name: str) -> Sum:
    """A sum from the counts of a run, which hold it alone or with others (`named`)."""
    parts = {name.removeprefix(f"{total_name}/"): n for name, n in counts.items() if name.startswith(f"{total_name}/")}
    alone = {name: n for name, n in counts.items() if name != total_name}
    return Sum(total_name, counts[total_name], parts or alone).checked()
