"""The frozen XOR network as Brian2 compiles it.

Lesions, wiring and inputs are values of a run. Equation numbers are those of this
talk's README.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from whyspiking.contract import brian_model as bm
from whyspiking.contract.types import Params
from whyspiking.talks.naud import vector_functions
from whyspiking.talks.naud.xor import model

OF_LEARNING = ("neurons.eta", "neurons.lift", "neurons.is_output")


def xor_model(params: Params, max_trials: int) -> bm.BrianModel:
    """The structure with all that a run may change left open.

    Args:
        params: Parameters of the experiment.
        max_trials: Trials of the longest run.
    """
    rows = round(model.TRIAL_MS / params.slot_ms) * max_trials
    return bm.BrianModel(
        name="naud-xor",
        groups=[neurons(params)],
        synapses=synapses(),
        tables=[bm.Table("schedule", (rows, len(model.CHANNELS)), params.slot_ms)],
        constants=constants(params),
        inputs={},
        dt_ms=params.dt_ms,
        trial_ms=model.TRIAL_MS,
        max_trials=max_trials,
        reset={"neurons": model.ON_START},
        record_spikes=("neurons", "neurons.burst"),
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
        "never": bm.Quantity(model.NEVER_S, "second"),
        "q_d": float(q_d),
        "jump_d": float(jump_d),
    }


def known(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of a run without those that only what learns knows."""
    return {k: v for k, v in values.items() if k not in OF_LEARNING}


def neurons(params: Params) -> bm.Group:
    """All five ensembles (Eqs. 1-6)."""
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
        start={"burst_blind": -1, "event_heard": 1, "burst_heard": 1},
    )


def synapses() -> list[bm.Synapses]:
    """Excitation and inhibition by events, feedback by bursts (Eq. 12)."""
    return [
        bm.Synapses(name, "neurons", "neurons", statement, on_event=event, connect=bm.WIRED_AT_RUN)
        for name, statement, event in (
            ("forward", "g_e_post += gain*w*event_heard_pre", "spike"),
            ("inhibition", "g_i_post += gain*w*event_heard_pre", "spike"),
            ("feedback_exc", "g_ed_post += gain*w*burst_heard_pre", "burst"),
            ("feedback_inh", "g_id_post += gain*w*burst_heard_pre", "burst"),
        )
    ]
