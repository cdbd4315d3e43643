"""The experiment `xor_published`: XOR at the published size, step and time scales.

Learned by `ensembles`, simulated in Brian2; all else is that of the experiment `xor`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import (
    Network,
    Params,
    Parents,
    Progress,
    Stimulus,
    Task,
    Trials,
)
from whyspiking.talks.naud import xor
from whyspiking.talks.naud import xor_protocol as protocol
from whyspiking.talks.naud.ensembles import Ensembles
from whyspiking.talks.naud.xor import bind, decode, make_task, measures, to_brian
from whyspiking.talks.naud.xor_network import OUTPUT, TRIAL_MS

__all__ = ["bind", "decode", "evaluate", "make_task", "measures", "to_brian", "train"]

ENGINE = "compiled"


def train(
    params: Params, variant: str, streams: Streams, parents: Parents, progress: Progress
) -> Network:
    """Train one variant; before, measure its output rates at the step of the published program."""
    machine = Ensembles(params)
    network, _, _ = xor.learn(
        params, variant, streams, machine, ENGINE, progress=progress, kept_as="training"
    )
    fine = replace(params, values={**params.values, "dt_ms": params.start_dt_ms})
    before = rates_before(fine, variant, network, streams.integer("noise before learning"))
    off = before - np.array(params.start_rates_hz)
    network.info["measures"]["start_rate_error"] = float(np.abs(off).max())
    network.arrays["start_rates"] = before
    return network


def rates_before(params: Params, variant: str, network: Network, seed: int) -> NDArray[np.float64]:
    """Output rates by pattern in Hz before learning, (pattern,).

    Args:
        params: Parameters, with the step.
        variant: Intact, or which lesion.
        network: Its wiring is used, not its weights.
        seed: Of the noise.
    """
    start = np.full_like(network.arrays["forward.w"], params.w_exc)
    values = xor.placed(params, variant, {**network.arrays, "forward.w": start})
    schedule = protocol.Schedule(params)
    schedule.add(0, TRIAL_MS * np.ceil(3 * params.tau_avg / TRIAL_MS))
    schedule.add_test(0)
    stimulus = Stimulus(arrays={"schedule": schedule.array()})
    counters = protocol.read_counters(params, Ensembles(params).run(stimulus, values, seed=seed))
    return counters.test_rates(schedule)[0, :, OUTPUT]


def evaluate(params: Params, variant: str, network: Network, task: Task) -> Trials:
    """Decisions of the network in the engine it was trained in, one pattern after the other."""
    rows = np.asarray(task.stimulus.arrays["schedule"])
    idle = np.zeros_like(rows[:1])  # counters are read at the beginning of slots only
    values = xor.placed(params, variant, network.arrays)
    seed = Streams(params.seed).integer("evaluation noise")
    stimulus = Stimulus(arrays={"schedule": np.concatenate([rows, idle])})
    counters = protocol.read_counters(params, Ensembles(params).run(stimulus, values, seed=seed))
    length = protocol.slots(params, TRIAL_MS)
    skipped = protocol.slots(params, protocol.SKIPPED_MS)
    rates = [
        counters.event_rates(first + skipped, first + length)[OUTPUT]
        for first in range(0, len(rows) * length, length)
    ]
    return Trials.of(task, np.array(rates) > protocol.THRESHOLD_HZ, TRIAL_MS)
