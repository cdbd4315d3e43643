"""Signature figures of FORCE in spiking networks: learning, replay, theta sequence, its controls.

Exhibits read (`<experiment>/exhibits.npz`), times in ms:

- sine, sawtooth, product: `training.time_ms` (time,), `training.output` (time,),
  `training.target` (time,): the whole run, before, during and after learning;
  `training.rls_ms` (2,): when RLS is switched on and off.
- sine, ode, song: `replay.time_ms` (time,), `replay.output` (time, channel), `replay.target`
  (time, channel): one test trial with learning off; `raster.spike_ms`, `raster.neuron` (spike,):
  spikes of some neurons in its first second.
- shot: `sequence.spike_ms`, `sequence.neuron` (spike,): excitatory spikes of one trial;
  `sequence.phase` (neuron,): phase in the theta sequence in rad, by which neurons are sorted;
  `sequence.off_ms` (): when the septum falls silent; `sequence.beat_hz`, `sequence.rhythm_hz` ().

Metrics read: `correlation` under the perturbation `clock` (strength: speed of the clock, negative
backwards) of ode and episode; of shot `order_correlation` and `compression`, also under `septum`
(strength: its frequency in Hz) and `septum_constant`, and `replay_rate`, also under `not_released`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whyspiking.plots.figures import (
    BLUE,
    GREY,
    MARKERS,
    PALETTE,
    NotMeasuredError,
    Plate,
    legend_below,
    line_with_interval,
    need,
    over_seeds,
    raster,
)
from whyspiking.records.tables import Table
from whyspiking.talks.clopath.figures_colours import cyclic
from whyspiking.talks.clopath.figures_oneshot import one_shot
from whyspiking.talks.clopath.figures_reversion import reverse_replay
from whyspiking.talks.clopath.figures_sharp_waves import sharp_waves
from whyspiking.talks.clopath.song import frequencies_hz

if TYPE_CHECKING:
    from whyspiking.contract.types import Results

OSCILLATORS = {"sine": "sine", "sawtooth": "sawtooth", "product": "product of sines"}
NOTES = ("C", "D", "E", "F", "G")
CLOCK, SEPTUM = "clock", "septum"
OWN_HZ, SET_HZ = 8.5, 8.0
"""Frequencies that the network learns and that the septum has, as in talk.yaml."""
CONSTANT_AT = 9.0
"""Where inhibition without a rhythm is drawn on the axis of frequencies."""
EDGE_MS = 1000.0
"""How much of the time before and after learning is shown."""
FINE = 4
"""Every fourth sample (ms) is drawn of slow traces."""


def figures(results: Results) -> Mapping[str, Callable[[], Plate]]:
    """The talk's signature figures by name, in the order of the story."""
    return {
        "theta sequence": lambda: theta_sequence(results.exhibit("shot")),
        "what replay needs": lambda: septal_controls(results.metrics),
        "reverse replay": lambda: reverse_replay(results.exhibit("reversion"), results.metrics),
        "one-shot memory": lambda: one_shot(results.exhibit("oneshot"), results.metrics),
        "sharp waves": lambda: sharp_waves(results.exhibit("sharp_waves"), results.metrics),
        "force": lambda: force({name: results.exhibit(name) for name in OSCILLATORS}),
        "spikes behind an output": lambda: spikes_behind(results.exhibit("sine")),
        "ode to joy": lambda: ode_to_joy(results.exhibit("ode")),
        "song": lambda: song(results.exhibit("song")),
        "speed of the clock": lambda: clock_speeds(results.metrics),
    }


