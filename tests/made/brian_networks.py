"""A network with a bit of everything, for the tests of the compiled simulator.

Exact first-spike neurons, recurrent neurons with delays and exchangeable wiring, a replayed
population, an analogue input and random numbers.
"""

from dataclasses import replace

import numpy as np

from whyspiking.contract.brian_model import BrianModel, Replay
from whyspiking.contract.spikes import Spikes

DT, TRIAL, MAX_TRIALS = 0.01, 5.0, 6
N_INPUT, N_EXACT, N_ECHO = 5, 20, 30


LIF = "dv/dt = (x - v) / tau : 1\ndx/dt = -x / tau : 1\n"


def construct(inputs):
    """The test network; time constants are 1 ms, so that times are in units of tau."""
    return [*construct_exact(inputs), *construct_plain(inputs)]


def constants():
    import brian2 as b

    return {"tau": 1 * b.ms, "dt_ms": DT}


def construct_exact(inputs):
    """Neurons that fire once, with times exact within a step."""
    import brian2 as b

    def group(n, name):
        neurons = b.NeuronGroup(
            n,
            LIF + "v_before : 1\nfired : 1\nlag : 1\nv_th : 1",
            threshold="v >= v_th and fired == 0",
            reset="fired = 1; lag = dt_ms * (v - v_th) / (v - v_before)",
            method="exact",
            namespace=constants(),
            name=name,
        )
        neurons.v_th = 1
        neurons.run_regularly("v_before = v", dt=DT * b.ms, when="start", name=f"{name}_before")
        return neurons

    def synapses(pre, post, name):
        made = b.Synapses(
            pre,
            post,
            "w : 1",
            on_pre="v_post += w * lag_pre * exp(-lag_pre); x_post += w * exp(-lag_pre)",
            name=name,
        )
        made.connect()
        return made

    hidden, output = group(N_EXACT, "hidden"), group(3, "output")
    return [
        hidden,
        output,
        synapses(inputs["input"], hidden, "input_hidden"),
        synapses(hidden, output, "hidden_output"),
        synapses(inputs["hidden_replay"], output, "replay_output"),
    ]


def construct_plain(inputs):
    """Neurons that fire on the grid, recurrent with delays, and an analogue input."""
    import brian2 as b

    echo = b.NeuronGroup(
        N_ECHO,
        LIF + "v_th : 1 (shared)",
        threshold="v > v_th",
        reset="v = 0",
        events={"half": "v > 0.5 * v_th"},
        method="exact",
        namespace=constants(),
        name="echo",
    )
    echo.v_th = 1
    readout = b.NeuronGroup(2, LIF, method="exact", namespace=constants(), name="readout")
    drive = b.TimedArray(
        np.zeros((round(TRIAL / 0.1) * MAX_TRIALS, 2)), dt=0.1 * b.ms, name="drive"
    )
    leaky = b.NeuronGroup(
        2,
        "dy/dt = (drive(t, i) - y) / tau : 1",
        method="euler",
        namespace={**constants(), "drive": drive},
        name="leaky",
    )

    def synapses(pre, post, name, statement="x_post += w", **options):
        equations = "w : 1\nheard : 1\np_drop : 1 (shared)"
        made = b.Synapses(pre, post, equations, on_pre=f"{statement}; heard += 1", name=name)
        made.connect(**options)
        return made

    drop = "x_post += w * int(rand() >= p_drop)"
    recurrent = synapses(echo, echo, "recurrent", i=0, j=0)
    recurrent.delay = 0.3 * b.ms
    return [
        echo,
        readout,
        leaky,
        recurrent,
        synapses(inputs["input"], echo, "input_echo"),
        synapses(echo, readout, "echo_readout", drop),
        synapses(inputs["echo_replay"], readout, "replay_readout", drop),
    ]


def make_model(**changes):
    model = BrianModel(
        name="everything",
        definition={"test": "network with a bit of everything", "tau_ms": 1},
        construct=construct,
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
