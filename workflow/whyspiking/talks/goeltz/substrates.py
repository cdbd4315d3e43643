"""Networks that are trained from scratch on imperfect substrates (README, section 6).

As in the paper's Fig. 5, a substrate is there from the first epoch on; `distortion` trains finished
networks further. `ideal` was trained on the ideal substrate by the same recipe; `sham` twice as
long; `elsewhere` on neurons with other time constants, those of another chip. All are evaluated on
the same substrates in Brian2.
"""

from __future__ import annotations

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Condition, Network, Params, Parents, Progress, Split, Task
from whyspiking.talks.goeltz import distortion, model, networks
from whyspiking.talks.goeltz.distortion import bind, vary
from whyspiking.talks.goeltz.networks import decode, evaluate, reference_first_ms, to_brian

__all__ = [
    "bind", "conditions", "decode", "evaluate", "make_task", "reference_first_ms", "to_brian",
    "train", "vary",
]  # fmt: skip


def make_task(params: Params, split: Split, streams: Streams) -> Task | None:
    """Yin-Yang; no further points, since what is claimed are differences."""
    return None if split == "fresh" else networks.make_task(params, split, streams)


def conditions(params: Params) -> list[Condition]:
    """Weights in fixed point, time constants, jitter of the input."""
    found = [
        Condition(name, "weights", float(bits))
        for name in distortion.FIXED_POINT
        for bits in params.bits
    ]
    found += [Condition("tau_spread", "neurons", float(sd)) for sd in params.tau_spreads]
    found += [Condition("tau_shift", "neurons", float(ratio)) for ratio in params.tau_shifts]
    found += [
        Condition("jitter", "input", float(sd), draw)
        for sd in params.jitters
        for draw in range(params.jitter_draws)
    ]
    return found


def train(
    params: Params, variant: str, streams: Streams, parents: Parents, progress: Progress
) -> Network:
    """A network of the published initialisation; see the module for the variants."""
    from whyspiking.talks.goeltz import learning

    planned = conditions(params)
    if variant == "adapted":
        (ideal,) = parents.values()
        network = distortion.unadapted(params, streams, ideal, planned)
        return distortion.on_each(params, streams, network, planned, None, progress)
    if variant == "elsewhere":
        spread = next(c for c in planned if c.perturbation == "tau_spread")
        taus = distortion.taus_of(params, spread, streams, chip=" elsewhere")
        other = learning.Distortion(substrate=model.uneven_substrate(params, taus))
        trained = learning.train(params, streams, progress, distortion=other)
    else:
        longer = params.sham_epochs if variant == "sham" else None
        trained = learning.train(params, streams, progress, epochs=longer)
    network = distortion.unadapted(params, streams, trained, planned)
    network.history, network.info = trained.history, trained.info
    return network
