"""The FORCE networks with learning switched off, as Brian2 compiles them to C++.

One structure serves all experiments with one kind of neuron: wiring, weights and neuron parameters
are exchanged between runs. Equations: `model.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import brian_model as bm
from whyspiking.contract.types import Binding, Layer, Network, Params
from whyspiking.talks.clopath.force import model
from whyspiking.talks.clopath.force.task import SAMPLE_MS

SILENT_BIAS = -1e5
"""Bias in pA that keeps every neuron silent: four times what encoders can bring in."""

# A neuron decides at its last spike whether the next one will be lost (probability `p_lost`).
LOSS = "kept : 1\np_lost : 1 (shared)\n"
DRAW = "; kept = int(rand() >= p_lost)"


def to_brian(params: Params) -> bm.BrianModel:
    """A FORCE network with clock, decoders and feedback (Eqs. 1-8 and 29)."""
    neuron = model.neuron_of(params)
    trial_ms = params.warmup_ms + params.test_ms
    drive_equations = "drive = feedback + clock_current : 1\nfeedback : 1\nclock_current : 1\n"
    # Only one component of the clock is active: once per sample it sets the current anew. The old
    # current is forgotten just before that, or neurons would go a step without any.
    forget_clock = bm.Regularly(
        "clock_forgotten", "clock_current = 0", when="thresholds", period_ms=SAMPLE_MS
    )
    clock_hands = bm.Group(
        "hands",
        params.clock_components_max,
        "value = clock(t, 1) : 1",
        threshold="abs(clock(t, 0) - i) < 0.5",
        reset="",
        period_ms=SAMPLE_MS,
    )
    lossy_spike = "{}_post += w*kept_pre"
    return bm.BrianModel(
        name=f"clopath-{neuron.name}",
        groups=[
            population(
                params, "neurons", params.n_neurons, LOSS + drive_equations, DRAW, [forget_clock]
            ),
            readout("readout", params.n_channels_max),
            clock_hands,
        ],
        synapses=[
            wired("omega", "neurons", "neurons", on_pre=lossy_spike.format("h")),
            wired("phi", "neurons", "readout", on_pre=lossy_spike.format("h_z")),
            wired("replayed", "replay", "readout", on_pre="h_z_post += w"),
            wired("encoders", "readout", "neurons", equations=feeds_back("feedback")),
            wired(
                "clock_encoders", "hands", "neurons",
                on_pre="clock_current_post += w*value_pre", period_ms=SAMPLE_MS,
            ),
        ],
        inputs={"replay": params.n_neurons},
        dt_ms=params.dt_ms,
        trial_ms=trial_ms,
        max_trials=params.n_trials_max,
        constants=fixed(params),
        tables=[
            bm.Table("clock", (round(params.n_trials_max * trial_ms / SAMPLE_MS), 2), SAMPLE_MS)
        ],
        reset={
            "neurons": f"v = v_start; {neuron.restart}current = 0; h = 0; clock_current = 0; "
            "kept = 1",
            "readout": "z = 0; h_z = 0",
        },
        record_spikes=("neurons",),
        record_traces={"output": ("readout", "z", SAMPLE_MS)},
        replay={"neurons": bm.Replay("replay", {"neurons.bias": SILENT_BIAS})},
    )  # fmt: skip


def fixed(params: Params) -> dict[str, float]:
    """Parameters of the neuron that no run exchanges."""
    neuron = model.neuron_of(params)
    return {
        name: getattr(params, name) for name in neuron.constants if name not in neuron.exchanged
    }


def population(
    params: Params,
    name: str,
    size: int,
    extra_equations: str,
    at_spike: str = "",
    regularly: list[bm.Regularly] | None = None,
) -> bm.Group:
    """Neurons of the experiment's kind, from `v_start` on.

    Args:
        params: Parameters of the experiment.
        name: Of the group.
        size: How many.
        extra_equations: Equations beside those of the neuron; must give its `drive`.
        at_spike: What a spike does beside the reset.
        regularly: Statements in every step or period.
    """
    neuron = model.neuron_of(params)
    exchanged = "".join(f"{parameter} : 1 (shared)\n" for parameter in neuron.exchanged)
    return bm.Group(
        name,
        size,
        neuron.equations + exchanged + extra_equations + "v_start : 1\n",
        threshold=neuron.threshold,
        reset=neuron.reset + at_spike,
        method="euler",
        refractory=bm.Quantity(params.tau_ref, "ms") if neuron.refractory else None,
        regularly=regularly or (),
    )


def readout(name: str, size: int, unit: str = "ms", decay: str = "tau_d") -> bm.Group:
    """Outputs z, decoded from filtered spikes (Eqs. 3, 7); `decay` names what stands for tau_d."""
    equations = f"dz/dt = (h_z - z/tau_r)/{unit} : 1\ndh_z/dt = -h_z/{decay}/{unit} : 1"
    return bm.Group(name, size, equations, method="euler")


def wired(name: str, source: str, target: str, **options: Any) -> bm.Synapses:
    """Synapses whose pairs come with every run (`connection`)."""
    return bm.Synapses(name, source, target, connect=bm.WIRED_AT_RUN, **options)


def feeds_back(variable: str) -> str:
    """Equations of synapses by which a readout drives neurons (Eq. 4)."""
    return f"w : 1\n{variable}_post = w*z_pre : 1 (summed)"


def connection(name: str, weights: NDArray, *, present: bool = False) -> dict[str, NDArray]:
    """Values of `wired` synapses, weights (pre, post); with `present` those that are not 0."""
    pre, post = np.nonzero(weights) if present else map(np.ravel, np.indices(weights.shape))
    return {f"{name}.i": pre, f"{name}.j": post, f"{name}.w": weights[pre, post]}


def bind(params: Params, network: Network) -> Binding:
    """Wiring, weights and neuron parameters of a trained network."""
    arrays = network.arrays
    n = arrays["phi"].shape[0]
    jump = 1.0 / (params.tau_r * params.tau_d)
    static, phi = model.static_weights(arrays) * jump, arrays["phi"] * jump
    # Components beyond those of the clock push each trial to its own start.
    pushes = push_encoders(params, n, arrays["push_seed"])
    clock = arrays["clock_encoders"].T
    padding = np.zeros((params.clock_components_max - len(clock) - len(pushes), n))
    values: dict[str, NDArray | float] = {
        f"neurons.{name}": float(getattr(params, name))
        for name in model.neuron_of(params).exchanged
    }
    values |= {"neurons.v_start": arrays["v_start"], "neurons.p_lost": 0.0}
    values |= connection("omega", static, present=True)
    values |= connection("phi", phi) | connection("replayed", phi)
    values |= connection("encoders", arrays["encoders"].T)
    values |= connection("clock_encoders", np.concatenate([clock, padding, pushes]))
    layers = {
        "omega.w": Layer("neurons", "neurons", static, "recurrent"),
        "phi.w": Layer("neurons", "readout", phi, "readout"),
    }
    return Binding(values, layers)


def push_encoders(params: Params, n_neurons: int, seed: NDArray) -> NDArray[np.float64]:
    """Currents in pA of the pushes at the start of trials, (push, neuron)."""
    rng = np.random.default_rng(int(seed))
    return params.push_current * rng.uniform(-1, 1, (params.n_pushes, n_neurons))
