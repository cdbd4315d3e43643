"""A network with a bit of everything, for the tests of the compiled simulator.

Exact first-spike neurons, recurrent neurons with delays and exchangeable wiring, a replayed
population, an analogue input and random numbers.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace

import numpy as np

from whyspiking.contract.brian_model import (
    WIRED_AT_RUN,
    BrianModel,
    Group,
    Quantity,
    Regularly,
    Replay,
    Synapses,
    Table,
)
from whyspiking.contract.spikes import Spikes

DT, TRIAL, MAX_TRIALS = 0.01, 5.0, 6
N_INPUT, N_EXACT, N_ECHO = 5, 20, 30


LIF = "dv/dt = (x - v) / tau : 1\ndx/dt = -x / tau : 1\n"


CONSTANTS = {"tau": Quantity(1, "ms"), "dt_ms": DT}
"""Time constants are 1 ms, so that times are in units of tau."""


def exact(size, name):
    """Neurons that fire once, with times exact within a step."""
    return Group(
        name,
        size,
        LIF + "v_before : 1\nfired : 1\nlag : 1\nv_th : 1",
        threshold="v >= v_th and fired == 0",
        reset="fired = 1; lag = dt_ms * (v - v_th) / (v - v_before)",
        method="exact",
        regularly=[Regularly(f"{name}_before", "v_before = v", period_ms=DT)],
        start={"v_th": 1},
    )


def within(source, target, name):
    """Synapses that know when within the step a spike came."""
    arrived = "v_post += w * lag_pre * exp(-lag_pre); x_post += w * exp(-lag_pre)"
    return Synapses(name, source, target, on_pre=arrived)


def plain(source, target, name, statement="x_post += w", **options):
    equations = "w : 1\nheard : 1\np_drop : 1 (shared)"
    heard = f"{statement}; heard += 1"
    return Synapses(name, source, target, on_pre=heard, equations=equations, **options)


DROP = "x_post += w * int(rand() >= p_drop)"
EXACT_GROUPS = (exact(N_EXACT, "hidden"), exact(3, "output"))
EXACT_SYNAPSES = (
    within("input", "hidden", "input_hidden"),
    within("hidden", "output", "hidden_output"),
    within("hidden_replay", "output", "replay_output"),
)
PLAIN_GROUPS = (
    Group(
        "echo",
        N_ECHO,
        LIF + "v_th : 1 (shared)",
        threshold="v > v_th",
        reset="v = 0",
        events={"half": "v > 0.5 * v_th"},
        method="exact",
        start={"v_th": 1},
    ),
    Group("readout", 2, LIF, method="exact"),
    Group("leaky", 2, "dy/dt = (drive(t, i) - y) / tau : 1", method="euler"),
)
PLAIN_SYNAPSES = (
    plain("echo", "echo", "recurrent", connect=WIRED_AT_RUN, start={"delay": Quantity(0.3, "ms")}),
    plain("input", "echo", "input_echo"),
    plain("echo", "readout", "echo_readout", DROP),
    plain("echo_replay", "readout", "replay_readout", DROP),
)
"""Neurons that fire on the grid, recurrent with delays, and an analogue input."""


def make_model(**changes):
    model = BrianModel(
        name="everything",
        groups=[*EXACT_GROUPS, *PLAIN_GROUPS],
        synapses=[*EXACT_SYNAPSES, *PLAIN_SYNAPSES],
        constants=CONSTANTS,
        tables=[Table("drive", (round(TRIAL / 0.1) * MAX_TRIALS, 2), 0.1)],
        inputs={"input": N_INPUT, "hidden_replay": N_EXACT, "echo_replay": N_ECHO},
        dt_ms=DT,
        trial_ms=TRIAL,
        max_trials=MAX_TRIALS,
        reset={
            "hidden": "v = 0; x = 0; fired = 0",
            "output": "v = 0; x = 0; fired = 0",
            "echo": "v = 0; x = 0",
            "readout": "v = 0; x = 0",
            "leaky": "y = 0",
        },
        record_spikes=["hidden", "output", "echo", "echo.half"],
        record_final=["input_echo.heard", "recurrent.heard", "readout.v"],
        record_traces={"readout_v": ("readout", "v", 0.05), "leaky_y": ("leaky", "y", 0.1)},
        replay={
            "hidden": Replay("hidden_replay", {"hidden.v_th": 1e9}),
            "echo": Replay("echo_replay", {"echo.v_th": 1e9}),
        },
        sub_step=True,
        lag_variable={"hidden": "lag", "output": "lag"},
        schedule=["start", "groups", "thresholds", "resets", "synapses", "end"],
    )
    return replace(model, **changes)


def random_spikes(seed, n_trials=MAX_TRIALS, per_trial=25, n_units=N_INPUT, latest=TRIAL):
    rng = np.random.default_rng(seed)
    n = n_trials * per_trial
    return Spikes.sorted(
        rng.uniform(0, latest, n),
        rng.integers(0, n_units, n),
        rng.integers(0, n_trials, n),
        n_trials=n_trials,
        n_units=n_units,
        duration_ms=TRIAL,
    )


def first_spikes(seed, n_trials=MAX_TRIALS):
    times = np.random.default_rng(seed).uniform(0, 2, (n_trials, N_INPUT))
    return Spikes.from_first_spikes(times, TRIAL)


def random_values(seed):
    rng = np.random.default_rng(seed)
    pre, post = np.nonzero(rng.random((N_ECHO, N_ECHO)) < 0.2)
    return {
        "input_hidden.w": rng.normal(1.0, 1.0, (N_INPUT, N_EXACT)),
        "hidden_output.w": rng.normal(0.5, 0.8, (N_EXACT, 3)),
        "input_echo.w": rng.normal(3.0, 2.0, (N_INPUT, N_ECHO)).ravel(),
        "recurrent.i": pre,
        "recurrent.j": post,
        "recurrent.w": rng.normal(0.0, 3.0, pre.size),
        "recurrent.delay": rng.uniform(0, 5e-4, pre.size),
        "echo_readout.w": rng.normal(0.0, 1.0, (N_ECHO, 2)),
    }


def same(a, b):
    """Whether two recordings are equal bit for bit."""
    spikes = all(
        np.array_equal(getattr(a.spikes[name], part), getattr(b.spikes[name], part))
        for name in a.spikes
        for part in ("times_ms", "units", "trials", "n_trials")
    )
    return spikes and all(np.array_equal(a.traces[name], b.traces[name]) for name in a.traces)


def select(recording, chosen):
    return replace(
        recording,
        spikes={name: spikes.select_trials(chosen) for name, spikes in recording.spikes.items()},
        traces={name: trace[chosen] for name, trace in recording.traces.items()},
    )


def changed(value):
    """Every description that differs from a given one in one place, with the place's name."""
    if is_dataclass(value):
        for field in fields(value):
            for place, other in changed(getattr(value, field.name)):
                yield f"{field.name}.{place}", replace(value, **{field.name: other})
    elif isinstance(value, Mapping):
        for key in value:
            for place, other in changed(value[key]):
                yield f"{key}.{place}", {**value, key: other}
        yield "one more", {**value, "more": 1}
    elif isinstance(value, (list, tuple)):
        for k, entry in enumerate(value):
            for place, other in changed(entry):
                yield f"{k}.{place}", [*value[:k], other, *value[k + 1 :]]
    elif isinstance(value, str):
        yield "", value.replace("+=", "-=").replace(">", "<") + " "
    else:
        yield "", 1 if value is None else "rk4" if callable(value) else value + 1