def force(kept: Mapping[str, Mapping[str, NDArray]]) -> Plate:
    """Output over target before, during and after learning."""
    drawable = [name for name in OSCILLATORS if "training.output" in kept.get(name, {})]
    if not drawable:
        raise NotMeasuredError("The run kept no course of training at this scale.")
    plate = Plate(0.7 + 1.15 * len(drawable))
    axes = plate.panels(len(drawable), 3, sharey="row", width_ratios=[1, 1, 1])
    words = []
    for place, name in enumerate(drawable):
        row = axes[place]
        time, output, target, rls = need(
            kept[name], *(f"training.{key}" for key in ("time_ms", "output", "target", "rls_ms"))
        )
        output, target = np.ravel(output), np.ravel(target)
        start, stop = float(rls[0]), float(rls[1])
        parts = {
            "before learning": (max(time[0], start - EDGE_MS), start),
            "first second of RLS": (start, min(start + EDGE_MS, stop)),
            "after: RLS off": (stop, min(time[-1], stop + EDGE_MS)),
        }
        for ax, (title, (left, right)) in zip(row, parts.items(), strict=True):
            inside = (time >= left) & (time <= right)
            seconds = time[inside] / 1000.0
            ax.plot(seconds, target[inside], color=GREY, linewidth=3, alpha=0.7, label="target")
            ax.plot(seconds, output[inside], color=BLUE, linewidth=1.1, label="output")
            if place == 0:
                ax.set_title(title)
            if place == len(drawable) - 1:
                ax.set_xlabel("time, s")
            error = np.sqrt(np.mean((output[inside] - target[inside]) ** 2)) / target.std()
            words.append(f"{name}, {title}: NRMSE {error:.2f}")
        row[0].set_ylabel(f"{OSCILLATORS[name]}\noutput")
        limit = 1.35 * float(np.abs(target).max())
        row[0].set_ylim(-limit, limit)
    legend_below(plate, axes[0])
    return plate.says(
        "FORCE in a network of Izhikevich neurons: decoded output over its target, before, during "
        "and after recursive least squares (RLS). After it the weights stay fixed and the network "
        "runs by itself, so its phase may drift.",
        "; ".join(words) + ".",
        exhibits=drawable[0],
    )


def spikes_behind(arrays: Mapping[str, NDArray]) -> Plate:
    """Spikes of some neurons above the output that all of them make, learning off."""
    spike_ms, neuron, time, output, target = need(
        arrays, "raster.spike_ms", "raster.neuron",
        "replay.time_ms", "replay.output", "replay.target",
    )  # fmt: skip
    stop = float(min(1000.0, time[-1] - time[0]))
    inside = time - time[0] <= stop
    plate = Plate(3.4)
    above, below = plate.panels(2, 1, sharex=True, height_ratios=[1.7, 1])[:, 0]
    raster(above, spike_ms[spike_ms <= stop], neuron[spike_ms <= stop])
    above.set_ylabel("neuron")
    if not neuron.size:
        above.set_yticks([])
        above.text(0.5, 0.5, "no neuron fires", transform=above.transAxes, ha="center")
    milliseconds = time[inside] - time[0]
    below.plot(milliseconds, target[inside, 0], color=GREY, linewidth=3, alpha=0.7, label="target")
    below.plot(milliseconds, output[inside, 0], color=BLUE, linewidth=1.2, label="output")
    below.set_ylabel("output")
    below.set_xlabel("time, ms")
    below.set_xlim(0, stop)
    legend_below(plate, [below])
    shown = np.unique(neuron).size
    rate = np.sum(spike_ms <= stop) / max(shown, 1) / (stop / 1000.0)
    return plate.says(
        "The 5 Hz sine with learning off, simulated in C++: spikes of some of the neurons, and the "
        "output decoded from all of them. The phase is the network's own.",
        f"Raster of {shown} neurons at {rate:.0f} Hz above the output over its target.",
        exhibits="sine",
    )


