"""Run Brian2 models as compiled programs: build once, then run with other inputs and numbers.

This is the only module (with its half `brian_build`) that owns Brian2's device. A finished build is
run with numpy alone; Brian2 is imported only where something must be built.

**Time.** A trial has `trial_ms / dt_ms` steps. Step n ends at trial time `n * dt_ms`: the state
after step 0, which begins with the model's `reset`, is the state at time 0. Therefore

- an input spike at t acts (on what the synapses change) at the end of the step n nearest to t,
  n = floor(t / dt + 1/2); two spikes of a channel in one step become one (`Machine.merged` counts
  them), and a spike too late for the last step is dropped: nothing could follow from it;
- a recorded spike has the time `n * dt_ms` at which it acts on its targets. The threshold was
  crossed within the step before it, on average `dt_ms / 2` earlier;
- so recorded spikes that are sent in as input spikes act in the same step as before;
- sample m of a trace is the state at trial time `m * sampling`, after everything else in that step;
- row r of an analogue array drives the steps that begin after trial time r * (its dt) - dt_ms, i.e.
  the first row the first steps. An array is a `TimedArray` with a `name=`; its number of rows is
  that of one trial (then all trials share it and the model must read it at the time within the
  trial) or `max_trials` times as many.

**Exact times (`sub_step=True`).** An input spike at t belongs to the step with
(n - 1) * dt < t <= n * dt, and the variable `lag` of its channel holds the time n * dt - t in ms that
has passed since; a synapse reads it as `lag_pre` and changes the state as it would have become by
then. Populations do the same with a variable of their own: after the state update
(v - v_th) / (v - v_before) is the part of the step that has passed since the crossing; the statements
after a spike store it, times dt in ms, as `lag`. The schedule must then have "resets" before
"synapses", or the lag of the present spike is not yet known (Comsa et al. 2021 network: the error
falls from order dt to order dt^2). `lag_variable` subtracts it from the recorded times. The order
of spikes within a step follows the lags only in the recording.

**Numbers.** `values` sets "object.variable" for one run: a number, or an array with one entry per
neuron, or per synapse in the order of the connections: for `connect()` all pre x post pairs,
row by row, given flat or as (pre, post) matrix. Numbers are in Brian2's base units (seconds, volts;
plain for variables without dimension). What `values` leaves out keeps the value that `construct`
gave it.

**Wiring.** "synapses.i" and "synapses.j" (pre- and postsynaptic indices, both or none) replace the
connections of that object for one run, with any number of synapses; variables of theirs that are
not given are 0. Give them in the order of `numpy.nonzero` (by i, then j) for speed. A model whose
wiring is always exchanged calls `connect(i=0, j=0)`; a run that forgets to do so is refused.

Between trials nothing remains but what `reset` leaves: spikes under way (delays) are dropped. A
model with refractoriness resets `lastspike = -1e4*second` too. Brian2 draws no random numbers
unless the model's own statements do; `seed` determines those.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.metadata
import json
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking import brian_build
from whyspiking.contract import BrianModel, Recording, Stimulus
from whyspiking.errors import UserError
from whyspiking.spikes import Spikes

Value = float | NDArray

MANIFEST = "manifest.json"


class Machine:
    """A compiled model that runs any number of stimuli.

    Attributes:
        model: The network.
        project: Folder of the build, `<folder>/<name>-<hash of all that determines the code>`.
        built: Whether this object had to build it.
        manifest: What the build recorded about itself, among it `seconds` and `cpu_seconds` by phase.
        merged: Input spikes of the last run that fell into the step of another spike of their
            channel and were dropped.
    """

    def __init__(self, model: BrianModel, folder: Path) -> None:
        """Find or make the build of a model.

        Only one process builds at a time; others wait for it. A build that was interrupted is
        removed and made anew.

        Args:
            model: The network.
            folder: Where builds are kept, `resources/build` in the workflow.

        Raises:
            UserError: If the model is inconsistent or cannot be compiled.
        """
        _check(model)
        self.model = model
        self.project = (folder / f"{model.name}-{_digest(model)}").resolve()
        self.built = False
        self.merged = 0
        self._steps = brian_build.steps_per_trial(model)
        manifest = self._finished()
        if manifest is None:
            folder.mkdir(parents=True, exist_ok=True)
            with _locked(self.project.with_name(self.project.name + ".lock")):
                manifest = self._finished()
                if manifest is None:
                    shutil.rmtree(self.project, ignore_errors=True)
                    manifest = brian_build.build(model, self.project, folder)
                    partial = self.project / f"{MANIFEST}.partial"
                    partial.write_text(json.dumps(manifest, indent=1))
                    partial.replace(self.project / MANIFEST)
                    self.built = True
        self.manifest: dict[str, Any] = manifest

    def run(
        self,
        stimulus: Stimulus,
        values: Mapping[str, Value],
        *,
        trials: int | None = None,
        seed: int = 0,
    ) -> Recording:
        """Simulate all trials of a stimulus, one after the other.

        Safe to call from several processes at once.

        Args:
            stimulus: Input spikes by input name (left out: no spikes) and analogue arrays by name
                (left out: as constructed).
            values: "object.variable" -> number or array; see the module's description.
            trials: Number of trials; needed only where the stimulus does not tell (default then 1).
            seed: Seed of the model's own random statements; piece p of a long stimulus uses
                seed + p.

        Raises:
            UserError: If a name is unknown or a size is wrong.
            RuntimeError: If the program fails.
        """
        n_trials = self._count_trials(stimulus, trials)
        self.merged = 0
        pieces = [
            self._run_piece(
                _select(stimulus, start, min(start + self.model.max_trials, n_trials)),
                values,
                min(self.model.max_trials, n_trials - start),
                seed + number,
            )
            for number, start in enumerate(range(0, n_trials, self.model.max_trials))
        ]
        return pieces[0] if len(pieces) == 1 else _join(pieces)

    def _finished(self) -> dict[str, Any] | None:
        path = self.project / MANIFEST
        return json.loads(path.read_text()) if path.exists() else None

    def _error(self, message: str) -> UserError:
        return UserError(f"Brian2 model '{self.model.name}': {message}")

    def _count_trials(self, stimulus: Stimulus, trials: int | None) -> int:
        counts = {f"spikes of '{k}'": v.n_trials for k, v in stimulus.spikes.items()}
        counts |= {f"array '{k}'": v.shape[0] for k, v in stimulus.arrays.items() if v.ndim == 3}
        if trials is not None:
            counts["trials"] = trials
        if len(set(counts.values())) > 1:
            raise self._error(f"numbers of trials differ: {counts}")
        n_trials = next(iter(counts.values()), 1)
        if n_trials < 1:
            raise self._error("the stimulus has no trial; at least one is needed")
        return n_trials

    def _run_piece(
        self, stimulus: Stimulus, values: Mapping[str, Value], n_trials: int, seed: int
    ) -> Recording:
        with tempfile.TemporaryDirectory(prefix="whyspiking-") as name:
            folder = Path(name)
            words = [f"random:seed={seed % 2**32}", f"trials:count={n_trials}"]
            words += self._input_words(stimulus, n_trials, folder)
            words += self._array_words(stimulus, n_trials, folder)
            words += self._value_words(values, folder)
            results = folder / "results"
            results.mkdir()
            # The program looks for its static arrays in the working folder, and prepends the
            # results folder to file names as it is.
            done = subprocess.run(
                ["./main", "--results_dir", f"{results}/", *words],
                cwd=self.project,
                capture_output=True,
                text=True,
            )
            # Brian2 reports an unreadable value file on stderr only and goes on with old values.
            if done.returncode or done.stderr or done.stdout:
                raise RuntimeError(
                    f"simulation of '{self.model.name}' failed (exit code {done.returncode}): "
                    f"{(done.stderr + done.stdout)[-1500:]}"
                )
            return Recording(
                spikes={
                    population: self._read_spikes(entry, results, n_trials)
                    for population, entry in self.manifest["populations"].items()
                },
                traces={
                    monitor: _read(entry, results).reshape(n_trials, -1, entry["size"])
                    for monitor, entry in self.manifest["traces"].items()
                },
                trace_dt_ms={k: float(v[2]) for k, v in self.model.record_traces.items()},
            )

    def _input_words(self, stimulus: Stimulus, n_trials: int, folder: Path) -> list[str]:
        inputs = self.manifest["inputs"]
        if unknown := set(stimulus.spikes) - set(inputs):
            raise self._error(f"no input is named {sorted(unknown)}; it has {sorted(inputs)}")
        words = []
        for name, channels in inputs.items():
            spikes = stimulus.spikes.get(name)
            if spikes is None:
                empty = np.zeros(0)
                spikes = Spikes.sorted(
                    empty,
                    empty,
                    empty,
                    n_trials=n_trials,
                    n_units=channels,
                    duration_ms=self.model.trial_ms,
                )
            if spikes.n_units != channels:
                raise self._error(
                    f"input '{name}' has {channels} channels, its spikes {spikes.n_units} units"
                )
            if spikes.duration_ms > self.model.trial_ms + self.model.dt_ms / 2:
                raise self._error(
                    f"spikes of input '{name}' last {spikes.duration_ms} ms per trial, the model's "
                    f"trials {self.model.trial_ms} ms; lengthen trial_ms"
                )
            steps, units, lags, merged = to_events(
                spikes, self.model.dt_ms, self._steps, self.model.sub_step
            )
            self.merged += merged
            path = folder / f"events-{name}"
            with path.open("wb") as file:
                file.write(np.int64(steps.size).tobytes())
                file.write(steps.astype(np.int32).tobytes())
                file.write(units.astype(np.int32).tobytes())
                if self.model.sub_step:
                    file.write(lags.tobytes())
            words.append(f"events:{name}={path}")
        return words

    def _array_words(self, stimulus: Stimulus, n_trials: int, folder: Path) -> list[str]:
        words = []
        for name, array in stimulus.arrays.items():
            entry = self.manifest["arrays"].get(name)
            if entry is None:
                raise self._error(
                    f"no TimedArray is named '{name}'; it has {sorted(self.manifest['arrays'])}"
                )
            shape = tuple(entry["shape"])
            rows = round(self.model.trial_ms / entry["dt_ms"])
            full = np.zeros(shape, entry["dtype"])
            shared = shape[0] == rows
            per_trial = (rows, *shape[1:])
            given = array if array.ndim == 3 else array[np.newaxis]
            if len(shape) == 1 and given.shape[-1] == 1:
                given = given[..., 0]
            if given.shape[1:] != per_trial or (shared and given.shape[0] > 1):
                raise self._error(
                    f"array '{name}' has shape {array.shape}; expected "
                    f"{'' if shared else '(trial, ...) or '}{per_trial}"
                )
            if shared:
                full[:] = given[0]
            else:
                used = full[: n_trials * rows].reshape(n_trials, *per_trial)
                used[:] = given
            path = folder / f"array-{name}"
            full.tofile(path)
            words.append(f"{name}.values={path}")
        return words

    def _value_words(self, values: Mapping[str, Value], folder: Path) -> list[str]:
        sizes = dict(self.manifest["n_synapses"])
        words = []
        for name, (n_pre, n_post) in self.manifest["synapses"].items():
            pre, post = values.get(f"{name}.i"), values.get(f"{name}.j")
            if pre is None and post is None:
                if sizes[name] == 1 and n_pre * n_post > 1:
                    raise self._error(f"the wiring of '{name}' is missing; give {name}.i, {name}.j")
                continue
            if pre is None or post is None or np.shape(pre) != np.shape(post) or np.ndim(pre) != 1:
                raise self._error(f"'{name}.i' and '{name}.j' must be two equally long lists")
            pre, post = np.asarray(pre, np.int32), np.asarray(post, np.int32)
            for which, index, n in (("i", pre, n_pre), ("j", post, n_post)):
                if index.size and not 0 <= index.min() <= index.max() < n:
                    raise self._error(f"'{name}.{which}' must lie in [0, {n})")
            sizes[name] = int(pre.size)
            path = folder / f"links-{name}"
            path.write_bytes(np.int64(pre.size).tobytes() + pre.tobytes() + post.tobytes())
            words.append(f"links:{name}={path}")
        for key, value in values.items():
            owner, _, variable = key.rpartition(".")
            if owner in sizes and variable in ("i", "j"):
                continue
            entry = self.manifest["variables"].get(key)
            if entry is None:
                known = [k for k in self.manifest["variables"] if k.startswith(f"{owner}.")]
                raise self._error(f"no variable '{key}' can be set; known: {known or 'see model'}")
            size = sizes[owner] if entry["size"] is None else entry["size"]
            array = np.asarray(value, entry["dtype"])
            if array.ndim == 0 and np.isfinite(array):
                words.append(f"{key}={float(array)!r}")
                continue
            if array.ndim == 0:
                array = np.full(size, array)
            expected = [(size,)]
            if entry["size"] is None and f"{owner}.i" not in values:
                expected.append(tuple(self.manifest["synapses"][owner]))
            if array.shape not in expected or array.size != size:
                raise self._error(
                    f"value '{key}' has shape {array.shape}; expected a number or "
                    f"{' or '.join(map(str, expected))}"
                )
            path = folder / f"value-{key}"
            array.tofile(path)
            words.append(f"{key}={path}")
        return words

    def _read_spikes(self, entry: Mapping[str, Any], results: Path, n_trials: int) -> Spikes:
        dt = self.model.dt_ms
        units = _read(entry["unit"], results)
        steps = np.rint(_read(entry["time"], results) * (1e3 / dt)).astype(np.int64)
        trials, step = np.divmod(steps, self._steps)
        sizes = {
            "n_trials": n_trials,
            "n_units": entry["size"],
            "duration_ms": float(self.model.trial_ms),
        }
        if entry["lag"] is None:
            return Spikes(step * dt, units, trials.astype(np.int32), **sizes)
        times = np.maximum(step * dt - _read(entry["lag"], results), 0.0)
        return Spikes.sorted(times, units, trials, **sizes)


def to_events(
    spikes: Spikes, dt_ms: float, n_steps: int, sub_step: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], int]:
    """Bring input spikes onto the steps of a run.

    Args:
        spikes: Input spikes of all trials.
        dt_ms: Length of a step in ms.
        n_steps: Steps per trial; what would act after the last is dropped.
        sub_step: Whether spikes keep their exact time.

    Returns:
        Of each event, sorted by step, then by channel: its step counted from the start of the first
        trial, its channel, and its lag in ms (0 without `sub_step`); and the number of spikes that
        were dropped because their channel had another spike in the same step.
    """
    if sub_step:
        # A time meant to be a multiple of dt must not end up in the next step.
        step = np.ceil(spikes.times_ms / dt_ms - 1e-9).astype(np.int64)
        lags = np.maximum(step * dt_ms - spikes.times_ms, 0.0)
    else:
        step = np.floor(spikes.times_ms / dt_ms + 0.5).astype(np.int64)
        lags = np.zeros(step.size)
    kept = step < n_steps
    key = (spikes.trials * np.int64(n_steps) + step) * spikes.n_units + spikes.units
    key, lags = key[kept], lags[kept]
    if np.any(key[1:] < key[:-1]):
        order = np.argsort(key, kind="stable")
        key, lags = key[order], lags[order]
    first = np.ones(key.size, bool)
    first[1:] = key[1:] != key[:-1]
    steps, channels = np.divmod(key[first], spikes.n_units)
    return steps, channels, lags[first], int(key.size - np.count_nonzero(first))


def _check(model: BrianModel) -> None:
    """Refuse what would fail late or silently."""
    steps = brian_build.steps_per_trial(model)
    if model.max_trials < 1 or model.max_trials * steps >= 2**31:
        raise UserError(
            f"Brian2 model '{model.name}': max_trials is {model.max_trials}; with {steps} steps per "
            f"trial it must lie between 1 and {(2**31 - 1) // steps}"
        )
    for population, replay in model.replay.items():
        if replay.input not in model.inputs:
            raise UserError(
                f"Brian2 model '{model.name}': replay of '{population}' uses '{replay.input}', "
                f"which is not one of its inputs {sorted(model.inputs)}"
            )
    if unrecorded := set(model.lag_variable) - set(model.record_spikes):
        raise UserError(
            f"Brian2 model '{model.name}': lag_variable names {sorted(unrecorded)}, whose spikes "
            "are not recorded; add them to record_spikes"
        )


def _digest(model: BrianModel) -> str:
    """Hash of everything that determines the program."""
    parts = {
        "definition": model.definition,
        "inputs": dict(model.inputs),
        "numbers": [model.dt_ms, model.trial_ms, model.max_trials, model.sub_step],
        "reset": dict(model.reset),
        "record": [list(model.record_spikes), {k: list(v) for k, v in model.record_traces.items()}],
        "lag": dict(model.lag_variable),
        "schedule": list(model.schedule),
        "brian2": importlib.metadata.version("brian2"),
        "compiler": [brian_build.compiler(), *brian_build.FLAGS, _processor()],
        "builder": [
            hashlib.sha256(path.read_bytes()).hexdigest()
            for path in (Path(brian_build.__file__), brian_build.HEADER)
        ],
    }
    text = json.dumps(parts, sort_keys=True, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _plain(value: Any) -> Any:
    """JSON form of numpy numbers and arrays, and of mappings that are not dicts."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    raise UserError(f"BrianModel.definition: {value!r} is not a number, text, list or mapping")


