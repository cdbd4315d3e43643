"""Random numbers and exponentials that the compiler can work out for many neurons at once.

Brian2's `rand()` draws one number after the other, and the exponential of the C++ library is a call
per neuron; both keep GCC from vectorising the loop around them. These are functions of their
arguments alone. Each has two forms, C++ for the compiled program and NumPy, which a test compares.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from whyspiking.contract.brian_model import Function

GOLDEN = 0x9E3779B97F4A7C15
MIX = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1))
"""Shift and factor of the rounds of SplitMix64 (Steele, Lea & Flood, OOPSLA 2014)."""

# AVX2 has no instruction between doubles and integers of 64 bits, and a loop with one stays scalar.
# So the key, of 53 bits, comes in two halves of 32; and of the result the bits are written: 52 of
# them behind a 1, the last into the number, 1 or the one before it, that is taken away. All steps
# are exact, in any order. Brian2 compiles with -ffast-math, which undoes constants added and taken.
UNIFORM = """
inline double uniform(const double key, const int64_t step) {
    const double upper = key * 134217728.0;
    const int32_t high = (int32_t)upper;
    const int32_t low = (int32_t)((upper - high) * 67108864.0);
    uint64_t z = ((uint64_t)(int64_t)high << 26) + (uint64_t)(int64_t)low
        + (uint64_t)(step + 1) * 0x9E3779B97F4A7C15ULL;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    z ^= z >> 31;
    const uint64_t one = 0x3FF0000000000000ULL;
    const uint64_t more = one | (z >> 12), less = one - ((z >> 11) & 1);
    double above, below;
    std::memcpy(&above, &more, sizeof above);
    std::memcpy(&below, &less, sizeof below);
    return above - below;
}
"""

# exp(x) = 2^n e^r with |r| <= ln(2)/2: the Taylor series of e^r to r^13 / 13! (the next term is
# below 5e-18), and 2^n written into the exponent of a double. Its relative error is |x| 1e-16,
# twice that without fused multiply-adds. Not in compiler/vectors.hpp: that one is C++17 and in
# single precision, and Brian2's programs are C++11.
EXPONENTIAL = """
inline double exponential(const double exponent) {
    const double x = exponent < -700.0 ? -700.0 : (exponent > 700.0 ? 700.0 : exponent);
    const double n = rint(x * 1.4426950408889634);
    const double r = x - n * 0.6931471805599453;
    double e = 1.0 / 6227020800.0;
    e = e * r + 1.0 / 479001600.0;
    e = e * r + 1.0 / 39916800.0;
    e = e * r + 1.0 / 3628800.0;
    e = e * r + 1.0 / 362880.0;
    e = e * r + 1.0 / 40320.0;
    e = e * r + 1.0 / 5040.0;
    e = e * r + 1.0 / 720.0;
    e = e * r + 1.0 / 120.0;
    e = e * r + 1.0 / 24.0;
    e = e * r + 1.0 / 6.0;
    e = e * r + 0.5;
    e = e * r + 1.0;
    e = e * r + 1.0;
    const int64_t bits = ((int64_t)(int32_t)n + 1023) << 52;
    double power;
    std::memcpy(&power, &bits, sizeof power);
    return e * power;
}
"""


def uniform(key: ArrayLike, step: ArrayLike) -> NDArray[np.float64]:
    """Number `step` of the sequence SplitMix64 that begins at `key`, uniform in [0, 1).

    Args:
        key: Start, itself uniform in [0, 1); neurons with keys of their own have sequences of
            their own.
        step: Number of the step, from 0.
    """
    with np.errstate(over="ignore"):
        z = (np.asarray(key, float) * 2.0**53).astype(np.uint64)
        z = z + (np.asarray(step).astype(np.uint64) + np.uint64(1)) * np.uint64(GOLDEN)
        for shift, factor in MIX:
            z = (z ^ (z >> np.uint64(shift))) * np.uint64(factor)
    return (z >> np.uint64(11)).astype(np.float64) * np.float64(2.0**-53)


BOTH = {
    "uniform": Function("uniform", uniform, UNIFORM, 2),
    "exponential": Function("exponential", np.exp, EXPONENTIAL, 1),
}
"""What equations call: `uniform(key, step)` and `exponential(x)`."""
