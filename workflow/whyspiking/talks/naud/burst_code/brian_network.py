"""The circuit of `neuron` and `multiplexing`, and the synapse of `plasticity`, for Brian2.

One circuit serves both experiments: currents, noise and wiring are values of a run. Equation
numbers are those of this talk's README.
"""

from __future__ import annotations

from collections.abc import Sequence

from whyspiking.contract import brian_model as bm
from whyspiking.contract.types import Params
from whyspiking.talks.naud import vector_functions
from whyspiking.talks.naud.burst_code import learning, model
from whyspiking.talks.naud.burst_code.pairing import pairings


def circuit(params: Params) -> bm.BrianModel:
    """The structure: two ensembles, PV and SOM interneurons."""
    rows = round(params.n_trials_max * params.trial_ms / model.SAMPLE_MS)
    return bm.BrianModel(
        name="naud-circuit",
        groups=[pyramidal(params, 2 * params.n_pyramidal), interneurons(params)],
        synapses=projections(),
        inputs={},
        tables=[bm.Table("waves", (rows, 2), model.SAMPLE_MS)],
        constants=constants(params),
        dt_ms=params.dt_ms,
        trial_ms=params.trial_ms,
        max_trials=params.n_trials_max,
        reset={
            "pyramidal": at_rest(params),
            "interneurons": f"v = {params.e_leak!r}*volt; adapt = 0*amp; g_e = 0; g_i = 0; "
            "lastspike = -1e4*second; key = rand()",
        },
        record_spikes=("pyramidal", "interneurons"),
        # What a spike transmits is worked out in its reset, so synapses come after resets.
        schedule=("start", "groups", "thresholds", "resets", "synapses", "end"),
    )


def constants(params: Params) -> dict[str, bm.Constant]:
    """Values of the names in the equations."""
    return {
        **{name: bm.Quantity(getattr(params, name), unit) for name, unit in model.UNITS.items()},
        **vector_functions.BOTH,
        "t_back": bm.Quantity(model.back_ms(params), "ms"),
        "f_stp": params.f_stp,
        "q_noise": model.hit_probability(params),
    }


def pyramidal(params: Params, n: int) -> bm.Group:
    """Pyramidal neurons with short-term plasticity of their axons (Eqs. 20-25, 27-28)."""
    names = ("x", "u", "out", "u0")
    states = "".join(f"{name}_{kind} : 1\n" for kind in model.KINDS for name in names)
    transmitted_kinds = "".join(model.SHORT_TERM.format(kind=kind) for kind in model.KINDS)
    noise = "noise_s : 1 (shared)\nnoise_d : 1 (shared)\ndynamic : 1 (shared)\n"
    return bm.Group(
        "pyramidal",
        n,
        model.PYRAMIDAL + model.CURRENTS + noise + states,
        threshold=model.FIRE,
        reset=f"{model.RESET}\n{transmitted_kinds}\nspiked = t",
        method="euler",
        regularly=[bm.Regularly("pyramidal_noise", noise_statements(model.PYRAMIDAL_NOISE))],
    )


def at_rest(params: Params) -> str:
    """Statements that bring pyramidal neurons to rest."""
    synapses_at_rest = "; ".join(f"x_{k} = 1; u_{k} = u0_{k}" for k in model.KINDS)
    return (
        f"v_s = {params.e_leak!r}*volt; v_d = {params.e_leak!r}*volt; w_s = 0; w_d = 0*volt; "
        f"theta = {params.th_rest!r}*volt; g_es = 0; g_is = 0; g_ed = 0; g_id = 0; "
        f"spiked = t - 100*second; key = rand(); {synapses_at_rest}"
    )


def interneurons(params: Params) -> bm.Group:
    """PV and SOM interneurons, in this order (Eq. 26)."""
    cell_parameters = "".join(
        f"{key} : {unit} (constant)\n" for key, unit in model.INTERNEURON_UNITS.items()
    )
    noise = "noise_e : 1 (constant)\nnoise_i : 1 (constant)\nkey : 1\n"
    return bm.Group(
        "interneurons",
        2 * params.n_interneurons,
        model.INTERNEURON + cell_parameters + noise,
        threshold=model.INTERNEURON_FIRE,
        reset=model.INTERNEURON_RESET,
        refractory="t_ref",
        method="euler",
        regularly=[bm.Regularly("interneurons_noise", noise_statements(model.INTERNEURON_NOISE))],
    )


def noise_statements(trains: Sequence[tuple[str, str]]) -> str:
    """Code of one step of noise for several trains (Eq. 30): (conductance, weight) of each."""
    return model.NOISE_START + "".join(
        model.NOISE_TRAIN.format(conductance=conductance, weight=weight)
        for conductance, weight in trains
    )


def projections() -> list[bm.Synapses]:
    """All synapses of the circuit (Eqs. 27-28), wired at run."""
    return [
        bm.Synapses(
            name,
            pre,
            post,
            on_pre=f"{conductance}_post += w" + (f"*{scale}_pre" if scale else ""),
            equations="w : 1 (shared)",
            connect=bm.WIRED_AT_RUN,
        )
        for name, (pre, post, conductance, scale) in model.PROJECTIONS.items()
    ]


def synapse(params: Params) -> bm.BrianModel:
    """Forced pre- and postsynaptic neurons, one plastic synapse each (Eqs. 33-37)."""
    n = len(pairings(params))
    return bm.BrianModel(
        name="naud-pairing",
        groups=[
            bm.Group(
                "post",
                n,
                learning.FORCED,
                threshold="driven > 0",
                reset="driven = 0",
                method="exact",
            )
        ],
        synapses=[
            # Without a variable of its own: every forced spike counts.
            bm.Synapses(
                "force", "forced", "post", "driven_post = 1", equations="", connect=bm.ONE_TO_ONE
            ),
            bm.Synapses(
                "plastic",
                "pre",
                "post",
                learning.ON_PRE,
                learning.ON_POST,
                learning.TRACES,
                method="exact",
                connect=bm.ONE_TO_ONE,
            ),
        ],
        constants={
            "tau_trace": bm.Quantity(params.tau_pre, "ms"),
            "tau_mean": bm.Quantity(params.tau_mean, "ms"),
            "window": bm.Quantity(learning.window_ms(params), "ms"),
            "eta": params.eta_pairing,
        },
        inputs={"pre": n, "forced": n},
        dt_ms=params.dt_ms,
        trial_ms=params.trial_ms,
        max_trials=1,
        record_spikes=("post",),
        record_traces={"weight": ("post", "w_seen", params.sample_ms)},
    )
