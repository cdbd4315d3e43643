"""Find or make the program of a model, and run it."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from whyspiking.brian import assembling, building
from whyspiking.brian.run_files import Exchange, Value
from whyspiking.compiler import programs
from whyspiking.contract.brian_model import BrianModel
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Progress, Recording, Stimulus
from whyspiking.errors import UserError
from whyspiking.records import whole_files

MANIFEST = "manifest.json"
PROGRAM = "main"
STATIC = "static_arrays/*"
"""Files that a program reads at its start, within the folder of the build."""


class Machine:
    """A compiled model that runs any number of stimuli.

    Attributes:
        model: The network.
        project: Folder of the build, `<folder>/<name>-<hash of all that determines the code>`.
        built: Whether this object had to build it.
        manifest: What the build recorded about itself, among it its `seconds` and `cpu_seconds` by
            phase.
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
        assembling.check(model)
        self.model = model
        self.project = (folder / f"{model.name}-{building.digest(model)}").resolve()
        self.built = False
        self.merged = 0
        self._steps = assembling.steps_per_trial(model)
        manifest = self._finished()
        if manifest is None:
            folder.mkdir(parents=True, exist_ok=True)
            with _hold_lock(self.project.with_name(self.project.name + ".lock")):
                manifest = self._finished()
                if manifest is None:
                    shutil.rmtree(self.project, ignore_errors=True)
                    manifest = building.build(model, self.project, folder)
                    manifest["sha256"] = {
                        str(path.relative_to(self.project)): _hash_file(path)
                        for path in (self.project / PROGRAM, *self.project.glob(STATIC))
                    }
                    whole_files.write(self.project / MANIFEST, json.dumps(manifest, indent=1))
                    self.built = True
        self.manifest: dict[str, Any] = manifest

    def run(
        self,
        stimulus: Stimulus,
        values: Mapping[str, Value],
        *,
        trials: int | None = None,
        seed: int = 0,
        spikes: bool = True,
        progress: Progress | None = None,
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
            spikes: Whether to record spikes; a long run of which only traces and final values are
                wanted is spared the memory.
            progress: Told about every second how far each piece is.

        Raises:
            UserError: If a name is unknown or a size is wrong.
            RuntimeError: If the program fails.
        """
        n_trials = self._count_trials(stimulus, trials)
        self.merged = 0
        pieces = [
            self._run_piece(
                _select_trials(stimulus, start, min(start + self.model.max_trials, n_trials)),
                values,
                min(self.model.max_trials, n_trials - start),
                seed + number,
                spikes,
                progress,
            )
            for number, start in enumerate(range(0, n_trials, self.model.max_trials))
        ]
        return pieces[0] if len(pieces) == 1 else _join_recordings(pieces)

    def _finished(self) -> dict[str, Any] | None:
        """Read the manifest of a finished and undamaged build; None if there is none."""
        path = self.project / MANIFEST
        if not path.exists():
            return None
        try:
            manifest = whole_files.read_json(path, "inputs", "variables")
            digests = manifest.get("sha256", {})
            is_undamaged = all(
                _hash_file(self.project / name) == digest for name, digest in digests.items()
            )
        except (UserError, OSError):
            return None
        return manifest if is_undamaged else None

    def _count_trials(self, stimulus: Stimulus, trials: int | None) -> int:
        counts = {f"spikes of '{k}'": v.n_trials for k, v in stimulus.spikes.items()}
        counts |= {f"array '{k}'": v.shape[0] for k, v in stimulus.arrays.items() if v.ndim == 3}
        if trials is not None:
            counts["trials"] = trials
        if len(set(counts.values())) > 1:
            raise UserError(
                f"Brian2 model '{self.model.name}': the parts of the stimulus have different "
                f"numbers of trials: {counts}; expected equal numbers. Give all parts the same "
                "number of trials"
            )
        n_trials = next(iter(counts.values()), 1)
        if n_trials < 1:
            raise UserError(
                f"Brian2 model '{self.model.name}': the stimulus has no trial; expected at "
                "least one. Add a trial"
            )
        return n_trials

    def _run_piece(
        self,
        stimulus: Stimulus,
        values: Mapping[str, Value],
        n_trials: int,
        seed: int,
        spikes: bool,
        progress: Progress | None,
    ) -> Recording:
        exchange = Exchange(self.model, self.manifest, self._steps)
        with tempfile.TemporaryDirectory(prefix="whyspiking-") as name:
            folder = Path(name).resolve()
            command_words = [f"random:seed={seed % 2**32}", f"trials:count={n_trials}"]
            command_words += [] if spikes else ["spikes:none=1"]
            command_words += exchange.spikes(stimulus.spikes, folder)
            command_words += exchange.arrays(stimulus.arrays, n_trials, folder)
            command_words += exchange.wiring(values, folder)
            command_words += exchange.numbers(values, folder)
            self.merged += exchange.merged
            results = folder / "results"
            results.mkdir()
            command_words = ["--results_dir", f"{results}/", *command_words]
            programs.run_program(self.project, command_words, progress)
            return Recording(
                spikes={
                    population: exchange.read_spikes(population, results, n_trials)
                    for population in (self.manifest["populations"] if spikes else ())
                },
                traces={
                    monitor: exchange.read_trace(monitor, results, n_trials)
                    for monitor in self.manifest["traces"]
                },
                trace_dt_ms={k: float(v[2]) for k, v in self.model.record_traces.items()},
                final={name: exchange.read_final(name, results) for name in self.manifest["final"]},
            )


def _hash_file(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@contextlib.contextmanager
def _hold_lock(path: Path) -> Iterator[None]:
    """Hold an exclusive lock, which ends with the process at the latest."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)


def _select_trials(stimulus: Stimulus, start: int, stop: int) -> Stimulus:
    def cut_spikes(spikes: Spikes) -> Spikes:
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
        {name: cut_spikes(spikes) for name, spikes in stimulus.spikes.items()},
        {k: v[start:stop] if v.ndim == 3 else v for k, v in stimulus.arrays.items()},
    )


def _join_recordings(pieces: list[Recording]) -> Recording:
    first_piece = pieces[0]
    populations = {}
    for name in first_piece.spikes:
        spike_pieces = [piece.spikes[name] for piece in pieces]
        # Each piece counts its trials from 0.
        offsets = np.cumsum([0] + [spikes.n_trials for spikes in spike_pieces])
        populations[name] = Spikes(
            np.concatenate([spikes.times_ms for spikes in spike_pieces]),
            np.concatenate([spikes.units for spikes in spike_pieces]),
            np.concatenate(
                [
                    spikes.trials + np.int32(offset)
                    for spikes, offset in zip(spike_pieces, offsets[:-1], strict=True)
                ]
            ),
            int(offsets[-1]),
            spike_pieces[0].n_units,
            spike_pieces[0].duration_ms,
        )
    return Recording(
        populations,
        {
            name: np.concatenate([piece.traces[name] for piece in pieces])
            for name in first_piece.traces
        },
        first_piece.trace_dt_ms,
        pieces[-1].final,
    )
