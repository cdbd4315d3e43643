"""Targets of the FORCE experiments, and the clock signal (HDTS) that drives the long ones.

Equation numbers are those of the talk's README. Times are in ms, frequencies in Hz.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Params, Stimulus, Task
from whyspiking.errors import UserError
from whyspiking.talks.clopath.force.song import Song

SAMPLE_MS = 1.0
"""Sampling of targets, of the clock signal and of outputs that are kept or recorded."""

SETTLING_S = 15.0
"""How long van der Pol's oscillator runs to its limit cycle, as in the code of NC17."""

NOTES = "CDEFG"
ODE_TO_JOY = ("E", "E", "F", "G", "G", "F", "E", "D", "C", "C", "D", "E", "E", "D", "D-")
"""Opening of the Ode to Joy in quarter notes; `-` makes a half note."""

SINES = ("sine", "sine_lif", "sine_theta")
"""The same target for three kinds of neurons."""


def n_channels(params: Params) -> int:
    """Number of output channels of an experiment."""
    if params.experiment in ("episode", "song"):
        return int(getattr(params, f"n_{params.experiment}_channels"))
    return {"ode": len(NOTES), "van_der_pol": 2}.get(params.experiment, 1)


def target(params: Params, streams: Streams, times_ms: NDArray) -> NDArray[np.float64]:
    """The supervisor at the given times, shape (time, channel).

    Sources: NC17 Fig. 2 and its code (sine, van der Pol), NC17 Fig. 3 (Ode to Joy); episode and
    song replace the movie of NC17 Fig. 5 and the zebra finch's song of Fig. 4, not published.
    """
    seconds = np.asarray(times_ms, float) / 1000.0
    if params.experiment in SINES:
        return np.sin(2 * np.pi * params.frequency * seconds)[:, None]
    if params.experiment == "ode":
        return ode_to_joy(times_ms, params.quarter_ms)
    if params.experiment == "episode":
        return Episode(params, streams.rng("episode"))(times_ms)
    if params.experiment == "song":
        return Song(params.duration_ms, params.n_song_channels, streams.rng("song"))(times_ms)
    if params.experiment == "van_der_pol":
        return van_der_pol(params, seconds)
    raise UserError(
        f"talk 'clopath' has no experiment '{params.experiment}'; expected an experiment in its "
        "talk.yaml. Correct the name"
    )


def ode_to_joy(times_ms: NDArray, quarter_ms: float) -> NDArray[np.float64]:
    """Notes C to G as five channels, each note half a sine; repeats after 16 quarters (Eq. 9)."""
    times_ms = np.mod(np.asarray(times_ms, float), 16 * quarter_ms)
    score = np.zeros((times_ms.size, len(NOTES)))
    onset = 0.0
    for note in ODE_TO_JOY:
        length = quarter_ms * (2 if note.endswith("-") else 1)
        in_note = (times_ms >= onset) & (times_ms < onset + length)
        score[in_note, NOTES.index(note[0])] = np.sin(np.pi * (times_ms[in_note] - onset) / length)
        onset += length
    return score


class Episode:
    """Periodic low-passed Gaussian noise, every channel with peak 1 (README, Eq. 10).

    Called with times in ms, it gives (time, channel). The amplitude of frequency f is that of
    white noise times exp(-(f / cutoff)^2).
    """

    def __init__(self, params: Params, rng: np.random.Generator) -> None:
        """Draw the Fourier coefficients from `rng`."""
        self.duration_s = params.duration_ms / 1000.0
        # Beyond four times the cut-off the amplitude is below 1e-6.
        n_frequencies = int(4 * params.cutoff * self.duration_s)
        self.frequency = np.arange(1, n_frequencies + 1) / self.duration_s
        shape = (n_frequencies, params.n_episode_channels)
        weight = np.exp(-((self.frequency / params.cutoff) ** 2))[:, None]
        self.cosine = rng.standard_normal(shape) * weight
        self.sine = rng.standard_normal(shape) * weight
        self.peak = 1.0
        self.peak = np.abs(self(np.arange(0.0, params.duration_ms))).max(axis=0)

    def __call__(self, times_ms: NDArray) -> NDArray[np.float64]:
        """The episode at the given times in ms, (time, channel)."""
        angle = 2 * np.pi * np.multiply.outer(np.asarray(times_ms, float) / 1000.0, self.frequency)
        return (np.cos(angle) @ self.cosine + np.sin(angle) @ self.sine) / self.peak


