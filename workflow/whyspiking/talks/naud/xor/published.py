"""The experiment `xor_published`: XOR at the published size, step and time scales.

Learned by `ensembles`, simulated in Brian2; all else is that of the experiment `xor`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.talks.naud.xor import learning
from whyspiking.talks.naud.xor.counters import THRESHOLD_HZ, read_counters
from whyspiking.talks.naud.xor.ensembles import Ensembles
from whyspiking.talks.naud.xor.experiment import bind, decode, make_task, to_brian
from whyspiking.talks.naud.xor.lesions import placed
from whyspiking.talks.naud.xor.model import OUTPUT, TRIAL_MS
from whyspiking.talks.naud.xor.task import SKIPPED_MS, Schedule, slots

__all__ = ["bind", "decode", "evaluate", "make_task", "to_brian", "train"]

ENGINE = "compiled"


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Train one variant; before, measure its output rates at the step of the published program."""
    machine = Ensembles(params)
    network, _, _ = learning.learn(
        params, variant, streams, machine, ENGINE, progress=progress, kept_as="training"
    )
    fine = replace(params, values={**params.values, "dt_ms": params.start_dt_ms})
    before = rates_before(fine, variant, network, streams.integer("noise before learning"))
    off = before - np.array(params.start_rates_hz)
    network.info["measures"]["start_rate_error"] = float(np.abs(off).max())
    return network


def rates_before(
    params: ct.Params, variant: str, network: ct.Network, seed: int
) -> NDArray[np.float64]:
    """Output rates by pattern in Hz before learning, (pattern,).

    Args:
        params: Parameters, with the step.
        variant: Intact, or which lesion.
        network: Its wiring is used, not its weights.
        seed: Of the noise.
    """
    start = np.full_like(network.arrays["forward.w"], params.w_exc)
    values = placed(params, variant, {**network.arrays, "forward.w": start})
    schedule = Schedule(params)
    schedule.add(0, TRIAL_MS * np.ceil(3 * params.tau_avg / TRIAL_MS))
    schedule.add_test(0)
    stimulus = ct.Stimulus(arrays={"schedule": schedule.array()})
    counters = read_counters(params, Ensembles(params).run(stimulus, values, seed=seed))
    return counters.test_rates(schedule)[0, :, OUTPUT]


def evaluate(params: ct.Params, variant: str, network: ct.Network, task: ct.Task) -> ct.Trials:
    """Decisions of the network in the engine it was trained in, one pattern after the other."""
    rows = np.asarray(task.stimulus.arrays["schedule"])
    idle = np.zeros_like(rows[:1])  # counters are read at the beginning of slots only
    values = placed(params, variant, network.arrays)
    seed = Streams(params.seed).integer("evaluation noise")
    stimulus = ct.Stimulus(arrays={"schedule": np.concatenate([rows, idle])})
    counters = read_counters(params, Ensembles(params).run(stimulus, values, seed=seed))
    length = slots(params, TRIAL_MS)
    skipped = slots(params, SKIPPED_MS)
    rates = [
        counters.event_rates(first + skipped, first + length)[OUTPUT]
        for first in range(0, len(rows) * length, length)
    ]
    return ct.Trials.of(task, np.array(rates) > THRESHOLD_HZ, TRIAL_MS)
