"""Inputs and results of a compiled model: files and words of the command line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.brian_model import BrianModel
from whyspiking.contract.spikes import Spikes
from whyspiking.errors import UserError

Value = float | NDArray


class Exchange:
    """Writes the files of one run of a model's program and reads what it recorded.

    The methods that write return words of the command line; their arguments are those of
    `Machine.run`, and they raise `UserError` where a name is unknown or a size is wrong.

    Attributes:
        merged: Input spikes that `spikes` has dropped so far, because their channel had another
            spike in the same step.
    """

    def __init__(self, model: BrianModel, manifest: Mapping[str, Any], n_steps: int) -> None:
        """Remember the model, the manifest of its build and its number of steps per trial."""
        self.model = model
        self.manifest = manifest
        self.n_steps = n_steps
        self.merged = 0

    def spikes(self, spikes: Mapping[str, Spikes], folder: Path) -> list[str]:
        """Write one event file per input of the model."""
        inputs = self.manifest["inputs"]
        if unknown := set(spikes) - set(inputs):
            raise self.error(
                f"the stimulus names the inputs {sorted(unknown)}, which the model does not have; "
                f"expected some of {sorted(inputs)}. Correct the names"
            )
        return [
            f"events:{name}={self._events(name, channels, spikes.get(name), folder)}"
            for name, channels in inputs.items()
        ]

    def _events(self, name: str, channels: int, spikes: Spikes | None, folder: Path) -> Path:
        model = self.model
        if spikes is None:
            no_spikes = np.zeros(0)
            spikes = Spikes.sorted(
                no_spikes,
                no_spikes,
                no_spikes,
                n_trials=1,
                n_units=channels,
                duration_ms=model.trial_ms,
            )
        if spikes.n_units != channels:
            raise self.error(
                f"input '{name}' has {channels} channels, but its spikes have "
                f"{spikes.n_units} units; expected equal numbers. Change one of them"
            )
        if spikes.duration_ms > model.trial_ms + model.dt_ms / 2:
            raise self.error(
                f"spikes of input '{name}' last {spikes.duration_ms} ms per trial, but a trial of "
                f"the model lasts only {model.trial_ms} ms. Increase trial_ms"
            )
        steps, units, lags, merged = to_events(spikes, model.dt_ms, self.n_steps, model.sub_step)
        self.merged += merged
        path = folder / f"events-{name}"
        with path.open("wb") as file:
            file.write(np.int64(steps.size).tobytes())
            file.write(steps.astype(np.int32).tobytes())
            file.write(units.astype(np.int32).tobytes())
            if model.sub_step:
                file.write(lags.tobytes())
        return path

    def arrays(self, arrays: Mapping[str, NDArray], n_trials: int, folder: Path) -> list[str]:
        """Write the values of analogue inputs; trials that are not run stay 0."""
        command_words = []
        for name, array in arrays.items():
            entry = self.manifest["arrays"].get(name)
            if entry is None:
                raise self.error(
                    f"the model has no TimedArray '{name}'; expected one of "
                    f"{sorted(self.manifest['arrays'])}. Correct the name"
                )
            rows = round(self.model.trial_ms / entry["dt_ms"])
            # An array with the rows of a single trial holds for all trials.
            is_shared = entry["shape"][0] == rows
            per_trial = (rows, *entry["shape"][1:])
            trial_values = array if array.ndim == 3 else array[np.newaxis]
            if len(per_trial) == 1 and trial_values.shape[-1] == 1:
                trial_values = trial_values[..., 0]
            if trial_values.shape[1:] != per_trial or (is_shared and trial_values.shape[0] > 1):
                raise self.error(
                    f"array '{name}' has shape {array.shape}; expected {per_trial}"
                    + ("" if is_shared else " or (trial, ...) of these")
                )
            all_values = np.zeros(entry["shape"], entry["dtype"])
            run_values = (
                all_values
                if is_shared
                else all_values[: n_trials * rows].reshape(n_trials, *per_trial)
            )
            run_values[:] = trial_values[0] if is_shared else trial_values
            path = folder / f"array-{name}"
            all_values.tofile(path)
            command_words.append(f"{name}.values={path}")
        return command_words

    def wiring(self, values: Mapping[str, Value], folder: Path) -> list[str]:
        """Write the connections that `values` gives as "synapses.i" and "synapses.j"."""
        command_words = []
        for name, (n_pre, n_post) in self.manifest["synapses"].items():
            pre, post = values.get(f"{name}.i"), values.get(f"{name}.j")
            if pre is None and post is None:
                if self.manifest["n_synapses"][name] == 1 and n_pre * n_post > 1:
                    raise self.error(
                        f"the connections of '{name}' are missing; expected {name}.i and "
                        f"{name}.j. Add both"
                    )
                continue
            if pre is None or post is None or np.shape(pre) != np.shape(post) or np.ndim(pre) != 1:
                raise self.error(f"'{name}.i' and '{name}.j' must be two equally long lists")
            pre, post = np.asarray(pre, np.int32), np.asarray(post, np.int32)
            for side, index, n in (("i", pre, n_pre), ("j", post, n_post)):
                if index.size and not 0 <= index.min() <= index.max() < n:
                    raise self.error(f"'{name}.{side}' must lie in [0, {n})")
            path = folder / f"links-{name}"
            path.write_bytes(np.int64(pre.size).tobytes() + pre.tobytes() + post.tobytes())
            command_words.append(f"links:{name}={path}")
        return command_words

    def numbers(self, values: Mapping[str, Value], folder: Path) -> list[str]:
        """Write the values of variables; sizes are checked here, for Brian2 goes on regardless."""
        command_words = []
        for key, value in values.items():
            owner, _, variable = key.rpartition(".")
            if owner in self.manifest["synapses"] and variable in ("i", "j"):
                continue
            entry = self.manifest["variables"].get(key)
            if entry is None:
                names = [k for k in self.manifest["variables"] if k.startswith(f"{owner}.")]
                names = names or sorted({k.split(".")[0] for k in self.manifest["variables"]})
                raise self.error(
                    f"the variable '{key}' cannot be set; expected one of {names}. Correct the name"
                )
            array = np.asarray(value, entry["dtype"])
            if array.ndim == 0 and np.isfinite(array):
                command_words.append(f"{entry['word']}={float(array)!r}")
                continue
            expected: list[tuple[int, ...]]
            if entry["size"] is not None:
                expected = [(entry["size"],)]
            elif f"{owner}.i" in values:
                expected = [(np.size(values[f"{owner}.i"]),)]
            else:
                expected = [(self.manifest["n_synapses"][owner],)]
                n_pre, n_post = self.manifest["synapses"][owner]
                if (n_pre * n_post,) == expected[0]:
                    expected.append((n_pre, n_post))
            if array.ndim == 0:
                array = np.full(expected[0], array)
            if array.shape not in expected:
                raise self.error(
                    f"value '{key}' has shape {array.shape}; expected a number or "
                    f"{' or '.join(map(str, expected))}"
                )
            # An absolute path: Brian2 takes what begins with a digit or a minus for a number.
            path = folder / f"value-{key}"
            array.tofile(path)
            command_words.append(f"{entry['word']}={path}")
        return command_words

    def read_spikes(self, population: str, results: Path, n_trials: int) -> Spikes:
        """Read the recorded spikes of a population."""
        entry = self.manifest["populations"][population]
        dt = self.model.dt_ms
        units = _read_result(entry["unit"], results)
        steps = np.rint(_read_result(entry["time"], results) * 1e3 / dt).astype(np.int64)
        trials, step = np.divmod(steps, self.n_steps)
        sizes = {
            "n_trials": n_trials,
            "n_units": entry["size"],
            "duration_ms": float(self.model.trial_ms),
        }
        if entry["lag"] is None:
            return Spikes(step * dt, units, trials.astype(np.int32), **sizes)
        times = np.maximum(step * dt - _read_result(entry["lag"], results), 0.0)
        return Spikes.sorted(times, units, trials, **sizes)

    def read_trace(self, monitor: str, results: Path, n_trials: int) -> NDArray:
        """The samples of a monitor, (trial, time, neuron)."""
        entry = self.manifest["traces"][monitor]
        return _read_result(entry, results).reshape(n_trials, self.n_steps // entry["every"], -1)

    def read_final(self, name: str, results: Path) -> NDArray:
        """The values of a variable when the run ended, (neuron,) or (synapse,)."""
        return _read_result(self.manifest["final"][name], results)

    def error(self, message: str) -> UserError:
        """An error that names the model."""
        return UserError(f"Brian2 model '{self.model.name}': {message}")


def _read_result(entry: Mapping[str, Any], results: Path) -> NDArray:
    return np.fromfile(results / entry["file"], entry["dtype"])


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
    is_within = step < n_steps
    sort_key = (spikes.trials * np.int64(n_steps) + step) * spikes.n_units + spikes.units
    sort_key, lags = sort_key[is_within], lags[is_within]
    if np.any(sort_key[1:] < sort_key[:-1]):
        order = np.argsort(sort_key, kind="stable")
        sort_key, lags = sort_key[order], lags[order]
    is_first = np.ones(sort_key.size, bool)
    is_first[1:] = sort_key[1:] != sort_key[:-1]
    steps, channels = np.divmod(sort_key[is_first], spikes.n_units)
    return steps, channels, lags[is_first], int(sort_key.size - np.count_nonzero(is_first))
