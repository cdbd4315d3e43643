"""The XOR network: five ensembles of two-compartment neurons, as Brian2 compiles them.

One structure serves training and the frozen network: plasticity, lesions, wiring and inputs are
values of a run. Equation numbers are those of this talk's README; values are in base units.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.brian_model import BrianModel
from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Params
from whyspiking.talks.naud import vector_functions

POPULATIONS = ("I1", "I2", "H1", "H2", "O")
INPUTS, HIDDEN, OUTPUT = (0, 1), (2, 3), 4
PROJECTIONS = ((0, 2), (0, 3), (1, 2), (1, 3), (2, 4), (3, 4))
"""Forward projections as (pre, post) populations, in the order of the pre population."""
FEEDBACK = ((OUTPUT, HIDDEN[0]), (OUTPUT, HIDDEN[1]))
TRIAL_MS = 4000.0
"""One presentation of a test; training is a sequence of such trials that go on from each other."""
CHANNELS = ("I1", "I2", "teach", "rate", "follow")
"""Columns of the schedule: currents in A of the two inputs; teaching (+1, -1: set for this target,
0: off, HOLD: as it is); factor of the learning rates, 0 where plasticity is off; 1 where the
running means follow the spikes, 0 where they are held."""
HOLD = 2.0
NEVER_S = 1e9

NEURON = """
dv_s/dt = ((e_leak - v_s) + g_e*(e_exc - v_s) + g_i*(e_inh - v_s))/tau_s
          + (i_s - b_w*w_s)/c_s : volt
dv_d/dt = ((e_leak - v_d) + g_ed*(e_exc - {drive}) + g_id*(e_inh - {drive}))/tau_d
          + (i_d + teaching + a_w*w_d)/c_d : volt
