"""Training of the XOR network: one run of `ensembles`, tests included.

The burst rule (Eqs. 7-13 of this talk's README) stands in `ensembles.cpp`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.talks.naud.xor import counters, lesions, task, wiring
from whyspiking.talks.naud.xor.ensembles import Ensembles
from whyspiking.talks.naud.xor.model import TRIAL_MS

ENGINE = "compiled"


def learn(
    params: ct.Params, variant: str, streams: Streams, progress: ct.Progress
) -> tuple[ct.Network, dict[str, Any]]:
    """The whole schedule of training in one run, tests included.

    Args:
        params: Parameters of the experiment.
        variant: Intact, or which lesion.
        streams: Randomness.
        progress: Called now and then.

    Returns:
        What was learned, and the values of the run. Of the first part of a training
        (`checkpoint.first_part`) only the history.
    """
    arrays = wiring.wire(params, streams)
    arrays["forward.w"] = np.full(arrays["forward.i"].size, float(params.w_exc))
    pattern_rng = streams.rng("order of patterns") if variant == "random_order" else None
    schedule = task.training(params, pattern_rng)
    rows = schedule.array()
    values = lesions.placed(params, variant, arrays)
    recording = Ensembles(params).run(
        ct.Stimulus(arrays={"schedule": rows}),
        values,
        seed=streams.integer("training noise"),
        progress=progress,
        kept_as="training",
    )
    run_counters = counters.read_counters(params, recording)
    # Only the first part of a training was run: later tests do not exist yet.
    if len(run_counters.events) < rows.shape[0] * rows.shape[1]:
        partial_schedule = schedule.before(len(run_counters.events))
        output = counters.output_rates(run_counters.test_rates(partial_schedule))
        return ct.Network({}, {"engine": ENGINE}, _make_history(partial_schedule, output)), values
    output = counters.output_rates(run_counters.test_rates(schedule))
    published_outputs = np.array(
        [run_counters.published_test(first_slot) for first_slot in schedule.published_tests]
    )
    credit = counters.credit(run_counters, schedule)
    measures = counters.order_measures(output[counters.judged(schedule)])
    measures |= counters.side_measures(published_outputs[-1].mean(axis=1))
    measures |= counters.credit_measures(credit)
    learned_arrays = {
        "forward.w": recording.final["forward.w"],
        "credit": credit,
        "output": published_outputs,
    }
    network = ct.Network(
        arrays={**arrays, **learned_arrays},
        info={
            "engine": ENGINE,
            "variant": variant,
            "epochs": int(params.epochs),
            "simulated_ms": float(rows.shape[0] * TRIAL_MS),
            "measures": measures,
        },
        history=_make_history(schedule, output),
    )
    return network, values


def _make_history(schedule: task.Schedule, output: NDArray) -> list[dict[str, Any]]:
    """Rows of the training history from output rates in Hz, (test, pattern)."""
    return counters.history(np.array([epoch for epoch, _ in schedule.tests]), output)