def ode_to_joy(arrays: Mapping[str, NDArray]) -> Plate:
    """Five note channels over their targets, learning off."""
    time, output, target = need(arrays, "replay.time_ms", "replay.output", "replay.target")
    inside = np.flatnonzero(time <= time[0] + 8000.0)[::FINE]
    seconds = (time[inside] - time[0]) / 1000.0
    plate = Plate(3.0)
    ax = plate.panels(1, 1)[0, 0]
    step = 1.25 * float(target.max())
    for channel in range(output.shape[1]):
        base = step * channel
        ax.fill_between(
            seconds,
            base,
            base + target[inside, channel],
            color=GREY,
            alpha=0.35,
            linewidth=0,
            label="" if channel else "target",
        )
        ax.plot(
            seconds,
            base + output[inside, channel],
            color=BLUE,
            linewidth=1.1,
            label="" if channel else "output",
        )
    ax.set_yticks([step * k for k in range(output.shape[1])], list(NOTES[: output.shape[1]]))
    ax.set_ylabel("note")
    ax.set_xlabel("time, s")
    legend_below(plate, [ax])
    r = np.mean([np.corrcoef(output[:, k], target[:, k])[0, 1] for k in range(output.shape[1])])
    return plate.says(
        "Ode to Joy, first bar, with learning off: one channel per note, filled the target.",
        f"Output over target in five note channels; mean correlation {r:.3f}.",
        exhibits="ode",
    )


def song(arrays: Mapping[str, NDArray]) -> Plate:
    """The made-up song's spectrogram as taught and as sung, learning off."""
    time, output, target = need(arrays, "replay.time_ms", "replay.output", "replay.target")
    kilohertz = frequencies_hz(target.shape[1]) / 1000.0
    half = 0.5 * (kilohertz[1] - kilohertz[0])
    extent = (0.0, (time[-1] - time[0]) / 1000.0, kilohertz[0] - half, kilohertz[-1] + half)
    plate = Plate(3.2)
    axes = plate.panels(2, 1, sharex=True)[:, 0]
    for ax, name, loudness in zip(axes, ("taught", "sung"), (target, output), strict=True):
        ax.imshow(
            loudness.T, origin="lower", aspect="auto", extent=extent, cmap="Greys",
            vmin=0.0, vmax=float(target.max()), interpolation="nearest",
        )  # fmt: skip
        ax.set_ylabel(f"{name}\nfrequency, kHz")
    axes[-1].set_xlabel("time, s")
    r = np.mean([np.corrcoef(output[:, k], target[:, k])[0, 1] for k in range(output.shape[1])])
    return plate.says(
        "A made-up song in place of the zebra finch's, whose recording is not published: its "
        "spectrogram, and what a network driven by a clock sings with learning off.",
        f"Two spectrograms of {target.shape[1]} channels; mean correlation {r:.3f}.",
        exhibits="song",
    )


def clock_speeds(metrics: Table) -> Plate:
    """Correlation of replay and target against the speed of the clock, backwards as well."""
    table = metrics[(metrics["metric"] == "correlation") & (metrics["variant"] == "spiking")]
    table = table[table["engine"] == "brian2"]
    graded = table[table["perturbation"] == CLOCK]
    if graded.empty:
        raise NotMeasuredError("The clock was not run at other speeds at this scale.")
    clean = table[(table["perturbation"] == "none")].assign(strength=1.0)
    plate = Plate(2.9, 6.0)
    ax = plate.panels(1, 1)[0, 0]
    speeds = sorted({*graded["strength"], 1.0}, key=lambda speed: (speed < 0, abs(speed)))
    places = {speed: k + (0.6 if speed < 0 else 0.0) for k, speed in enumerate(speeds)}
    words = []
    for index, experiment in enumerate(sorted(set(graded["experiment"]))):
        own = pd.concat([clean, graded])
        own = own[own["experiment"] == experiment]
        points = over_seeds(own, ["strength"])
        for forward in (True, False):
            part = points[(points["strength"] > 0) == forward]
            x = np.array([places[float(speed)] for speed in part["strength"]])
            order = np.argsort(x)
            part = part.iloc[order]
            line_with_interval(
                ax, x[order], part, index=index, label=experiment if forward else "_backwards"
            )
            for low, high, at in zip(part["low"], part["high"], x[order], strict=True):
                if np.isfinite(low):
                    ax.plot([at, at], [low, high], color=PALETTE[index], linewidth=1)
        words += [
            f"{experiment} × {row['strength']:g}: {row['mean']:.2f}"
            for row in points.to_dict("records")
        ]
    ax.axhline(0, color=GREY, linewidth=0.8, linestyle=":")
    ax.set_xticks(
        list(places.values()),
        [f"×{speed:g}" if speed > 0 else f"backwards\n×{-speed:g}" for speed in speeds],
    )
    ax.set_xlabel("speed of the clock")
    ax.set_ylabel("correlation with the\ntarget at that speed")
    legend_below(plate, [ax])
    return plate.says(
        "Replay is driven by a clock signal; running the clock faster compresses the replay, "
        "running it backwards reverses it. Bars: 95 % t intervals over seeds.",
        "Correlation by speed. " + "; ".join(words) + ".",
    )


