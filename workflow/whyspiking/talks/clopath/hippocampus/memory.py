"""One-shot memory (NC19 Fig. 5): the septal network, and RO-CA1 cells that bind spikes to it.

The network of `shot` goes on as trained; excitatory cells of RO-CA1 hear its excitatory neurons
through weights that one presentation makes from nothing (Eqs. 26-28 of this talk's README). Rule
and network are one program of Brian2: teaching and test differ in input and weights only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.brian_model import BrianModel
from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Binding, Layer, Network, Params
from whyspiking.talks.clopath import shot
from whyspiking.talks.clopath.frozen import bind_shot, rhythm
from whyspiking.talks.clopath.shot import SAMPLE_MS

NOISY = shot.LEAKY.replace(
    "bias)/(tau_m*second)", "bias)/(tau_m*second) + noise*xi/sqrt(tau_m*second)"
)
# Eq. 26; gate, clock of the presentation: columns 2 and 3 of the septum's array.
HEBBIAN = "w += epsilon*rule_s*jump*septum(t, 2)*r_pre*r_post"
PULSE = "pulse*int(septum(t, 3) >= onset)*int(septum(t, 3) < onset + pulse_ms)"
POPULATIONS = ("inhibitory", "excitatory", "cells", "interneurons")
RESET = {
    "inhibitory": "v = v_start; current = 0; h = 0; lastspike = -10000*second",
    "excitatory": "v = v_start; current = 0; h = 0; r = 0; h_r = 0; lastspike = -10000*second",
    "cells": "v = v_start; current = 0; h = 0; r = 0; h_r = 0; lastspike = -10000*second",
    "interneurons": "v = v_start; current = 0; h = 0; lastspike = -10000*second",
    "oscillator": "z = 0; h_z = 0",
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
    start = params.v_reset + (params.v_th - params.v_reset) * rng.random(n + m)
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
    wave = (times >= params.wave_at_ms) & (times < params.wave_at_ms + params.wave_ms)
    since = times - params.warmup_ms
    learning = (since >= 0) & (since < params.learning_ms)
    clock = np.where((since >= 0) & (since < params.taught_ms + params.pulse_ms), since, NEVER_MS)
    return np.column_stack(
        [
            np.where(wave, 0.0, shot.septum(septum_hz, times, phase)),
            wave,
            learning & taught,
            clock if taught else np.full(times.size, NEVER_MS),
        ]
    )


def trial_ms(params: Params) -> float:
    """Length of a trial, taught or not."""
    return float(params.wave_at_ms + params.wave_ms + params.after_ms)


def to_brian(params: Params) -> BrianModel:
    """Septal network, RO-CA1 and the rule between them (Eqs. 15-20 and 26-28)."""
    names = ("tau_m", "tau_r", "tau_d", "tau_d_fast", "v_th", "v_reset", "tau_ref", "septal_weight")
    further = (
        "bias_inhibitory", "bias_excitatory", "bias_released", "bias_cells", "bias_interneurons",
        "noise", "pulse", "pulse_ms", "epsilon", "rule_ms",
    )  # fmt: skip
    fixed = {name: getattr(params, name) for name in names + further}
    sizes = [getattr(params, f"n_{name}") for name in POPULATIONS]

    def construct(inputs: Mapping[str, Any]) -> Sequence[Any]:
        import brian2

        ms = brian2.ms
        rows = round(params.n_trials_max * trial_ms(params) / SAMPLE_MS)
        known = shot.constants(params) | {
            "septum": brian2.TimedArray(np.zeros((rows, 4)), dt=SAMPLE_MS * ms, name="septum"),
            "jump": per_spike(params),
            "epsilon": params.epsilon,
            "rule_s": params.rule_ms / 1000.0,
        }
        kept = f"; {shot.FILTER_RESET}"

        def population(name: str, equations: str, reset: str, **numbers: float) -> Any:
            return brian2.NeuronGroup(
                getattr(params, f"n_{name}"),
                equations + "v_start : 1\n",
                threshold="v >= v_th",
                reset="v = v_reset" + reset,
                refractory=params.tau_ref * ms,
                method="euler",
                namespace=known | numbers | {"bias": getattr(params, f"bias_{name}")},
                name=name,
            )

        inhibitory = population(
            "inhibitory",
            shot.LEAKY + "drive = septal_weight*septum(t, 0) : 1\n",
            "",
            septal_weight=params.septal_weight,
        )
        excitatory = population(
            "excitatory",
            shot.LEAKY + shot.FILTERED + "drive = released*septum(t, 1) : 1\n",
            kept,
            released=params.bias_released,
        )
        cells = population(
            "cells",
            shot.LEAKY + shot.FILTERED + f"drive = {PULSE} : 1\nonset : 1\n",
            kept,
            pulse=params.pulse,
            pulse_ms=params.pulse_ms,
        )
        interneurons = population(
            "interneurons",
            NOISY + "drive = 0 : 1\n",
            "",
            noise=params.noise,
            tau_d=params.tau_d_fast / 1000.0,
        )
        oscillator = rhythm(known)
        groups = [inhibitory, excitatory, cells, interneurons, oscillator]
        made = []
        for name, source, to in (
            ("static_inhibitory", inhibitory, inhibitory),
            ("static_excitatory", inhibitory, excitatory),
            ("to_inhibitory", inhibitory, inhibitory),
            ("to_excitatory", inhibitory, excitatory),
            ("to_oscillator", inhibitory, oscillator),
            ("memory", excitatory, cells),
            ("to_interneurons", cells, interneurons),
            ("from_interneurons", interneurons, cells),
        ):
            changed = "h_z" if to is oscillator else "h"
            links = brian2.Synapses(
                source, to, "w : 1", on_pre=f"{changed}_post += w", namespace=known, name=name
            )
            if name.startswith("static"):
                links.connect(i=0, j=0)
            else:
                links.connect()
            made.append(links)
            if name == "memory":
                links.run_regularly(HEBBIAN, dt=params.rule_ms * ms, name="hebbian")
        return groups + made

    return BrianModel(
        name="clopath-memory",
        definition={
            "sizes": sizes,
            "constants": fixed,
            "equations": [shot.LEAKY, shot.FILTERED, NOISY, HEBBIAN, PULSE],
            "revision": 1,
        },
        construct=construct,
        inputs={},
        dt_ms=params.dt_ms,
        trial_ms=trial_ms(params),
        max_trials=params.n_trials_max,
        reset=RESET,
        record_spikes=POPULATIONS,
        record_traces={"oscillator": ("oscillator", "z", SAMPLE_MS)},
        record_final=("memory.w",),
    )


def per_spike(params: Params) -> float:
    """What one spike adds to h through a slow synapse of weight 1, in 1/s^2 (Eq. 3)."""
    return 1.0 / (params.tau_r * params.tau_d * 1e-6)


def bind(params: Params, network: Network) -> Binding:
    """Septal network, RO-CA1, and the memory `phi_memory` (excitatory neuron, cell) in mV s."""
    arrays = network.arrays
    jump = per_spike(params)
    fast = 1.0 / (params.tau_r * params.tau_d_fast * 1e-6)
    frozen = bind_shot(params, network)
    values = {key: value for key, value in frozen.values.items() if key != "inhibitory.p_lost"}
    values |= {
        "cells.v_start": arrays["cell_start"],
        "cells.onset": arrays["onset"],
        "interneurons.v_start": arrays["interneuron_start"],
        "memory.w": jump * arrays["phi_memory"],
        "to_interneurons.w": fast * arrays["to_interneurons"],
        "from_interneurons.w": jump * arrays["from_interneurons"],
    }
    layers = {
        "memory.w": Layer("excitatory", "cells", jump * arrays["phi_memory"], "feedforward"),
        "to_interneurons.w": Layer(
            "cells", "interneurons", fast * arrays["to_interneurons"], "recurrent"
        ),
        "from_interneurons.w": Layer(
            "interneurons", "cells", jump * arrays["from_interneurons"], "recurrent"
        ),
    }
    return Binding(values=values, layers={**frozen.layers, **layers})
