"""Sharp waves that start by themselves (NC19 Fig. 2): the septal network with initiators.

Excitatory neurons come with the initiators first. These excite each other, all other excitatory
neurons and all inhibitory ones by fast synapses; excitatory neurons adapt; every neuron has noise
(Eqs. 34-36 of this talk's README). There is no septum and no input at all.
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
from whyspiking.talks.clopath.memory import NOISY
from whyspiking.talks.clopath.shot import SAMPLE_MS

# Eqs. 34-35; `drive` is what NOISY expects beside synapses of Eq. 3 and the bias.
FAST = """
dfast/dt = (h_fast - fast/tau_r)/second : 1
dh_fast/dt = -h_fast/tau_d_fast/second : 1
v_start : 1
"""
ADAPTING = "drive = fast - u : 1\ndu/dt = -u/tau_u/second : 1\njump_u : 1 (shared)\nplace : 1\n"
AT_REST = "v = v_start; current = 0; h = 0; fast = 0; h_fast = 0; lastspike = -10000*second"
RESET = {
    "inhibitory": AT_REST,
    "excitatory": f"{AT_REST}; u = 0",
    "oscillator": "z = 0; h_z = 0",
}


def wire(params: Params, septal: Mapping[str, NDArray], streams: Streams) -> dict[str, NDArray]:
    """Add the initiators to a trained septal network, in front of its excitatory neurons.

    In FIGURE_2.m they are the first `n_initiators` of 2000 excitatory neurons in the order of the
    internal cycle: neighbours in the sequence. They are drawn here as the first of `n_sequence`.

    Args:
        params: Needs n_inhibitory, in_degree, n_initiators, n_sequence, v_reset, v_th.
        septal: `sources`, `oscillator`, `phases`, `v_start`, `phi` of the trained network.
        streams: The stream "initiators" is used.

    Returns:
        The same arrays for one network with the initiators, shapes as in `shot.wire`.
    """
    rng = streams.rng("initiators")
    n, start = params.n_initiators, params.n_inhibitory
    heard = rng.integers(septal["phases"].size, size=params.n_sequence)
    rank = np.argsort(places(septal["phases"], heard), kind="stable")
    partners = np.argsort(rng.random((n, start)), axis=1)[:, : params.in_degree]
    voltages = params.v_reset + (params.v_th - params.v_reset) * rng.random(n)
    added = {
        "sources": np.sort(partners, axis=1).astype(np.int32),
        "oscillator": heard[rank[:n]].astype(np.int32),
        "v_start": voltages,
    }
    joined = {
        name: np.concatenate([septal[name][:start], new, septal[name][start:]])
        for name, new in added.items()
    }
    return joined | {"phases": septal["phases"], "phi": septal["phi"]}


def places(phases: NDArray, heard: NDArray) -> NDArray[np.float64]:
    """Place of neurons in the internal cycle, from 0 to 1: where what they hear peaks (Eq. 18).

    Args:
        phases: Of the oscillators, in rad.
        heard: Oscillator of each neuron.
    """
    return np.mod(-phases[heard] / (2 * np.pi), 1.0)


def to_brian(params: Params) -> BrianModel:
    """Septal network without a septum, with initiators, adaptation and noise (Eqs. 34-36)."""
    names = (
        "tau_m", "tau_r", "tau_d", "tau_d_fast", "tau_u", "v_th", "v_reset", "tau_ref",
        "bias_inhibitory", "bias_excitatory",
    )  # fmt: skip
    fixed = {name: getattr(params, name) for name in names}

    def construct(inputs: Mapping[str, Any]) -> Sequence[Any]:
        import brian2

        known = shot.constants(params) | {
            name: getattr(params, name) / 1000.0 for name in ("tau_d_fast", "tau_u")
        }

        def population(name: str, n: int, further: str, reset: str) -> Any:
            return brian2.NeuronGroup(
                n,
                NOISY + FAST + "noise : 1 (shared)\n" + further,
                threshold="v >= v_th",
                reset="v = v_reset" + reset,
                refractory=params.tau_ref * brian2.ms,
                method="euler",
                namespace=known | {"bias": getattr(params, f"bias_{name}")},
                name=name,
            )

        inhibitory = population("inhibitory", params.n_inhibitory, "drive = fast : 1\n", "")
        excitatory = population("excitatory", params.n_excitatory, ADAPTING, "; u += jump_u")
        oscillator = rhythm(known)
        made = [inhibitory, excitatory, oscillator]
        for name, source, to, changed in (
            ("static_inhibitory", inhibitory, inhibitory, "h"),
            ("static_excitatory", inhibitory, excitatory, "h"),
            ("to_inhibitory", inhibitory, inhibitory, "h"),
            ("to_excitatory", inhibitory, excitatory, "h"),
            ("to_oscillator", inhibitory, oscillator, "h_z"),
            ("recruiting", excitatory, inhibitory, "h_fast"),
            ("recurrent", excitatory, excitatory, "h_fast"),
        ):
            links = brian2.Synapses(
                source, to, "w : 1", on_pre=f"{changed}_post += w", namespace=known, name=name
            )
            if name.startswith("to_"):
                links.connect()
            else:
                links.connect(i=0, j=0)
            made.append(links)
        return made

    return BrianModel(
        name="clopath-initiators",
        definition={
            "sizes": [params.n_inhibitory, params.n_excitatory],
            "constants": fixed,
            "equations": [NOISY, FAST, ADAPTING],
            "revision": 1,
        },
        construct=construct,
        inputs={},
        dt_ms=params.dt_ms,
        trial_ms=params.quiet_ms,
        max_trials=params.n_trials_max,
        reset=RESET,
        record_spikes=("inhibitory", "excitatory"),
        record_traces={"oscillator": ("oscillator", "z", SAMPLE_MS)},
        record_final=("excitatory.place",),
    )


def bind(params: Params, network: Network) -> Binding:
    """Trained inhibition, and the synapses of the initiators (Eq. 36)."""
    frozen = bind_shot(params, network)
    values = {key: value for key, value in frozen.values.items() if key != "inhibitory.p_lost"}
    values |= {
        "inhibitory.noise": params.noise,
        "excitatory.noise": params.noise,
        "excitatory.jump_u": params.jump_u,
        "excitatory.place": places(
            network.arrays["phases"], network.arrays["oscillator"][params.n_inhibitory :]
        ),
    }
    n, layers = params.n_initiators, dict(frozen.layers)
    per_spike = 1.0 / (params.tau_r * params.tau_d_fast * 1e-6) / n
    total = params.n_excitatory
    among = np.full(total, params.to_excitatory)
    among[:n] = params.among_initiators
    for name, post, weights in (
        ("recurrent", "excitatory", among),
        ("recruiting", "inhibitory", np.full(params.n_inhibitory, params.to_inhibitory)),
    ):
        pre, to = np.indices((n, weights.size))
        values |= {
            f"{name}.i": pre.ravel(),
            f"{name}.j": to.ravel(),
            f"{name}.w": per_spike * weights[to.ravel()],
        }
        dense = np.zeros((total, weights.size))
        dense[:n] = per_spike * weights
        kind = "recurrent" if post == "excitatory" else "feedforward"
        layers[f"{name}.w"] = Layer("excitatory", post, dense, kind)
    return Binding(values=values, layers=layers)