dw_s/dt = -w_s/tau_ws : 1
dw_d/dt = (v_d - e_leak - w_d)/tau_wd : volt
dth/dt = (th_rest - th)/tau_th : volt
dg_e/dt = -g_e/tau_ampa : 1
dg_i/dt = -g_i/tau_gaba : 1
dg_ed/dt = -g_ed/tau_ampa : 1
dg_id/dt = -g_id/tau_gaba : 1
p_burst = clip(burst_blind, 0, 1) + int(burst_blind < 0)/(1 + exp(-(v_d - e_burst)/d_burst)) : 1
dx/dt = -x/tau_pre : 1
de_mean/dt = -follow*e_mean/tau_avg : Hz
db_mean/dt = -follow*b_mean/tau_avg : Hz
p_mean = clip(b_mean/clip(e_mean, 1e-9*Hz, 1e9*Hz), 0, 1) : 1
h_max = -int(e_mean > e_max)*(e_mean - e_max)/clip(e_mean, 1e-9*Hz, 1e9*Hz) : 1
dr_mean/dt = -r_mean/tau_floor : Hz
lift_now = eta_now*lift*int(r_mean < e_min)*(e_min - r_mean)/Hz : 1
i_s : amp
i_d : amp
teaching : amp
input_of : integer
is_input : 1
is_output : 1
q_s : 1
jump_e : 1
jump_i : 1
eta : 1
eta_now : 1
lift : 1
key : 1
follow : 1
burst_blind : 1
p_lost_event : 1
p_lost_burst : 1
event_heard : 1
burst_heard : 1
t_free : second
t_second : second
events_seen : 1
bursts_seen : 1
credit : 1
lifted : 1
carry : 1 (shared)
"""
"""Eqs. 1-3, 6 (decay), 5 (probability), 7, 10, 11; `burst_blind` >= 0 replaces the probability."""

NOISE = """
u = uniform(key, timestep(t, dt))
hit = int(u < q_s)
g_e = g_e + hit*jump_e
u = hit*u/q_s + (1 - hit)*(u - q_s)/(1 - q_s)
hit = int(u < q_s)
g_i = g_i + hit*jump_i
u = hit*u/q_s + (1 - hit)*(u - q_s)/(1 - q_s)
hit = int(u < q_d)
g_ed = g_ed + hit*jump_d
u = hit*u/q_d + (1 - hit)*(u - q_d)/(1 - q_d)
hit = int(u < q_d)
g_id = g_id + hit*jump_d
"""
"""Eq. 6: four independent trains from one uniform number, made uniform again after each test.
`vector_functions.py` says what `uniform` is."""

EVENT = "v_s > th and t >= t_free"
ON_EVENT = """
v_s = e_leak
th += th_jump
w_s += 1
t_free = t + refractory + 0.5*dt
u = rand()
hit = int(u < p_burst)
t_second = hit*(t + burst_delay + burst_spread*u/clip(p_burst, 1e-9, 1)) + (1 - hit)*never
x += 1
e_mean += follow/tau_avg
r_mean += 1/tau_floor
events_seen += 1
event_heard = int(rand() >= p_lost_event)
burst_heard = int(rand() >= p_lost_burst)
"""
"""Eqs. 3-5, 7 and 11: what an event does; whether the next one is lost is drawn as well."""

BURST = "t >= t_second"
ON_BURST = """
t_second = never
t_free = t + refractory + 0.5*dt
b_mean += follow/tau_avg
r_mean += 1/tau_floor
bursts_seen += 1
"""
"""Eqs. 4, 7 and 11: the second spike restarts the refractory time and resets nothing."""

SCHEDULED = """
i_s = is_input*schedule(t, input_of)*amp
command = schedule(t, 2)
up = int(command > 0.5)*int(command < 1.5)*int(e_mean < 9*Hz)*teach/clip(e_mean/Hz - 2, 1, 7)
down = int(command < -0.5)*int(e_mean > 3*Hz)*teach/clip(10 - e_mean/Hz, 1, 7)
teaching = int(command > 1.5)*teaching + is_output*(up - down)
eta_now = eta*schedule(t, 3)
follow = schedule(t, 4)
"""
"""Eq. 13, and what the schedule switches; executed at the start of every slot."""

ON_START = """
v_s = carry*v_s + (1 - carry)*e_leak
v_d = carry*v_d + (1 - carry)*e_leak
w_s = carry*w_s
w_d = carry*w_d
th = carry*th + (1 - carry)*th_rest
g_e = carry*g_e
g_i = carry*g_i
g_ed = carry*g_ed
g_id = carry*g_id
x = carry*x
e_mean = carry*e_mean
b_mean = carry*b_mean
r_mean = carry*r_mean + (1 - carry)*r_start
teaching = carry*teaching
t_free = carry*t_free
t_second = carry*t_second + (1 - carry)*never
events_seen = carry*events_seen
bursts_seen = carry*bursts_seen
key = rand()
"""
"""Start of a trial: afresh (carry = 0), or as the last one ended (carry = 1); noise begins anew."""

PLASTIC = {
    "pre": "g_e_post += gain*w*event_heard_pre; w = clip(w + lift_now_post, 0, 1);"
    " lifted_post += lift_now_post",
    "post": "change = eta_now_post*x_pre*(h_max_post - p_mean_post); w = clip(w + change, 0, 1);"
    " credit_post += change",
    "post_burst": "change = eta_now_post*x_pre*(1 + h_max_post); w = clip(w + change, 0, 1);"
    " credit_post += change",
}
"""Eqs. 11 and 12, 8, 9: presynaptic event, postsynaptic event, postsynaptic burst."""
TOTALS = ("events_seen", "bursts_seen", "credit", "lifted")
"""Counters of the neurons that are summed over each population, one trace each."""

CONSTANTS: Mapping[str, str] = {
    **dict.fromkeys(("e_leak", "e_exc", "e_inh", "th_rest", "th_jump"), "volt"),
    **dict.fromkeys(("e_burst", "d_burst"), "volt"),
    **dict.fromkeys(("tau_th", "tau_s", "tau_ws", "tau_d", "tau_wd"), "ms"),
    **dict.fromkeys(("tau_ampa", "tau_gaba", "tau_pre", "tau_avg", "tau_floor"), "ms"),
    **dict.fromkeys(("c_s", "c_d"), "farad"),
    **dict.fromkeys(("e_min", "e_max", "r_start"), "Hz"),
    "b_w": "amp",
    "a_w": "siemens",
    "gain": "1",
}
"""Parameters that stand in the equations, with their unit in talk.yaml."""


def xor_model(params: Params, max_trials: int) -> BrianModel:
    """The structure with all that a run may change left open.

    Args:
        params: Parameters of the experiment.
        max_trials: Trials of the longest run.
    """
    equations = NEURON.format(drive={"soma": "v_s", "dendrite": "v_d"}[params.drive])
    n = params.n_per_population
    fixed = {name: getattr(params, name) for name in CONSTANTS} | {
        "refractory": params.refractory_ms,
        "burst_delay": params.burst_delay_ms,
        "burst_spread": params.burst_spread_ms,
        "teach": params.teaching,
        "noise_dendrite": [params.noise_dendrite_hz, params.noise_dendrite],
        "slot_ms": params.slot_ms,
    }

    def construct(inputs: Mapping[str, Any]) -> Sequence[Any]:
        import brian2

        ms, second = brian2.ms, brian2.second
        rows = round(TRIAL_MS / params.slot_ms) * max_trials
        schedule = brian2.TimedArray(
            np.zeros((rows, len(CHANNELS))), dt=params.slot_ms * ms, name="schedule"
        )
        units = {name: getattr(brian2, unit) for name, unit in CONSTANTS.items() if unit != "1"}
        names = {name: getattr(params, name) * units.get(name, 1) for name in CONSTANTS}
        q_d, jump_d = bernoulli(params.noise_dendrite_hz, params.noise_dendrite, params.dt_ms)
        names |= vector_functions.names() | {
            "schedule": schedule,
            "refractory": params.refractory_ms * ms,
            "burst_delay": params.burst_delay_ms * ms,
            "burst_spread": params.burst_spread_ms * ms,
            "teach": params.teaching * brian2.amp,
            "never": NEVER_S * second,
            "q_d": float(q_d),
            "jump_d": float(jump_d),
        }
        neurons = brian2.NeuronGroup(
            len(POPULATIONS) * n,
            equations,
            threshold=EVENT,
            reset=ON_EVENT,
            events={"burst": BURST},
            method="euler",
            namespace=names,
            name="neurons",
        )
        neurons.run_on_event("burst", ON_BURST, when="resets")
        neurons.v_s = neurons.v_d = params.e_leak * brian2.volt
        neurons.th = params.th_rest * brian2.volt
        neurons.t_second = NEVER_S * second
        neurons.r_mean = params.r_start * brian2.Hz
        neurons.burst_blind = -1
        neurons.event_heard = 1
        neurons.burst_heard = 1
        # One clock for all that happens once per slot: a step takes longer with every further one.
        slots = brian2.Clock(params.slot_ms * ms, name="slots")
        neurons.run_regularly(SCHEDULED, clock=slots, when="start", order=-1, name="scheduled")
        neurons.run_regularly(NOISE, when="start", order=0, name="noise")
        # Any: Brian2 declares a word, and takes one per pathway as well.
        hears: Any = {"pre": "spike", "post": "spike", "post_burst": "burst"}
        forward = brian2.Synapses(
            neurons,
            neurons,
            "w : 1",
            on_pre={"pre": PLASTIC["pre"]},
            on_post={"post": PLASTIC["post"], "post_burst": PLASTIC["post_burst"]},
            on_event=hears,
            namespace=names,
            name="forward",
        )
        forward.connect(i=0, j=0)
        made = [neurons, forward]
        for name, statement, event in (
            ("inhibition", "g_i_post += gain*w*event_heard_pre", "spike"),
            ("feedback_exc", "g_ed_post += gain*w*burst_heard_pre", "burst"),
            ("feedback_inh", "g_id_post += gain*w*burst_heard_pre", "burst"),
        ):
            fixed_synapses = brian2.Synapses(
                neurons,
                neurons,
                "w : 1",
                on_pre=statement,
                on_event=event,
                namespace=names,
                name=name,
            )
            fixed_synapses.connect(i=0, j=0)
            made.append(fixed_synapses)
        totals = brian2.NeuronGroup(
            len(POPULATIONS),
            "".join(f"{name} : 1\n" for name in TOTALS),
            # Of the target: Brian2 sums at every tick of this clock, not of that of the synapses.
            clock=slots,
            name="totals",
        )
        summing = brian2.Synapses(
            neurons,
            totals,
            "".join(f"{name}_post = {name}_pre : 1 (summed)\n" for name in TOTALS),
            clock=slots,
            name="summing",
        )
        summing.connect(j=f"i//{n}")
        return [*made, totals, summing]

    return BrianModel(
        name="naud-xor",
        definition={
            "sizes": [n, max_trials],
            "constants": fixed,
            "equations": [
                equations,
                NOISE,
                vector_functions.UNIFORM,
                ON_START,
                EVENT,
                ON_EVENT,
                BURST,
                ON_BURST,
                SCHEDULED,
                PLASTIC,
                list(TOTALS),
            ],
            "revision": 3,
        },
        construct=construct,
        inputs={},
        dt_ms=params.dt_ms,
        trial_ms=TRIAL_MS,
        max_trials=max_trials,
        reset={"neurons": ON_START},
        record_spikes=("neurons", "neurons.burst"),
        record_traces={name: ("totals", name, params.slot_ms) for name in TOTALS},
        record_final=("forward.w",),
    )


def bernoulli(rate_hz: float | NDArray, weight: float | NDArray, dt_ms: float) -> tuple[Any, Any]:
    """Probability per step and jump with the mean and variance of Poisson noise (Eq. 6).

    Args:
        rate_hz: Rate of the Poisson train in Hz.
        weight: Its jump.
        dt_ms: Step in ms.
    """
    mean = np.asarray(rate_hz) * dt_ms / 1e3
    return mean / (1 + mean), np.asarray(weight) * (1 + mean)


def per_neuron(params: Params, values: Sequence[float] | NDArray) -> NDArray[np.float64]:
    """One number per population, repeated for its neurons; (neuron,)."""
    return np.repeat(np.asarray(values, float), params.n_per_population)


def wire(params: Params, streams: Streams) -> dict[str, NDArray]:
    """Draw all connections, each kind on its own.

    Args:
        params: Parameters of the experiment.
        streams: Randomness: one stream per kind of synapses.

    Returns:
        "<synapses>.i" and "<synapses>.j" (synapse,), by i, then j; for the fixed ones also
        "<synapses>.w".
    """
    n = params.n_per_population
    arrays: dict[str, NDArray] = {}
    for name, pairs, weights in (
        ("forward", PROJECTIONS, None),
        ("inhibition", PROJECTIONS, [params.w_inh] * len(PROJECTIONS)),
        ("feedback_exc", FEEDBACK, params.w_feedback_exc),
        ("feedback_inh", FEEDBACK, params.w_feedback_inh),
    ):
        rng = streams.rng(f"wiring-{name}")
        drawn = {pair: rng.random((n, n)) < params.p_connect for pair in pairs}
        matrix = np.zeros((len(POPULATIONS) * n,) * 2, bool)
        strength = np.zeros((len(POPULATIONS),) * 2)
        for index, (pre, post) in enumerate(pairs):
            matrix[pre * n : (pre + 1) * n, post * n : (post + 1) * n] = drawn[pre, post]
            strength[pre, post] = weights[index] if weights else 0.0
        i, j = np.nonzero(matrix)
        arrays |= {f"{name}.i": i.astype(np.int32), f"{name}.j": j.astype(np.int32)}
        if weights:
            arrays[f"{name}.w"] = strength[i // n, j // n]
    return arrays


def neuron_values(params: Params) -> dict[str, NDArray | float]:
    """Values of the neurons that differ between populations; plasticity as in an intact network."""
    is_input = np.isin(np.arange(len(POPULATIONS)), INPUTS)
    q_s, jump_e = bernoulli(
        np.array(params.noise_soma_hz), np.array(params.noise_soma_exc), params.dt_ms
    )
    _, jump_i = bernoulli(
        np.array(params.noise_soma_hz), np.array(params.noise_soma_inh), params.dt_ms
    )
    eta = [0.0, 0.0, params.eta_hidden, params.eta_hidden, params.eta_output]
    numbers = {
        "i_d": params.i_dendrite,
        "is_input": is_input,
        "input_of": [0, 1, 0, 0, 0],
        "is_output": np.arange(len(POPULATIONS)) == OUTPUT,
        "q_s": q_s,
        "jump_e": jump_e,
        "jump_i": jump_i,
        "eta": eta,
        "lift": ~is_input,
    }
    return {f"neurons.{key}": per_neuron(params, value) for key, value in numbers.items()}


def lesion(values: Mapping[str, Any], variant: str, params: Params) -> dict[str, Any]:
    """The same values under one of the talk's lesions.

    Args:
        values: Of an intact network, wiring included.
        variant: `spiking`, `random_order`, `short_examples`, `short_means` (no lesion),
            `no_feedback`, `no_hidden_plasticity`, `no_bursts`, `no_floor`, `symmetric_feedback`
            (H2 gets the feedback and the dendritic current of H1).
        params: Parameters of the experiment.

    Raises:
        KeyError: If the variant is not known.
    """
    hidden = per_neuron(params, np.isin(np.arange(len(POPULATIONS)), HIDDEN))
    changes: dict[str, dict[str, Any]] = {
        "spiking": {},
        "random_order": {},
        "short_examples": {},
        "short_means": {},
        "no_feedback": {
            key: np.zeros_like(values[key]) for key in ("feedback_exc.w", "feedback_inh.w")
        },
        "no_hidden_plasticity": {"neurons.eta": values["neurons.eta"] * (1 - hidden)},
        "no_bursts": {"neurons.burst_blind": np.zeros(hidden.size)},
        "no_floor": {"neurons.lift": np.zeros(hidden.size)},
        "symmetric_feedback": {
            "feedback_exc.w": np.full_like(values["feedback_exc.w"], params.w_feedback_exc[0]),
            "feedback_inh.w": np.full_like(values["feedback_inh.w"], params.w_feedback_inh[0]),
            "neurons.i_d": np.where(
                hidden > 0, params.i_dendrite[HIDDEN[0]], values["neurons.i_d"]
            ),
        },
    }
    return {**values, **changes[variant]}
