"""The experiment `xor_gradient`: does the burst rule descend the spiking network's own cost?

As in `rate_model`, but the gradient is that of the network itself, by finite differences, at the
start, halfway and at the end of training (README, section 3). Learned and measured by `ensembles`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.talks.naud.xor import learning, rate_model
from whyspiking.talks.naud.xor.counters import output_rates, read_counters
from whyspiking.talks.naud.xor.ensembles import Ensembles
from whyspiking.talks.naud.xor.experiment import bind, decode, evaluate, make_task, to_brian
from whyspiking.talks.naud.xor.lesions import lesion
from whyspiking.talks.naud.xor.model import HIDDEN, OUTPUT, POPULATIONS, PROJECTIONS, TRIAL_MS
from whyspiking.talks.naud.xor.task import PATTERNS, TARGETS, Schedule, slots, training

__all__ = ["bind", "decode", "evaluate", "make_task", "to_brian", "train"]

E_LOW_HZ, E_SPAN_HZ = 2.0, 8.0
"""The cost reads the output rate e as the probability (e - 2 Hz) / 8 Hz."""
CERTAIN = 0.01
"""That probability is kept from 0 and 1 by so much, as in the published program."""
ENSEMBLES = (*HIDDEN, OUTPUT)


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Train one variant, and compare rule and gradient at three times."""
    schedule = training(params)
    halfway = next(x[2] for x in schedule.examples if x[0] > params.epochs // 2)
    watch = halfway // slots(params, TRIAL_MS)
    network, values, recording = learning.learn(params, variant, streams, progress, watch)
    rng = streams.rng("gradient")
    trained = {**values, "forward.w": network.arrays["forward.w"]}
    middle = {**values, "forward.w": recording.final["watched"]}
    for when, now in (("start", values), ("middle", middle), ("end", trained)):
        gradient = cost_gradient(params, now, rng)
        rule = credited_change(params, now, rng)
        for post in ENSEMBLES:
            own = [k for k, (_, onto) in enumerate(PROJECTIONS) if onto == post]
            metric = f"cost_cosine_{POPULATIONS[post].lower()}_{when}"
            network.info["measures"][metric] = rate_model.cosine(rule[:, own], gradient[:, own])
    return network


def credited_change(
    params: ct.Params, values: Mapping[str, Any], rng: np.random.Generator
) -> NDArray[np.float64]:
    """What the rule changes because of the error, (pattern, projection).

    Onto hidden ensembles the change less that without feedback, under noise of its own: Eqs. 8 and
    9 also follow fluctuations. Onto the output, which feedback does not reach, all of it.
    """
    found = rate_model.rule_change(params, values, rng)
    cut = rate_model.rule_change(params, lesion(values, "no_feedback", params), rng)
    hidden = rate_model.LAYERS["hidden"]
    found[:, hidden] -= cut[:, hidden]
    return found


def cost(rates_hz: NDArray) -> NDArray[np.float64]:
    """Cross-entropy of each pattern (Eq. 55), (..., pattern).

    Args:
        rates_hz: Output rate, (..., pattern).
    """
    p = np.clip((rates_hz - E_LOW_HZ) / E_SPAN_HZ, CERTAIN, 1 - CERTAIN)
    return -np.where(TARGETS == 1, np.log(p), np.log(1 - p))


def cost_gradient(
    params: ct.Params, values: Mapping[str, Any], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Minus the central difference of the cost by the mean weight of each projection.

    Args:
        params: Parameters of the experiment.
        values: Of a run; all weights of a projection are shifted by `gradient_step`.
        rng: For the seeds of runs; both sides of a difference have the same noise.

    Returns:
        (pattern, projection).
    """
    projection = rate_model.projection_of(values, params.n_per_population)
    weights, step = np.asarray(values["forward.w"]), params.gradient_step
    found = np.zeros((len(PATTERNS), len(PROJECTIONS)))
    for k in range(len(PROJECTIONS)):
        seed = int(rng.integers(2**31))
        sides = []
        for sign in (1, -1):
            moved = np.clip(weights + sign * step * (projection == k), 0, 1)
            sides.append(cost(tested_rates(params, {**values, "forward.w": moved}, seed)))
        found[:, k] = -(sides[0] - sides[1]) / (2 * step)
    return found


def tested_rates(params: ct.Params, values: Mapping[str, Any], seed: int) -> NDArray[np.float64]:
    """Output rates with plasticity off in Hz, mean over repeated tests, (pattern,)."""
    schedule = Schedule(params)
    for _ in range(params.gradient_tests):
        schedule.add_test(0)
    stimulus = ct.Stimulus(arrays={"schedule": schedule.array()})
    counters = read_counters(params, Ensembles(params).run(stimulus, values, seed=seed))
    return output_rates(counters.test_rates(schedule)).mean(axis=0)
