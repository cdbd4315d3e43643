"""The trained networks with learning switched off, as Brian2 compiles them to C++.

One structure serves all Izhikevich experiments, one the septal network: wiring, weights and neuron
parameters are exchanged between runs. Equations: `model.py` and `shot.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.brian_model import BrianModel, Replay
from whyspiking.contract.types import Binding, Layer, Network, Params
from whyspiking.talks.clopath import model, shot
from whyspiking.talks.clopath.task import SAMPLE_MS

EXCHANGED = model.NEURON.exchanged
"""Neuron parameters that differ between experiments or silence the network."""
SILENT_BIAS = -1e5
"""Bias in pA that keeps every neuron silent: four times what encoders can bring in."""

# A neuron decides at its last spike whether the next one will be lost (probability `p_lost`).
LOSS = """
kept : 1
p_lost : 1 (shared)
"""
DRAW = "kept = int(rand() >= p_lost)"

FORCE_RESET = {
    "neurons": "v = v_start; {restart}current = 0; h = 0; clock_current = 0; kept = 1",
    "readout": "z = 0; h_z = 0",
}
SHOT_RESET = {
    "inhibitory": "v = v_start; current = 0; h = 0; kept = 1; lastspike = -10000*second",
    "excitatory": "v = v_start; current = 0; h = 0; lastspike = -10000*second",
    "oscillator": "z = 0; h_z = 0",
}


def izhikevich_model(params: Params) -> BrianModel:
    """Structure of a FORCE network with clock, decoders and feedback (Eqs. 1-8 and 29)."""
    neuron = model.neuron_of(params)
    trial_ms = params.warmup_ms + params.test_ms
    sizes = {
        "n_neurons": params.n_neurons,
        "n_channels_max": params.n_channels_max,
        "clock_components_max": params.clock_components_max,
    }
    exchanged = neuron.exchanged
    fixed = {name: getattr(params, name) for name in neuron.constants if name not in exchanged}

    def construct(inputs: Mapping[str, Any]) -> Sequence[Any]:
        import brian2

        ms = brian2.ms
        rows = round(params.n_trials_max * trial_ms / SAMPLE_MS)
        clock = brian2.TimedArray(np.zeros((rows, 2)), dt=SAMPLE_MS * ms, name="clock")
        names = {key: value for key, value in model.constants(params).items() if key in fixed}
        names |= {"ms": ms, "clock": clock}
        neurons = brian2.NeuronGroup(
            params.n_neurons,
            neuron.equations
            + LOSS
            + "".join(f"{name} : 1 (shared)\n" for name in exchanged)
            + "drive = feedback + clock_current : 1\n"
            + "feedback : 1\nclock_current : 1\nv_start : 1\n",
            threshold=neuron.threshold,
            reset=f"{neuron.reset}; {DRAW}",
            refractory=neuron.rest(params),
            method="euler",
            namespace=names,
            name="neurons",
        )
        readout = brian2.NeuronGroup(
            params.n_channels_max,
            "dz/dt = (h_z - z/tau_r)/ms : 1\ndh_z/dt = -h_z/tau_d/ms : 1",
            method="euler",
            namespace=names,
            name="readout",
        )
        # Only one component of the clock is active: once per sample it sets the current anew. The
        # old current is forgotten just before that, or neurons would go a step without any.
        neurons.run_regularly(
            "clock_current = 0", dt=SAMPLE_MS * ms, when="thresholds", name="clock_forgotten"
        )
        hands = brian2.NeuronGroup(
            params.clock_components_max,
            "value = clock(t, 1) : 1",
            threshold="abs(clock(t, 0) - i) < 0.5",
            reset="",
            dt=SAMPLE_MS * ms,
            namespace=names,
            name="hands",
        )

        def synapses(source: Any, to: Any, equations: str, name: str, **further: Any) -> Any:
            made = brian2.Synapses(source, to, equations, namespace=names, name=name, **further)
            made.connect(i=0, j=0)
            return made

        weight = "w : 1"
        return [
            neurons,
            readout,
            hands,
            synapses(neurons, neurons, weight, "omega", on_pre="h_post += w*kept_pre"),
            synapses(neurons, readout, weight, "phi", on_pre="h_z_post += w*kept_pre"),
            synapses(inputs["replay"], readout, weight, "replayed", on_pre="h_z_post += w"),
            synapses(
                readout, neurons, weight + "\nfeedback_post = w*z_pre : 1 (summed)", "encoders"
            ),
            synapses(
                hands,
                neurons,
                weight,
                "clock_encoders",
                on_pre="clock_current_post += w*value_pre",
                dt=SAMPLE_MS * ms,
            ),
        ]

    return BrianModel(
        name=f"clopath-{neuron.name}",
        definition={
            "sizes": sizes,
            "constants": fixed,
            "equations": [neuron.equations, LOSS, DRAW, neuron.reset, list(exchanged)],
            "revision": 5,
        },
        construct=construct,
        inputs={"replay": params.n_neurons},
        dt_ms=params.dt_ms,
        trial_ms=trial_ms,
        max_trials=params.n_trials_max,
        reset={name: text.format(restart=neuron.restart) for name, text in FORCE_RESET.items()},
        record_spikes=("neurons",),
        record_traces={"output": ("readout", "z", SAMPLE_MS)},
        replay={"neurons": Replay("replay", {"neurons.bias": SILENT_BIAS})},
    )


def bind_izhikevich(params: Params, network: Network) -> Binding:
    """Wiring, weights and neuron parameters of a trained Izhikevich network."""
    arrays = network.arrays
    n = arrays["phi"].shape[0]
    n_components = arrays["clock_encoders"].shape[1]
    jump = 1.0 / (params.tau_r * params.tau_d)
    static = np.zeros((n, n))
    static[arrays["omega_pre"], arrays["omega_post"]] = arrays["omega_w"]
    values: dict[str, NDArray | float] = {
        f"neurons.{name}": float(getattr(params, name))
        for name in model.neuron_of(params).exchanged
    }
    values |= {"neurons.v_start": arrays["v_start"], "neurons.p_lost": 0.0}
    values |= {
        "omega.i": arrays["omega_pre"],
        "omega.j": arrays["omega_post"],
        "omega.w": arrays["omega_w"] * jump,
    }
    values |= _all_to_all("phi", arrays["phi"] * jump)
    values |= _all_to_all("replayed", arrays["phi"] * jump)
    values |= _all_to_all("encoders", arrays["encoders"].T)
    # Components beyond those of the clock push each trial to its own start.
    pushes = push_encoders(params, n, arrays["push_seed"])
    padding = np.zeros((params.clock_components_max - n_components - len(pushes), n))
    values |= _all_to_all(
        "clock_encoders", np.concatenate([arrays["clock_encoders"].T, padding, pushes])
    )
    return Binding(
        values=values,
        layers={
            "omega.w": Layer("neurons", "neurons", static * jump, "recurrent"),
            "phi.w": Layer("neurons", "readout", arrays["phi"] * jump, "readout"),
        },
    )


def push_encoders(params: Params, n_neurons: int, seed: NDArray) -> NDArray[np.float64]:
    """Currents in pA of the pushes at the start of trials, (push, neuron)."""
    rng = np.random.default_rng(int(seed))
    return params.push_current * rng.uniform(-1, 1, (params.n_pushes, n_neurons))


def _all_to_all(name: str, weights: NDArray) -> dict[str, NDArray]:
    """Values of a full connection, weights (pre, post)."""
    pre, post = np.indices(weights.shape)
    return {f"{name}.i": pre.ravel(), f"{name}.j": post.ravel(), f"{name}.w": weights.ravel()}


def shot_model(params: Params) -> BrianModel:
    """Structure of the septal network: inhibition, excitation, decoded oscillator (Eqs. 15-20)."""
    trial_ms = shot.trial_ms(params)
    names = ("tau_m", "tau_r", "tau_d", "v_th", "v_reset", "tau_ref", "septal_weight")
    biases = ("bias_inhibitory", "bias_excitatory", "bias_released")
    fixed = {name: getattr(params, name) for name in names + biases}

    def construct(inputs: Mapping[str, Any]) -> Sequence[Any]:
        import brian2

        ms = brian2.ms
        rows = round(params.n_trials_max * trial_ms / SAMPLE_MS)
        septum = brian2.TimedArray(np.zeros((rows, 2)), dt=SAMPLE_MS * ms, name="septum")
        known = shot.constants(params) | {"septum": septum}

        def population(name: str, n: int, drive: str, further: str, **numbers: float) -> Any:
            return brian2.NeuronGroup(
                n,
                shot.LEAKY + f"drive = {drive} : 1\nv_start : 1\n" + further,
                threshold="v >= v_th",
                reset="v = v_reset" + (f"; {DRAW}" if further else ""),
                refractory=params.tau_ref * ms,
                method="euler",
                namespace=known | numbers,
                name=name,
            )

        inhibitory = population(
            "inhibitory",
            params.n_inhibitory,
            "septal_weight*septum(t, 0)",
            LOSS,
            bias=params.bias_inhibitory,
            septal_weight=params.septal_weight,
        )
        excitatory = population(
            "excitatory",
            params.n_excitatory,
            "released*septum(t, 1)",
            "",
            bias=params.bias_excitatory,
            released=params.bias_released,
        )
        oscillator = rhythm(known)
        made = [inhibitory, excitatory, oscillator]
        for name, to, changed in (
            ("static_inhibitory", inhibitory, "h"),
            ("static_excitatory", excitatory, "h"),
            ("to_inhibitory", inhibitory, "h"),
            ("to_excitatory", excitatory, "h"),
            ("to_oscillator", oscillator, "h_z"),
        ):
            links = brian2.Synapses(
                inhibitory,
                to,
                "w : 1",
                on_pre=f"{changed}_post += w*kept_pre",
                namespace=known,
                name=name,
            )
            if name.startswith("static"):
                links.connect(i=0, j=0)
            else:
                links.connect()
            made.append(links)
        return made

    return BrianModel(
        name="clopath-shot",
        definition={
            "sizes": [params.n_inhibitory, params.n_excitatory],
            "constants": fixed,
            "equations": [shot.LEAKY, LOSS, DRAW],
            "revision": 2,
        },
        construct=construct,
        inputs={},
        dt_ms=params.dt_ms,
        trial_ms=trial_ms,
        max_trials=params.n_trials_max,
        reset=SHOT_RESET,
        record_spikes=("inhibitory", "excitatory"),
        record_traces={"oscillator": ("oscillator", "z", SAMPLE_MS)},
    )


def rhythm(constants: Mapping[str, Any]) -> Any:
    """What reads the network's own rhythm: cosine and sine, filtered as spikes are (Eqs. 3, 20).

    Args:
        constants: `tau_r` and `tau_d` in s, as `shot.constants` gives them.
    """
    import brian2

    return brian2.NeuronGroup(
        2,
        "dz/dt = (h_z - z/tau_r)/second : 1\ndh_z/dt = -h_z/tau_d/second : 1",
        method="euler",
        namespace=constants,
        name="oscillator",
    )


def bind_shot(params: Params, network: Network) -> Binding:
    """Static and learned inhibition of a trained septal network."""
    arrays, n = network.arrays, params.n_inhibitory
    jump = 1.0 / (params.tau_r * params.tau_d * 1e-6)
    learned = jump * shot.learned_weights(params, arrays, arrays["phi"])
    static = jump * shot.static_weight(params)
    values: dict[str, NDArray | float] = {
        "inhibitory.v_start": arrays["v_start"][:n],
        "excitatory.v_start": arrays["v_start"][n:],
        "inhibitory.p_lost": 0.0,
        "to_oscillator.w": jump * shot.reading(arrays["phases"], arrays["phi"]),
    }
    layers = {}
    for post, chosen in (("inhibitory", slice(0, n)), ("excitatory", slice(n, None))):
        kind = "recurrent" if post == "inhibitory" else "feedforward"
        present = shot.static_links(params, arrays)[:, chosen]
        pre_index, post_index = np.nonzero(present)
        values |= {
            f"static_{post}.i": pre_index,
            f"static_{post}.j": post_index,
            f"static_{post}.w": np.full(pre_index.size, static),
            f"to_{post}.w": learned[:, chosen],
        }
        layers[f"static_{post}.w"] = Layer("inhibitory", post, static * present, kind)
        layers[f"to_{post}.w"] = Layer("inhibitory", post, learned[:, chosen], kind)
    return Binding(values=values, layers=layers)
