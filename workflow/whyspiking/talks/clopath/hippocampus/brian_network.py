"""The septal network with learning switched off, as Brian2 compiles it to C++.

Experiment theta_replay runs it as it is; one-shot memory, reversion and sharp waves are built of
the same populations and synapses. Equations: `model.py`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import brian_model as bm
from whyspiking.contract.types import Binding, Layer, Network, Params
from whyspiking.talks.clopath.force.brian_network import DRAW, LOSS, readout
from whyspiking.talks.clopath.force.task import SAMPLE_MS
from whyspiking.talks.clopath.hippocampus import model, task

SILENCED_BY_SEPTUM = "drive = septal_weight*septum(t, 0) : 1\n"
RELEASED = "drive = released*septum(t, 1) : 1\n"
OSCILLATOR_REST = "z = 0; h_z = 0"
TRACES = {"oscillator": ("oscillator", "z", SAMPLE_MS)}


def to_brian(params: Params) -> bm.BrianModel:
    """Inhibition, excitation, decoded oscillator (Eqs. 15-20)."""
    trial_ms = task.trial_ms(params)
    return bm.BrianModel(
        name="clopath-shot",
        groups=[
            inhibitory(params, LOSS, DRAW),
            excitatory(params),
            readout("oscillator", 2, "second"),
        ],
        synapses=inhibition("w*kept_pre"),
        inputs={},
        dt_ms=params.dt_ms,
        trial_ms=trial_ms,
        max_trials=params.n_trials_max,
        constants=model.constants(params),
        tables=[septum_table(params, trial_ms, 2)],
        reset={
            "inhibitory": f"{model.REST}; kept = 1",
            "excitatory": model.REST,
            "oscillator": OSCILLATOR_REST,
        },
        record_spikes=("inhibitory", "excitatory"),
        record_traces=TRACES,
    )


def septum_table(params: Params, trial_ms: float, n_columns: int) -> bm.Table:
    """The input `septum`: its inhibition, the release, and what an experiment adds."""
    rows = round(params.n_trials_max * trial_ms / SAMPLE_MS)
    return bm.Table("septum", (rows, n_columns), SAMPLE_MS)


def population(
    params: Params,
    name: str,
    equations: str,
    at_spike: str = "",
    size: int | None = None,
    **constants: float,
) -> bm.Group:
    """Leaky neurons, from `v_start` on.

    Args:
        params: Parameters of the experiment.
        name: Of the group.
        equations: Of the membrane, with its `drive`.
        at_spike: What a spike does beside the reset.
        size: How many; by default the parameter `n_<name>`.
        **constants: Names in these equations alone.
    """
    return bm.Group(
        name,
        getattr(params, f"n_{name}") if size is None else size,
        equations + "v_start : 1\n",
        threshold=model.THRESHOLD,
        reset=model.RESET + at_spike,
        method="euler",
        refractory=bm.Quantity(params.tau_ref, "ms"),
        constants=constants,
    )


def inhibitory(params: Params, extra_equations: str = "", at_spike: str = "") -> bm.Group:
    """Inhibitory neurons under the septum (Eq. 15)."""
    return population(
        params, "inhibitory", model.LEAKY + SILENCED_BY_SEPTUM + extra_equations, at_spike,
        bias=params.bias_inhibitory, septal_weight=params.septal_weight,
    )  # fmt: skip


def excitatory(params: Params, extra_equations: str = "", at_spike: str = "") -> bm.Group:
    """Excitatory neurons, released while the septum is silent (Eq. 15)."""
    return population(
        params, "excitatory", model.LEAKY + extra_equations + RELEASED, at_spike,
        bias=params.bias_excitatory, released=params.bias_released,
    )  # fmt: skip


def inhibition(weight: str = "w") -> list[bm.Synapses]:
    """All synapses of inhibitory neurons: static, learned, and those that read the rhythm.

    Args:
        weight: What a spike adds.
    """
    return [
        bm.Synapses(
            name, "inhibitory", target, on_pre=f"{variable}_post += {weight}", connect=connection
        )
        for name, target, variable, connection in (
            ("static_inhibitory", "inhibitory", "h", bm.WIRED_AT_RUN),
            ("static_excitatory", "excitatory", "h", bm.WIRED_AT_RUN),
            ("to_inhibitory", "inhibitory", "h", bm.EACH_TO_EACH),
            ("to_excitatory", "excitatory", "h", bm.EACH_TO_EACH),
            ("to_oscillator", "oscillator", "h_z", bm.EACH_TO_EACH),
        )
    ]


def bind(params: Params, network: Network) -> Binding:
    """Static and learned inhibition of a trained septal network, no spike of which is lost."""
    inhibition_binding = bind_inhibition(params, network)
    return Binding(
        {**inhibition_binding.values, "inhibitory.p_lost": 0.0}, inhibition_binding.layers
    )


def bind_inhibition(params: Params, network: Network) -> Binding:
    """Start, static and learned inhibition of a trained septal network."""
    arrays, n = network.arrays, params.n_inhibitory
    jump = model.per_spike(params)
    w_learned = jump * model.learned_weights(params, arrays, arrays["phi"])
    w_static = jump * model.static_weight(params)
    values: dict[str, NDArray | float] = {
        "inhibitory.v_start": arrays["v_start"][:n],
        "excitatory.v_start": arrays["v_start"][n:],
        "to_oscillator.w": jump * model.reading(arrays["phases"], arrays["phi"]),
    }
    layers = {}
    for post, targets in (("inhibitory", slice(0, n)), ("excitatory", slice(n, None))):
        kind = "recurrent" if post == "inhibitory" else "feedforward"
        present = model.static_links(params, arrays)[:, targets]
        pre_index, post_index = np.nonzero(present)
        values |= {
            f"static_{post}.i": pre_index,
            f"static_{post}.j": post_index,
            f"static_{post}.w": np.full(pre_index.size, w_static),
            f"to_{post}.w": w_learned[:, targets],
        }
        layers[f"static_{post}.w"] = Layer("inhibitory", post, w_static * present, kind)
        layers[f"to_{post}.w"] = Layer("inhibitory", post, w_learned[:, targets], kind)
    return Binding(values, layers)
