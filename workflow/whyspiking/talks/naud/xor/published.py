"""The experiment `xor_published`: that of `xor` at the published size, windows and rates.

Spikes are not lost here, so it has no conditions of its own.
"""

from whyspiking.talks.naud.xor.experiment import (
    bind,
    decode,
    evaluate,
    make_task,
    to_brian,
    train,
)

__all__ = ["bind", "decode", "evaluate", "make_task", "to_brian", "train"]
