"""The burst rule of the XOR network (Eqs. 8-12), and its training: one run, tests included.

Brian2 executes these very statements; `ensembles.cpp` has them once more. Equation numbers are
those of this talk's README.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.talks.naud.xor import counters, lesions, task, wiring
from whyspiking.talks.naud.xor.model import TRIAL_MS

ON_PRE_EVENT = "g_e_post += gain*w*event_heard_pre; w = clip(w + lift_now_post, 0, 1)"
"""Eqs. 11 and 12: a presynaptic event is heard, and lifts where the target fires too little."""
ON_POST_EVENT = "w = clip(w + eta_now_post*x_pre*(h_max_post - p_mean_post), 0, 1)"
"""Eq. 8: a postsynaptic event."""
ON_POST_BURST = "w = clip(w + eta_now_post*x_pre*(1 + h_max_post), 0, 1)"
"""Eq. 9: a postsynaptic burst."""


def learn(
    params: ct.Params, variant: str, streams: Streams, machine: Any, engine: str, **options: Any
) -> tuple[ct.Network, dict[str, Any], ct.Recording]:
    """The whole schedule of training in one run, tests included.

    Args:
        params: Parameters of the experiment.
        variant: Intact, or which lesion.
        streams: Randomness.
        machine: Runs the network: `brian.Machine` or `ensembles.Ensembles`.
        engine: Its name.
        options: Of its `run`.

    Returns:
        What was learned, the values of the run, and its recording.
    """
    arrays = wiring.wire(params, streams)
    arrays["forward.w"] = np.full(arrays["forward.i"].size, float(params.w_exc))
    order = streams.rng("order of patterns") if variant == "random_order" else None
    schedule = task.training(params, order)
    rows = schedule.array()
    values = {**lesions.placed(params, variant, arrays), "neurons.carry": 1.0}
    recording = machine.run(
        ct.Stimulus(arrays={"schedule": rows}),
        values,
        seed=streams.integer("training noise"),
        spikes=False,
        **options,
    )
    counted = counters.read_counters(params, recording)
    output = counters.output_rates(counted.test_rates(schedule))
    credit = counters.credit(counted, schedule)
    measured = counters.order_measures(output[counters.judged(schedule)])
    measured |= counters.credit_measures(credit)
    epochs = np.array([epoch for epoch, _ in schedule.tests])
    network = ct.Network(
        arrays={**arrays, "forward.w": recording.final["forward.w"], "credit": credit},
        info={
            "engine": engine,
            "variant": variant,
            "epochs": int(params.epochs),
            "simulated_ms": float(rows.shape[0] * TRIAL_MS),
            "measures": measured,
        },
        history=counters.history(epochs, output),
    )
    return network, values, recording
