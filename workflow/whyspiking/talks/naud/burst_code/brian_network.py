"""Two-compartment pyramidal neurons, interneurons and short-term plastic synapses, in Brian2.

One structure serves the experiments `neuron` and `multiplexing`: currents, noise and wiring are
exchanged between runs. Equation numbers are those of this talk's README.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.brian_model import BrianModel
from whyspiking.contract.types import Params
from whyspiking.talks.naud import vector_functions

# Eqs. 20-25. Dendritic synapses feel the somatic potential, as in the published code.
PYRAMIDAL = """
dv_s/dt = ((e_leak - v_s) + g_es*(e_exc - v_s) + g_is*(e_inh - v_s))/tau_s
    + (i_s - b_w*w_s + i_plateau_s*plateau)/c_s : volt
dv_d/dt = ((e_leak - v_d) + g_ed*(e_exc - v_s) + g_id*(e_inh - v_s))/tau_d
    + (i_d + a_w*w_d + i_plateau_d*plateau + i_back*int(t - spiked <= t_back))/c_d : volt
plateau = 1/(1 + exponential(-(v_d - v_plateau)/d_plateau)) : 1
dw_s/dt = -w_s/tau_ws : 1
dw_d/dt = (v_d - e_leak - w_d)/tau_wd : volt
dtheta/dt = (th_rest - theta)/tau_th : volt
dg_es/dt = -g_es/tau_ampa : 1
dg_is/dt = -g_is/tau_gaba : 1
dg_ed/dt = -g_ed/tau_ampa : 1
dg_id/dt = -g_id/tau_gaba : 1
spiked : second
key : 1
"""
FIRE = "v_s > theta"
# Eq. 25.
RESET = "v_s = e_leak; w_s += 1; theta += th_jump"
# Eqs. 20 and 21: what drives a neuron; two waves, shared by all neurons, scaled for each.
CURRENTS = """
i_s = base_s + swing_s*waves(t, 0) : amp
i_d = base_d + swing_d*waves(t, 1) : amp
base_s : amp
swing_s : amp
base_d : amp
swing_d : amp
"""
# Eqs. 27-28, from spike to spike; `out_*` is what this spike transmits.
SHORT_TERM = """
x_{kind} = 1 + (x_{kind} - 1)*exp(-(t - spiked)/tau_rec_{kind})
u_{kind} = u0_{kind} + (u_{kind} - u0_{kind})*exp(-(t - spiked)/tau_fac_{kind})
out_{kind} = u_{kind}*x_{kind}
x_{kind} -= out_{kind}
u_{kind} += f_stp*(1 - u_{kind})
"""
KINDS = ("dep", "fac")
# Eq. 26.
INTERNEURON = """
dv/dt = ((e_leak - v) + slope*exponential((v - v_t)/slope)
    + g_e*(e_exc - v) + g_i*(e_inh - v))/tau_m + (i_const - adapt)/c_m : volt (unless refractory)
