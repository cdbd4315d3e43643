"""The XOR network as Brian2 compiles it: one structure for learning and for the frozen network.

Plasticity, lesions, wiring and inputs are values of a run. Equation numbers are those of this
talk's README.
"""

from __future__ import annotations

from whyspiking.contract import brian_model as bm
from whyspiking.contract.types import Params
from whyspiking.talks.naud import vector_functions
from whyspiking.talks.naud.xor import learning, model


def xor_model(params: Params, max_trials: int) -> bm.BrianModel:
    """The structure with all that a run may change left open.

    Args:
        params: Parameters of the experiment.
        max_trials: Trials of the longest run.
    """
    rows = round(model.TRIAL_MS / params.slot_ms) * max_trials
    return bm.BrianModel(
        name="naud-xor",
        groups=[neurons(params), totals(params)],
        synapses=[forward(), *fixed_synapses(), summing(params)],
        tables=[bm.Table("schedule", (rows, len(model.CHANNELS)), params.slot_ms)],
        constants=constants(params),
        inputs={},
        dt_ms=params.dt_ms,
        trial_ms=model.TRIAL_MS,
        max_trials=max_trials,
        reset={"neurons": model.ON_START},
        record_spikes=("neurons", "neurons.burst"),
        record_traces={name: ("totals", name, params.slot_ms) for name in model.TOTALS},
        record_final=("forward.w",),
    )


def constants(params: Params) -> dict[str, bm.Constant]:
    """Values of the names in the equations."""
    q_d, jump_d = model.bernoulli(params.noise_dendrite_hz, params.noise_dendrite, params.dt_ms)
    return {
        **{name: bm.Quantity(getattr(params, name), u) for name, u in model.CONSTANTS.items()},
        "gain": params.gain,
        **vector_functions.BOTH,
        "refractory": bm.Quantity(params.refractory_ms, "ms"),
        "burst_delay": bm.Quantity(params.burst_delay_ms, "ms"),
        "burst_spread": bm.Quantity(params.burst_spread_ms, "ms"),
        "teach": bm.Quantity(params.teaching, "amp"),
        "never": bm.Quantity(model.NEVER_S, "second"),
        "q_d": float(q_d),
        "jump_d": float(jump_d),
    }


def neurons(params: Params) -> bm.Group:
    """All five ensembles (Eqs. 1-7, 10 and 13)."""
    return bm.Group(
        "neurons",
        len(model.POPULATIONS) * params.n_per_population,
        model.NEURON.format(drive={"soma": "v_s", "dendrite": "v_d"}[params.drive]),
        threshold=model.EVENT,
        reset=model.ON_EVENT,
        method="euler",
        events={"burst": model.BURST},
        on_event={"burst": model.ON_BURST},
        regularly=[
            bm.Regularly("scheduled", model.SCHEDULED, order=-1, period_ms=params.slot_ms),
            bm.Regularly("noise", model.NOISE),
        ],
        start={
            "v_s": bm.Quantity(params.e_leak, "volt"),
            "v_d": bm.Quantity(params.e_leak, "volt"),
            "th": bm.Quantity(params.th_rest, "volt"),
            "t_second": bm.Quantity(model.NEVER_S, "second"),
            "r_mean": bm.Quantity(params.r_start, "Hz"),
            "burst_blind": -1,
            "event_heard": 1,
            "burst_heard": 1,
        },
    )


def forward() -> bm.Synapses:
    """The plastic synapses (Eqs. 8, 9, 11 and 12)."""
    return bm.Synapses(
        "forward",
        "neurons",
        "neurons",
        on_pre={"pre": learning.ON_PRE_EVENT},
        on_post={"post": learning.ON_POST_EVENT, "post_burst": learning.ON_POST_BURST},
        on_event={"pre": "spike", "post": "spike", "post_burst": "burst"},
        connect=bm.WIRED_AT_RUN,
    )


def fixed_synapses() -> list[bm.Synapses]:
    """Inhibition by events, feedback by bursts (Eq. 12)."""
    return [
        bm.Synapses(name, "neurons", "neurons", statement, on_event=event, connect=bm.WIRED_AT_RUN)
        for name, statement, event in (
            ("inhibition", "g_i_post += gain*w*event_heard_pre", "spike"),
            ("feedback_exc", "g_ed_post += gain*w*burst_heard_pre", "burst"),
            ("feedback_inh", "g_id_post += gain*w*burst_heard_pre", "burst"),
        )
    ]


def totals(params: Params) -> bm.Group:
    """Counters of each ensemble, once per slot."""
    equations = "".join(f"{name} : 1\n" for name in model.TOTALS)
    return bm.Group("totals", len(model.POPULATIONS), equations, period_ms=params.slot_ms)


def summing(params: Params) -> bm.Synapses:
    """What adds the neurons' counters up."""
    return bm.Synapses(
        "summing",
        "neurons",
        "totals",
        equations="".join(f"{name}_post = {name}_pre : 1 (summed)\n" for name in model.TOTALS),
        connect={"j": f"i//{params.n_per_population}"},
        period_ms=params.slot_ms,
    )