def theta_sequence(arrays: Mapping[str, NDArray]) -> Plate:
    """Excitatory spikes with the septum on, and the compressed replay in the same order."""
    spike_ms, neuron, phase, off, beat, rhythm = need(
        arrays,
        *(
            f"sequence.{key}"
            for key in ("spike_ms", "neuron", "phase", "off_ms", "beat_hz", "rhythm_hz")
        ),
    )
    cycle_on, cycle_off = 1000.0 / float(beat), 1000.0 / float(rhythm)
    off_ms = float(off)
    known = np.isfinite(phase)
    # Phases may run with time or against it; neurons are sorted so that the sequence runs upwards.
    early = spike_ms < off_ms
    turn = 2 * np.pi * float(beat) * spike_ms[early] / 1000.0
    both = np.isfinite(phase[neuron[early]])
    phase = max(
        (phase, -phase), key=lambda p: abs(np.mean(np.exp(1j * (turn - p[neuron[early]])[both])))
    )
    phase = np.mod(phase, 2 * np.pi)
    rank = np.full(phase.size, -1)
    rank[np.argsort(np.where(known, phase, np.inf), kind="stable")[: known.sum()]] = np.arange(
        known.sum()
    )
    colours = cyclic(np.where(known, phase, 0.0))
    windows = (
        (max(0.0, off_ms - min(2.2 * cycle_on, 5000.0)), off_ms),
        (off_ms + 4 * cycle_off, off_ms + 8 * cycle_off),
    )
    titles = (
        f"septum on: sequence of {cycle_on / 1000:.2f} s",
        f"septum off: replay of {cycle_off:.0f} ms",
    )
    plate = Plate(3.8)
    axes = plate.panels(1, 2, sharey=True, width_ratios=[1.6, 1])[0]
    for ax, (left, right), title in zip(axes, windows, titles, strict=True):
        inside = (spike_ms >= left) & (spike_ms < right) & (rank[neuron] >= 0)
        raster(
            ax,
            (spike_ms[inside] - left) / (1000.0 if ax is axes[0] else 1.0),
            rank[neuron[inside]],
            colours=colours[neuron[inside]],
            height=max(0.9, known.sum() / 110),
        )
        ax.set_title(title)
        ax.set_xlim(0, (right - left) / (1000.0 if ax is axes[0] else 1.0))
    axes[0].set_ylim(-3, known.sum() + 3)
    axes[0].set_ylabel("excitatory neuron,\nsorted by its phase at left")
    axes[0].set_xlabel("time, s")
    axes[1].set_xlabel("time, ms")
    return plate.says(
        "The same excitatory neurons in the same order (and colour) on both sides. Left: with "
        "septal inhibition each fires at its own time of a slow sequence, the beat of two theta "
        "rhythms. Right: without it, and with 20 mV more, it is replayed in each internal cycle.",
        f"Raster of {int(known.sum())} excitatory neurons. The slow sequence lasts "
        f"{cycle_on / 1000:.2f} s, its replay {cycle_off:.0f} ms: {cycle_on / cycle_off:.1f} times "
        "compressed.",
        exhibits="shot",
    )


