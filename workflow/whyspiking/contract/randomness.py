"""Named, independent random streams derived from one seed."""

import zlib

import numpy as np


class Streams:
    """All randomness of one job: one seed, one independent generator per named purpose.

    The same (seed, purpose) always gives the same stream, whatever else was drawn before.
    """

    def __init__(self, seed: int) -> None:
        self.seed = int(seed)

    def rng(self, purpose: str) -> np.random.Generator:
        """A fresh generator for `purpose` ("init", "shuffle", "data-train", "battery", ...)."""
        return np.random.default_rng(self.sequence(purpose))

    def integer(self, purpose: str) -> int:
        """A 31-bit seed for libraries that want an integer (JAX keys, NumPy's RandomState)."""
        return int(self.sequence(purpose).generate_state(1)[0] >> 1)

    def sequence(self, purpose: str) -> np.random.SeedSequence:
        """The seed sequence behind `rng`."""
        return np.random.SeedSequence([self.seed, zlib.crc32(purpose.encode())])
