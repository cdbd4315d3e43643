"""The experiment `xor_gradient`: does the burst rule descend the spiking network's own cost?

As `xor_alignment`, but the gradient is that of the network itself, by finite differences, at the
start, halfway and at the end of training (README, section 11). Learned and measured by `ensembles`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Network, Params, Parents, Progress, Stimulus
from whyspiking.talks.naud import xor, xor_alignment
from whyspiking.talks.naud import xor_protocol as protocol
from whyspiking.talks.naud.ensembles import Ensembles
from whyspiking.talks.naud.xor import bind, decode, make_task, measures, to_brian
from whyspiking.talks.naud.xor_network import OUTPUT, POPULATIONS, PROJECTIONS, TRIAL_MS
from whyspiking.talks.naud.xor_protocol import PATTERNS, TARGETS
from whyspiking.talks.naud.xor_published import ENGINE, evaluate

__all__ = ["bind", "decode", "evaluate", "make_task", "measures", "to_brian", "train"]

E_LOW_HZ, E_SPAN_HZ = 2.0, 8.0
"""The cost reads the output rate e as the probability (e - 2 Hz) / 8 Hz."""
CERTAIN = 0.01
"""That probability is kept from 0 and 1 by so much, as in the published program."""
ENSEMBLES = (*xor_alignment.HIDDEN, OUTPUT)


def train(
    params: Params, variant: str, streams: Streams, parents: Parents, progress: Progress
) -> Network:
    """Train one variant, and compare rule and gradient at three times."""
    machine = Ensembles(params)
    schedule = protocol.training(params)
    halfway = next(x[2] for x in schedule.examples if x[0] > params.epochs // 2)
    watch = halfway // protocol.slots(params, TRIAL_MS)
    network, values, recording = xor.learn(
        params,
        variant,
        streams,
        machine,
        ENGINE,
        progress=progress,
        kept_as="training",
        watch=watch,
    )
    rng = streams.rng("gradient")
    trained = {**values, "forward.w": network.arrays["forward.w"]}
    middle = {**values, "forward.w": recording.final["watched"]}
    for when, now in (("start", values), ("middle", middle), ("end", trained)):
        gradient = cost_gradient(params, machine, now, rng)
        rule = rule_change(params, machine, now, rng)
        network.arrays |= {f"rule.{when}": rule, f"gradient.{when}": gradient}
        for post in ENSEMBLES:
            own = [k for k, (_, onto) in enumerate(PROJECTIONS) if onto == post]
            found = xor_alignment.cosine(rule[:, own], gradient[:, own])
            network.info["measures"][f"cost_cosine_{POPULATIONS[post].lower()}_{when}"] = found
    return network


def cost(rates_hz: NDArray) -> NDArray[np.float64]:
    """Cross-entropy of each pattern (README, Eq. 17), (..., pattern).

    Args:
        rates_hz: Output rate, (..., pattern).
    """
    p = np.clip((rates_hz - E_LOW_HZ) / E_SPAN_HZ, CERTAIN, 1 - CERTAIN)
    return -np.where(TARGETS == 1, np.log(p), np.log(1 - p))


def cost_gradient(
    params: Params, machine: Ensembles, values: Mapping[str, Any], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Minus the central difference of the cost by the mean weight of each projection.

    Args:
        params: Parameters of the experiment.
        machine: Runs the network.
        values: Of a run; all weights of a projection are shifted by `gradient_step`.
        rng: For the seeds of runs; both sides of a difference have the same noise.

    Returns:
        (pattern, projection).
    """
    projection = xor_alignment.projection_of(values, params.n_per_population)
    weights, step = np.asarray(values["forward.w"]), params.gradient_step
    found = np.zeros((len(PATTERNS), len(PROJECTIONS)))
    for k in range(len(PROJECTIONS)):
        seed = int(rng.integers(2**31))
        sides = []
        for sign in (1, -1):
            moved = np.clip(weights + sign * step * (projection == k), 0, 1)
            sides.append(cost(output_rates(params, machine, {**values, "forward.w": moved}, seed)))
        found[:, k] = -(sides[0] - sides[1]) / (2 * step)
    return found


def output_rates(
    params: Params, machine: Ensembles, values: Mapping[str, Any], seed: int
) -> NDArray[np.float64]:
    """Output rates with plasticity off in Hz, mean over repeated tests, (pattern,)."""
    schedule = protocol.Schedule(params)
    for _ in range(params.gradient_tests):
        schedule.add_test(0)
    stimulus = Stimulus(arrays={"schedule": schedule.array()})
    counters = protocol.read_counters(params, machine.run(stimulus, values, seed=seed))
    return protocol.output_rates(counters.test_rates(schedule)).mean(axis=0)


def rule_change(
    params: Params, machine: Ensembles, values: Mapping[str, Any], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Change of the mean weight of each projection by examples of one pattern, by pattern."""
    projection = xor_alignment.projection_of(values, params.n_per_population)
    before = np.asarray(values["forward.w"])
    return np.array(
        [
            xor_alignment.means(
                xor_alignment.learned(params, machine, values, pattern, rng) - before, projection
            )
            for pattern in range(len(PATTERNS))
        ]
    )