def _processor() -> str:
    """What the compiled code depends on: it uses all instructions of the processor it is made on."""
    with contextlib.suppress(OSError), open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith(("flags", "Features")):
                return platform.machine() + hashlib.sha256(line.encode()).hexdigest()
    return platform.machine() + platform.processor()


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock, which ends with the process at the latest."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)


def _read(entry: Mapping[str, Any], results: Path) -> NDArray:
    path = results / entry["file"]
    # Brian2 writes no file for an array without entries.
    return np.fromfile(path, entry["dtype"]) if path.exists() else np.zeros(0, entry["dtype"])


def _select(stimulus: Stimulus, start: int, stop: int) -> Stimulus:
    def cut(spikes: Spikes) -> Spikes:
        if (start, stop) == (0, spikes.n_trials):
            return spikes
        low, high = np.searchsorted(spikes.trials, [start, stop])
        return replace(
            spikes,
            times_ms=spikes.times_ms[low:high],
            units=spikes.units[low:high],
            trials=spikes.trials[low:high] - np.int32(start),
            n_trials=stop - start,
        )

    return Stimulus(
        {name: cut(spikes) for name, spikes in stimulus.spikes.items()},
        {k: v[start:stop] if v.ndim == 3 else v for k, v in stimulus.arrays.items()},
    )


def _join(pieces: list[Recording]) -> Recording:
    offsets = [0]
    first = pieces[0]
    populations = {}
    for name in first.spikes:
        parts = [piece.spikes[name] for piece in pieces]
        offsets = np.cumsum([0] + [part.n_trials for part in parts])
        populations[name] = Spikes(
            np.concatenate([part.times_ms for part in parts]),
            np.concatenate([part.units for part in parts]),
            np.concatenate(
                [part.trials + np.int32(o) for part, o in zip(parts, offsets[:-1], strict=True)]
            ),
            int(offsets[-1]),
            parts[0].n_units,
            parts[0].duration_ms,
        )
    return Recording(
        populations,
        {name: np.concatenate([piece.traces[name] for piece in pieces]) for name in first.traces},
        first.trace_dt_ms,
    )