def van_der_pol(params: Params, seconds: NDArray) -> NDArray[np.float64]:
    """The limit cycle of van der Pol's oscillator, both variables, (time, 2) (Eq. 30).

    Args:
        params: Needs mu, space_scale, time_scale.
        seconds: Ascending times.
    """
    from scipy.integrate import solve_ivp

    mu, square, speed = params.mu, params.space_scale**2, params.time_scale

    def flow(_: float, y: NDArray) -> list[float]:
        return [speed * mu * (y[0] - square * y[0] ** 3 / 3 - y[1]), speed * y[0] / mu]

    def run(start: NDArray, times: NDArray) -> NDArray:
        span = (0.0, float(times[-1]))
        return solve_ivp(flow, span, start, t_eval=times, rtol=1e-8, atol=1e-10).y.T

    limit_cycle_state = run(np.array([0.1, 0.1]), np.array([SETTLING_S]))[-1]
    return run(limit_cycle_state, np.asarray(seconds, float))


def clock_signal(
    times_ms: NDArray, n_components: int, duration_ms: float, speed: float
) -> NDArray[np.float64]:
    """The high-dimensional temporal signal: which component is up, and how much (Eq. 8).

    Args:
        times_ms: Times, (time,).
        n_components: Number m of components; 0 for a network without clock.
        duration_ms: Duration D of the episode at speed 1.
        speed: Compression factor; negative reads the clock backwards.

    Returns:
        (time, 2): index of the only active component, and its value |sin(pi m t / D)|.
    """
    times_ms = np.asarray(times_ms, float)
    if n_components == 0:
        return np.zeros((times_ms.size, 2))
    position = np.mod(speed * times_ms, duration_ms) * n_components / duration_ms
    index = np.minimum(np.floor(position), n_components - 1)
    return np.column_stack([index, np.abs(np.sin(np.pi * position))])


def driven_task(params: Params, streams: Streams, rng: np.random.Generator) -> Task:
    """Test trials of an Izhikevich experiment.

    The clock input has channels (component, value); before the test begins, the trial's own
    component beyond the clock's pushes the network once for `push_ms` with a random strength, so
    that trials start from different states. Targets cover the whole trial, warm-up included.
    """
    times = np.arange(0.0, params.warmup_ms + params.test_ms, SAMPLE_MS)
    n_components = params.clock_components
    clock = np.zeros((params.n_trials, times.size, 2))
    clock[:] = clock_signal(times, n_components, clock_period_ms(params), speed=1.0)
    is_pushed = times < params.push_ms
    for trial in range(params.n_trials):
        clock[trial, is_pushed, 0] = params.clock_components_max - 1 - trial
        clock[trial, is_pushed, 1] = rng.uniform(0.5, 1.5)
    trial_target = target(params, streams, times)
    targets = np.broadcast_to(trial_target, (params.n_trials, *trial_target.shape)).copy()
    return Task(
        stimulus=Stimulus(arrays={"clock": clock}), targets=targets, n_classes=0, dt_ms=SAMPLE_MS
    )


def clock_row(params: Params) -> NDArray[np.float64]:
    """One period of the clock at speed 1, every ms, (time, 2); empty without a clock."""
    period = clock_period_ms(params)
    times = np.arange(0.0, period, SAMPLE_MS)
    return clock_signal(times, params.clock_components, period, speed=1.0)


def clock_period_ms(params: Params) -> float:
    """Duration of the clock, that of the repeated target, in ms; 0 for a network without clock."""
    if not params.clock_components:
        return 0.0
    return float(16 * params.quarter_ms if params.experiment == "ode" else params.duration_ms)
