"""Sums of floats without rounding: they do not depend on order or on how the data is cut."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from medray.contracts import Array

_LOW_BITS = 26
_UNIT = 350  # sums count units of 2**-350: the square of the smallest float32 is 2**-298, of 53 bits


def exact_sum(values: Array) -> int:
    """The sum of float32 values, or of their squares in float64, in units of 2**-350.

    Values of one exponent are added as integers, in two halves that cannot overflow below 2**36
    values (a small form of Kulisch's accumulator).
    """
    mantissa, exponent = np.frexp(np.asarray(values, dtype=np.float64))
    whole = np.ldexp(mantissa, 53).astype(np.int64)
    total = 0
    for power in np.unique(exponent).tolist():
        here = whole[exponent == power]
        high, low = int((here >> _LOW_BITS).sum()), int((here & (2**_LOW_BITS - 1)).sum())
        total += ((high << _LOW_BITS) + low) << (power - 53 + _UNIT)
    return total


def mean_and_deviation(count: int, total: int, squares: int) -> tuple[float, float]:
    """Mean and standard deviation (of the population) from exact sums.

    No value gives (0, 1), and equal values a deviation of 1: one can always divide by it.
    """
    if count == 0:
        return 0.0, 1.0
    mean = Fraction(total, count << _UNIT)
    variance = Fraction(squares, count << _UNIT) - mean * mean
    return float(mean), float(variance) ** 0.5 or 1.0
