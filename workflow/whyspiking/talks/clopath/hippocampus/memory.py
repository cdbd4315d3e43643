"""One-shot memory (NC19 Fig. 5): the septal network, and RO-CA1 cells that bind spikes to it.

The network of theta_replay goes on as trained; excitatory cells of RO-CA1 hear its excitatory
neurons through weights that one presentation makes from nothing (Eqs. 26-28 of the talk's README).
Rule and network are one program of Brian2: teaching and test differ in input and weights only.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import brian_model as bm
from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Binding, Layer, Network, Params
from whyspiking.talks.clopath.force.brian_network import readout
from whyspiking.talks.clopath.force.task import SAMPLE_MS
from whyspiking.talks.clopath.hippocampus import brian_network as septal
from whyspiking.talks.clopath.hippocampus import model, task

# Eq. 26; gate, clock of the presentation: columns 2 and 3 of the septum's array.
HEBBIAN = "w += epsilon*rule_s*jump*septum(t, 2)*r_pre*r_post"
PULSE = "pulse*int(septum(t, 3) >= onset)*int(septum(t, 3) < onset + pulse_ms)"
ADD_WEIGHT = "h_post += w"
RESET = {
    "inhibitory": model.REST,
    "excitatory": f"{model.REST}; r = 0; h_r = 0",
    "cells": f"{model.REST}; r = 0; h_r = 0",
    "interneurons": model.REST,
    "oscillator": septal.OSCILLATOR_REST,
}
NEVER_MS = -1.0
"""Clock of the presentation while there is none."""


def wire(params: Params, streams: Streams) -> dict[str, NDArray]:
    """Draw the fixed random part of RO-CA1 (Eq. 28).

    Args:
        params: Needs n_cells, n_interneurons, to_interneurons, from_interneurons.
        streams: The stream "memory-wiring" is used.

    Returns:
        `to_interneurons` (cell, interneuron) and `from_interneurons` (interneuron, cell) in mV s;
        `cell_start` (cell,) and `interneuron_start` in mV.
    """
    rng = streams.rng("memory-wiring")
    n, m = params.n_cells, params.n_interneurons
    start = model.voltages(params, rng, n + m)
    return {
        "to_interneurons": params.to_interneurons / n * rng.random((n, m)),
        "from_interneurons": params.from_interneurons / m * rng.random((m, n)),
        "cell_start": start[:n],
        "interneuron_start": start[n:],
    }


def onsets(params: Params, order: NDArray) -> NDArray[np.float64]:
    """When each cell is pulsed, in ms after the presentation has begun, (cell,).

    Args:
        params: Needs taught_ms.
        order: Place of each cell in the sequence, (cell,).
    """
    return params.taught_ms * np.asarray(order, float) / len(order)


def protocol(params: Params, septum_hz: float, phase: float, *, taught: bool) -> NDArray:
    """Input of one trial, every ms: septum, release, gate of the rule, clock; (time, 4).

    Args:
        params: Needs warmup_ms, taught_ms, learning_ms, wave_at_ms, wave_ms, after_ms.
        septum_hz: Frequency of the septum.
        phase: Of the septum at the start, in rad.
        taught: Whether the sequence is presented and the rule is on.
    """
    times = np.arange(0.0, trial_ms(params), SAMPLE_MS)
    is_wave = (times >= params.wave_at_ms) & (times < params.wave_at_ms + params.wave_ms)
    since_start_ms = times - params.warmup_ms
    is_learning = (since_start_ms >= 0) & (since_start_ms < params.learning_ms)
    clock = np.where(
        (since_start_ms >= 0) & (since_start_ms < params.taught_ms + params.pulse_ms),
        since_start_ms,
        NEVER_MS,
    )
    return np.column_stack(
        [
            np.where(is_wave, 0.0, task.septum(septum_hz, times, phase)),
            is_wave,
            is_learning & taught,
            clock if taught else np.full(times.size, NEVER_MS),
        ]
    )


def trial_ms(params: Params) -> float:
    """Length of a trial, taught or not."""
    return float(params.wave_at_ms + params.wave_ms + params.after_ms)


def to_brian(params: Params) -> bm.BrianModel:
    """Septal network, RO-CA1 and the rule between them (Eqs. 15-20 and 26-28)."""
    filter_reset, filter_equations = f"; {model.FILTER_RESET}", model.FILTERED
    hebbian_rule = bm.Regularly("hebbian", HEBBIAN, period_ms=params.rule_ms)
    populations = [
        septal.inhibitory(params),
        septal.excitatory(params, filter_equations, filter_reset),
        septal.population(
            params,
            "cells",
            model.LEAKY + filter_equations + f"drive = {PULSE} : 1\nonset : 1\n",
            filter_reset,
            bias=params.bias_cells,
            pulse=params.pulse,
            pulse_ms=params.pulse_ms,
        ),
        septal.population(
            params,
            "interneurons",
            model.NOISY + "drive = 0 : 1\n",
            bias=params.bias_interneurons,
            noise=params.noise,
            **{"tau_d": params.tau_d_fast / 1000.0},
        ),
    ]
    rule_constants = {"jump": model.per_spike(params), "epsilon": params.epsilon}
    return bm.BrianModel(
        name="clopath-memory",
        groups=[*populations, readout("oscillator", 2, "second")],
        synapses=[
            *septal.inhibition(),
            bm.Synapses("memory", "excitatory", "cells", ADD_WEIGHT, regularly=[hebbian_rule]),
            bm.Synapses("to_interneurons", "cells", "interneurons", ADD_WEIGHT),
            bm.Synapses("from_interneurons", "interneurons", "cells", ADD_WEIGHT),
        ],
        inputs={},
        dt_ms=params.dt_ms,
        trial_ms=trial_ms(params),
        max_trials=params.n_trials_max,
        constants=model.constants(params) | rule_constants | {"rule_s": params.rule_ms / 1000.0},
        tables=[septal.septum_table(params, trial_ms(params), 4)],
        reset=RESET,
        record_spikes=[population.name for population in populations],
        record_traces=septal.TRACES,
        record_final=("memory.w",),
    )  # fmt: skip


def bind(params: Params, network: Network) -> Binding:
    """Septal network, RO-CA1, and the memory `phi_memory` (excitatory neuron, cell) in mV s."""
    arrays, inhibition_binding = network.arrays, septal.bind_inhibition(params, network)
    jump, fast = model.per_spike(params), model.per_spike(params, "tau_d_fast")
    weights = {
        "memory.w": jump * arrays["phi_memory"],
        "to_interneurons.w": fast * arrays["to_interneurons"],
        "from_interneurons.w": jump * arrays["from_interneurons"],
    }
    starts = {
        "cells.v_start": arrays["cell_start"],
        "cells.onset": arrays["onset"],
        "interneurons.v_start": arrays["interneuron_start"],
    }
    layers = {
        name: Layer(pre, post, weights[name], "feedforward" if pre == "excitatory" else "recurrent")
        for name, pre, post in (
            ("memory.w", "excitatory", "cells"),
            ("to_interneurons.w", "cells", "interneurons"),
            ("from_interneurons.w", "interneurons", "cells"),
        )
    }
    return Binding(
        {**inhibition_binding.values, **starts, **weights}, {**inhibition_binding.layers, **layers}
    )