def septal_controls(metrics: Table) -> Plate:
    """Order, compression and rate of the replay when its causes are taken away one by one."""
    table = metrics[
        (metrics["experiment"] == "shot")
        & (metrics["engine"] == "brian2")
        & (metrics["variant"] == "spiking")
        & metrics["value"].notna()
    ]
    clean = table[table["perturbation"] == "none"].assign(strength=SET_HZ)
    graded = pd.concat([clean, table[table["perturbation"] == SEPTUM]])
    if not (table["perturbation"] == SEPTUM).any():
        raise NotMeasuredError("The septum was not run at other frequencies at this scale.")
    constant = table[table["perturbation"] == "septum_constant"].assign(strength=CONSTANT_AT)
    held = table[table["perturbation"] == "not_released"]
    plate = Plate(3.0)
    axes = plate.panels(1, 3, width_ratios=[1.5, 1.2, 0.8])[0]
    ordered = pd.concat([graded, constant])
    names = {at: f"{at:g}" for at in sorted(set(ordered["strength"]))} | {CONSTANT_AT: "none"}
    words = _dots(axes[0], ordered[ordered["metric"] == "order_correlation"], "order, Hz", names)
    axes[0].set_xticks(list(names), list(names.values()), rotation=60)
    axes[0].set_ylim(0, 1.05)
    axes[0].set_ylabel("order correlation of\nsequence and replay")
    axes[0].set_xlabel("frequency of the septum, Hz")

    slower = graded[(graded["metric"] == "compression") & (graded["strength"] < OWN_HZ)]
    words += _dots(axes[1], slower, "compression, Hz", names)
    line = np.linspace(7.4, 8.3, 100)
    axes[1].plot(line, OWN_HZ / (OWN_HZ - line), color=GREY, linewidth=1, linestyle="--")
    axes[1].set_yscale("log")
    axes[1].yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes[1].yaxis.set_minor_formatter(lambda value, _: f"{value:g}" if value in (5, 20, 50) else "")
    axes[1].set_ylabel("compression")
    axes[1].set_xlabel("frequency of the septum, Hz")

    rates = pd.concat([clean.assign(strength=0.0), held.assign(strength=1.0)])
    names = {0.0: "with", 1.0: "without"}
    words += _dots(axes[2], rates[rates["metric"] == "replay_rate"], "rate, 20 mV", names)
    axes[2].set_xticks(list(names), list(names.values()))
    axes[2].set_xlim(-0.6, 1.6)
    axes[2].set_ylim(bottom=0)
    axes[2].set_ylabel("excitatory rate, Hz")
    axes[2].set_xlabel("the added 20 mV")
    return plate.says(
        "What the replay needs, one dot per network. Left: order, with the septum at other "
        f"frequencies, at the network's own {OWN_HZ:g} Hz (no beat), and constant at the same mean "
        "(none). Middle: compression; dashed, the arithmetic of the two set frequencies. Right: "
        "how much excitatory neurons fire once the septum is off.",
        "; ".join(words) + ".",
        experiment="shot",
    )


def _dots(ax: Any, rows: Table, what: str, names: Mapping[float, str]) -> list[str]:
    """One dot per seed at its strength; means in words, strengths by their names."""
    for seed, part in rows.groupby("seed"):
        ax.plot(
            part["strength"], part["value"], color=PALETTE[0], linestyle="",
            marker=MARKERS[int(seed) % len(MARKERS)], alpha=0.8,
        )  # fmt: skip
    return [
        f"{what} {names[float(strength)]}: {part['value'].mean():.2f}"
        for strength, part in rows.groupby("strength")
    ]
