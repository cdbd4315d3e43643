"""The experiment `xor_variants`: changes of the published XOR network that its authors tried.

Each variant changes one thing of `recipe`, wiring or schedule (README, section 5); all else is that
of `xor_published`.
"""

from __future__ import annotations

from dataclasses import replace

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Network, Params, Parents, Progress
from whyspiking.talks.naud import xor
from whyspiking.talks.naud import xor_protocol as protocol
from whyspiking.talks.naud.ensembles import Ensembles
from whyspiking.talks.naud.xor import bind, decode, make_task, measures, to_brian
from whyspiking.talks.naud.xor_published import ENGINE, evaluate

__all__ = ["bind", "decode", "evaluate", "make_task", "measures", "recipe", "to_brian", "train"]


def recipe(params: Params, variant: str) -> Params:
    """Parameters of one variant: its time scales and rates; they bear on learning alone."""
    p = params
    slow = {"epochs": p.slow_epochs}
    changed = {
        "short_examples": {
            "predict_ms": p.short_predict_ms,
            "learn_ms": p.short_learn_ms,
            **slow,
        },
        "short_means": {"tau_avg": p.short_tau_avg, "epochs": p.means_epochs},
        "symmetric_feedback": {
            "eta_hidden": p.symmetric_rates * p.eta_hidden,
            "eta_output": p.symmetric_rates * p.eta_output,
            **slow,
        },
    }
    return replace(p, values={**p.values, **changed.get(variant, {})})


def train(
    params: Params, variant: str, streams: Streams, parents: Parents, progress: Progress
) -> Network:
    """Train one variant in compiled loops."""
    own = recipe(params, variant)
    network, _, _ = xor.learn(
        own, variant, streams, Ensembles(own), ENGINE, progress=progress, kept_as="training"
    )
    if variant == "symmetric_feedback":
        signs = protocol.DESIGNED[[0, 0, 2]]
        network.info["measures"] |= protocol.credit_measures(network.arrays["credit"], signs)
    return network
