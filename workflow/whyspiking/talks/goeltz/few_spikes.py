"""Few spikes, early: what the push towards early spikes does (README, section 10).

`spiking` are the networks of `substrates/ideal`; `no_push` learned by the same recipe with the
cross-entropy alone, alpha = 0 in Eq. 4.
"""

from __future__ import annotations

from dataclasses import replace

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.talks.goeltz.networks import bind, decode, evaluate, reference_first_ms, to_brian
from whyspiking.talks.goeltz.substrates import make_task

__all__ = ["bind", "decode", "evaluate", "make_task", "reference_first_ms", "to_brian", "train"]


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Train without the push."""
    from whyspiking.talks.goeltz import learning

    params_no_push = replace(params, values={**params.values, "alpha": 0.0})
    return learning.train(params_no_push, streams, progress)