dadapt/dt = (a_sub*(v - e_leak) - adapt)/tau_w : amp
dg_e/dt = -g_e/tau_ampa : 1
dg_i/dt = -g_i/tau_gaba : 1
"""
INTERNEURON_RESET = "v = v_r; adapt += b_spike"
INTERNEURON_UNITS = {
    "slope": "volt",
    "v_t": "volt",
    "v_r": "volt",
    "tau_m": "second",
    "c_m": "farad",
    "i_const": "amp",
    "a_sub": "siemens",
    "b_spike": "amp",
    "tau_w": "second",
    "t_ref": "second",
}
# Eq. 29: what a downstream neuron hears through either kind of synapse.
READOUT = """
dg_dep/dt = -g_dep/tau_ampa : 1
dg_fac/dt = -g_fac/tau_ampa : 1
"""

# Eq. 30: one uniform number serves all trains of a neuron; what is left of it is uniform again.
NOISE_START = "u = uniform(key, timestep(t, dt))"
NOISE_TRAIN = """
hit = int(u < q_noise)
{conductance} += hit*{weight}
u = hit*u/q_noise + (1 - hit)*(u - q_noise)/(1 - q_noise)
"""

PROJECTIONS = {
    "relay": ("pyramidal", "pyramidal", "g_es", "out_dep"),
    "to_pv": ("pyramidal", "interneurons", "g_e", "out_dep"),
    "topdown": ("pyramidal", "pyramidal", "g_ed", "out_fac"),
    "to_som": ("pyramidal", "interneurons", "g_e", "out_fac"),
    "lateral": ("pyramidal", "pyramidal", "g_id", "out_fac"),
    "from_pv": ("interneurons", "pyramidal", "g_is", ""),
    "from_som": ("interneurons", "pyramidal", "g_id", ""),
}
"""Synapses -> pre, post, conductance they open, and what scales them (short-term plasticity)."""

SECONDS = ("tau_s", "tau_d", "tau_ws", "tau_wd", "tau_th", "tau_ampa", "tau_gaba")
VOLTS = ("e_leak", "e_exc", "e_inh", "th_rest", "th_jump", "v_plateau", "d_plateau")
AMPERES = ("b_w", "i_plateau_s", "i_plateau_d", "i_back")
SAMPLE_MS = 1.0
"""Sampling of the waves and of the readout."""


def constants(params: Params) -> dict[str, Any]:
    """Values of the names in the equations, with units."""
    import brian2

    names = {name: getattr(params, name) * brian2.ms for name in SECONDS}
    names |= {name: getattr(params, name) * brian2.volt for name in VOLTS}
    names |= {name: getattr(params, name) * brian2.amp for name in AMPERES}
    names |= {name: getattr(params, name) * brian2.farad for name in ("c_s", "c_d")}
    for kind in KINDS:
        names |= {
            f"tau_rec_{kind}": getattr(params, f"tau_rec_{kind}") * brian2.ms,
            f"tau_fac_{kind}": getattr(params, f"tau_fac_{kind}") * brian2.ms,
            f"u0_{kind}": getattr(params, f"u0_{kind}"),
        }
    return (
        names
        | vector_functions.names()
        | {
            "a_w": params.a_w * brian2.siemens,
            "t_back": back_ms(params) * brian2.ms,
            "f_stp": params.f_stp,
            "q_noise": hit_probability(params),
        }
    )


def back_ms(params: Params) -> float:
    """Length of the back-propagating pulse; half a step more settles its last step."""
    return params.pulse_ms + params.dt_ms / 2


def hit_probability(params: Params) -> float:
    """Chance of a noise spike per step, which with weights (1 + l) keeps mean and variance."""
    mean = mean_hits(params)
    return mean / (1.0 + mean)


def mean_hits(params: Params) -> float:
    """Expected spikes l per step of one Poisson train."""
    return params.noise_hz * params.dt_ms * 1e-3


def neurons(params: Params, n: int, further: str, namespace: Mapping[str, Any], name: str) -> Any:
    """Pyramidal neurons with short-term plasticity of their axons (Eqs. 20-25, 27-28).

    Args:
        params: Needs dt_ms only beyond `constants`.
        n: Number of neurons.
        further: Equations of the currents.
        namespace: Further names in them.
        name: Name of the group.
    """
    import brian2

    states = "".join(f"x_{kind} : 1\nu_{kind} : 1\nout_{kind} : 1\n" for kind in KINDS)
    transmitted = "".join(SHORT_TERM.format(kind=kind) for kind in KINDS)
    return brian2.NeuronGroup(
        n,
        PYRAMIDAL + further + states,
        threshold=FIRE,
        reset=f"{RESET}\n{transmitted}\nspiked = t",
        method="euler",
        namespace=constants(params) | dict(namespace),
        name=name,
    )


def at_rest(params: Params) -> str:
    """Statements that bring pyramidal neurons to rest."""
    rested = "; ".join(f"x_{k} = 1; u_{k} = {getattr(params, f'u0_{k}')!r}" for k in KINDS)
    return (
        f"v_s = {params.e_leak!r}*volt; v_d = {params.e_leak!r}*volt; w_s = 0; w_d = 0*volt; "
        f"theta = {params.th_rest!r}*volt; g_es = 0; g_is = 0; g_ed = 0; g_id = 0; "
        f"spiked = t - 100*second; key = rand(); {rested}"
    )


def interneuron_values(params: Params) -> dict[str, NDArray]:
    """Parameters of all interneurons in base units, PV first (Eq. 26), (neuron,)."""
    found: list[dict[str, float]] = []
    for kind in (params.pv, params.som):
        g_leak, a_sub = kind["g_leak"], kind["a_sub"]
        slope, tau_m = kind["slope"], kind["tau_m_ms"] * 1e-3
        # The published rheobase fixes V_T (Eq. 26).
        v_t = (
            kind["rheobase"] / (g_leak + a_sub)
            + params.e_leak
            + slope
            - slope * np.log(1.0 + a_sub / g_leak)
        )
        found.append(
            {
                **{name: kind[name] for name in ("slope", "i_const", "a_sub", "b_spike")},
                **{"v_t": v_t, "v_r": kind["v_reset"], "tau_m": tau_m, "c_m": g_leak * tau_m},
                **{name: kind[f"{name}_ms"] * 1e-3 for name in ("tau_w", "t_ref")},
            }
        )
    columns = {name: [kind[name] for kind in found] for name in INTERNEURON_UNITS}
    return {name: np.repeat(values, params.n_interneurons) for name, values in columns.items()}


def noise_statements(trains: Sequence[tuple[str, str]]) -> str:
    """Code of one step of noise for several trains (Eq. 30): (conductance, weight) of each."""
    return NOISE_START + "".join(
        NOISE_TRAIN.format(conductance=conductance, weight=weight) for conductance, weight in trains
    )


PYRAMIDAL_NOISE = (
    ("g_es", "noise_s"),
    ("g_is", "noise_s"),
    ("g_ed", "noise_d"),
    ("g_id", "noise_d"),
)
INTERNEURON_NOISE = (("g_e", "noise_e"), ("g_i", "noise_i"))


def brian_model(params: Params) -> BrianModel:
    """The structure: two ensembles, PV and SOM interneurons, and a pair of read-outs."""
    n, m = params.n_pyramidal, params.n_interneurons
    rows = round(params.n_trials_max * params.trial_ms / SAMPLE_MS)
    names = (*SECONDS, *VOLTS, *AMPERES, "c_s", "c_d", "a_w", "f_stp", "noise_hz", "pulse_ms")
    names += tuple(f"{base}_{k}" for k in KINDS for base in ("tau_rec", "tau_fac", "u0"))

    def construct(inputs: Mapping[str, Any]) -> Sequence[Any]:
        import brian2

        waves = brian2.TimedArray(np.zeros((rows, 2)), dt=SAMPLE_MS * brian2.ms, name="waves")
        known = constants(params) | {"waves": waves}
        noise = "noise_s : 1 (shared)\nnoise_d : 1 (shared)\n"
        pyramidal = neurons(params, 2 * n, CURRENTS + noise, {"waves": waves}, "pyramidal")
        # Brian2's own annotation knows numbers only, but a name of a variable is allowed.
        dead_time: Any = "t_ref"
        own = "".join(f"{key} : {unit} (constant)\n" for key, unit in INTERNEURON_UNITS.items())
        interneurons = brian2.NeuronGroup(
            2 * m,
            INTERNEURON + own + "noise_e : 1 (constant)\nnoise_i : 1 (constant)\nkey : 1\n",
            threshold="v > 0*volt",
            reset=INTERNEURON_RESET,
            refractory=dead_time,
            method="euler",
            namespace=known,
            name="interneurons",
        )
        readout = brian2.NeuronGroup(2, READOUT, method="exact", namespace=known, name="readout")
        for group, trains in ((pyramidal, PYRAMIDAL_NOISE), (interneurons, INTERNEURON_NOISE)):
            group.run_regularly(noise_statements(trains), when="start", name=f"{group.name}_noise")
        groups = {"pyramidal": pyramidal, "interneurons": interneurons}
        made = [*groups.values(), readout]
        for name, (pre, post, conductance, scale) in PROJECTIONS.items():
            factor = f"*{scale}_pre" if scale else ""
            synapses = brian2.Synapses(
                groups[pre],
                groups[post],
                "w : 1 (shared)",
                on_pre=f"{conductance}_post += w{factor}",
                name=name,
            )
            synapses.connect(i=0, j=0)
            made.append(synapses)
        heard = brian2.Synapses(
            pyramidal,
            readout,
            on_pre="g_dep_post += out_dep_pre; g_fac_post += out_fac_pre",
            name="heard",
        )
        heard.connect(j=f"int(i >= {n})")
        return [*made, heard]

    return BrianModel(
        name="naud-circuit",
        definition={
            "sizes": [n, m],
            "constants": {name: getattr(params, name) for name in names},
            "equations": [PYRAMIDAL, FIRE, RESET, CURRENTS, SHORT_TERM, INTERNEURON, READOUT],
            "noise": [NOISE_START, NOISE_TRAIN, PYRAMIDAL_NOISE, INTERNEURON_NOISE],
            "functions": [vector_functions.UNIFORM, vector_functions.EXPONENTIAL],
            "projections": PROJECTIONS,
            "revision": 2,
        },
        construct=construct,
        inputs={},
        dt_ms=params.dt_ms,
        trial_ms=params.trial_ms,
        max_trials=params.n_trials_max,
        reset={
            "pyramidal": at_rest(params),
            "interneurons": f"v = {params.e_leak!r}*volt; adapt = 0*amp; g_e = 0; g_i = 0; "
            "lastspike = -1e4*second; key = rand()",
            "readout": "g_dep = 0; g_fac = 0",
        },
        record_spikes=("pyramidal", "interneurons"),
        record_traces={
            "depressing": ("readout", "g_dep", SAMPLE_MS),
            "facilitating": ("readout", "g_fac", SAMPLE_MS),
        },
        # What a spike transmits is worked out in its reset, so synapses come after resets.
        schedule=("start", "groups", "thresholds", "resets", "synapses", "end"),
    )


def fixed_values(params: Params) -> dict[str, NDArray | float]:
    """Numbers that all runs share: interneurons, and noise with the variance of Poisson trains."""
    extra = 1.0 + mean_hits(params)
    kinds = (params.pv, params.som)
    values: dict[str, NDArray | float] = {
        f"interneurons.{name}": column for name, column in interneuron_values(params).items()
    }
    for which in ("noise_e", "noise_i"):
        column = [extra * kind[which] for kind in kinds]
        values[f"interneurons.{which}"] = np.repeat(column, params.n_interneurons)
    return values | {
        "pyramidal.noise_s": extra * params.noise_soma,
        "pyramidal.noise_d": extra * params.noise_dendrite,
    }


def wire(params: Params, rng: np.random.Generator) -> dict[str, tuple[NDArray, NDArray]]:
    """Random connections of every projection: pre- and postsynaptic neurons.

    Every pair is linked with probability `p_connect`, independently; no neuron with itself.
    """
    n, m = params.n_pyramidal, params.n_interneurons
    first, second = slice(0, n), slice(n, 2 * n)
    pv, som = slice(0, m), slice(m, 2 * m)
    blocks = {
        "relay": [(first, second)],
        "to_pv": [(first, pv)],
        "topdown": [(second, first)],
        "to_som": [(second, som)],
        "lateral": [(first, first), (second, second)],
        "from_pv": [(pv, second)],
        "from_som": [(som, first)],
    }
    found = {}
    for name, pairs in blocks.items():
        pres, posts = [], []
        for pre, post in pairs:
            shape = (pre.stop - pre.start, post.stop - post.start)
            linked = rng.random(shape) < params.p_connect
            if name == "lateral":
                np.fill_diagonal(linked, False)
            i, j = np.nonzero(linked)
            pres.append(i + pre.start)
            posts.append(j + post.start)
        found[name] = (np.concatenate(pres), np.concatenate(posts))
    return found
