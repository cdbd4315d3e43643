"""The key experiment: evidence accumulation by the authors' recipe (README, section 9).

Task, network and re-simulation are those of `evidence`. A training ends when it meets the authors'
criterion, and its learning rate is constant.
"""

from __future__ import annotations

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.errors import unknown_variant
from whyspiking.talks.scherr.evidence import bind, decode, evaluate, learn, to_brian
from whyspiking.talks.scherr.task import make_task

__all__ = ["bind", "decode", "evaluate", "make_task", "to_brian", "train"]

RULES = {"spiking": "random", "symmetric": "symmetric", "lif_only": "random"}
"""Variant -> rule of learning: of the command in the authors' README, and of the script's defaults
for e-prop; `lif_only` is the first without adaptive neurons."""


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Train one network until it meets the authors' criterion.

    Variants are those of `RULES`. Randomness: that of `evidence.learn`.
    """
    if variant not in RULES:
        raise unknown_variant(params.talk, params.experiment, variant)
    return learn(params, variant, RULES[variant], streams, progress, stop_at_criterion=True)
