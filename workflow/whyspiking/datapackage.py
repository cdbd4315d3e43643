"""A Frictionless Data Package around the tables of a run: columns, types, units, hashes.

`datapackage.json` follows the Data Package and Table Schema standards (Walsh & Pollock, version 1),
so that other tools load the tables with their types: `frictionless validate datapackage.json`.
The unit of a column stands in its property `unit`, an addition that the standard allows.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from whyspiking.errors import UserError
from whyspiking.glossary import GLOSSARY

NAME = "datapackage.json"
MISSING = ["", "nan"]

Column = tuple[str, str, str, str]
"""Name, type of the Table Schema, unit ("" where there is none), what it is."""

_PLACE: tuple[Column, ...] = (
    ("scale", "string", "", "Scale of the run: smoke, default or paper."),
    ("talk", "string", "", "Talk, by its speaker."),
    ("experiment", "string", "", "Experiment of the talk."),
    ("variant", "string", "", "What was trained: the spiking network, a control, an ablation."),
    ("seed", "integer", "", "Seed of the training, the unit of all intervals."),
)
METRICS: tuple[Column, ...] = (
    *_PLACE,
    ("engine", "string", "", "What simulated: the engine of training, or Brian2."),
    ("perturbation", "string", "", "What was changed; none for the clean run."),
    ("locus", "string", "", "Where it was changed, or the other side of a contrast."),
    ("strength", "number", "", "Level of the perturbation, in the unit of its definition."),
    ("metric", "string", "", "What was measured; units and definitions are in `metrics` here."),
    ("value", "number", "see column unit", "The measurement."),
    ("unit", "string", "", "Unit of the value."),
    ("trials", "integer", "", "Number of trials behind the value."),
)
_VALUE = "unit of the metric"
VERDICTS: tuple[Column, ...] = (
    ("claim", "string", "", "Name of the claim."),
    ("talk", "string", "", "Talk, by its speaker."),
    ("role", "string", "", "Key claim or secondary one."),
    ("metric", "string", "", "What was measured."),
    ("published", "number", _VALUE, "Published value."),
    ("value", "number", _VALUE, "Mean over seeds."),
    ("low", "number", _VALUE, "Lower end of the interval over seeds (95 %, equivalence 90 %)."),
    ("high", "number", _VALUE, "Upper end of that interval."),
    ("seeds", "integer", "", "Number of seeds."),
    ("scale", "string", "", "Scale of the run."),
    ("data", "string", "", "Where the data are from."),
    ("band_low", "number", _VALUE, "Lower end of the acceptance band."),
    ("band_high", "number", _VALUE, "Upper end of the acceptance band."),
    ("control_value", "number", _VALUE, "What the negative control reached."),
    ("verdict", "string", "", "Verdict."),
    ("label", "string", "", "The words of the report for it."),
    ("says", "string", "", "The claim in words."),
    ("test", "string", "", "How the claim is tested."),
    ("better", "string", "", "Which direction is better."),
    ("unit", "string", "", "Unit of the metric."),
    ("exceeds", "boolean", "", "Better than published by more than the tolerance."),
    ("control_passes", "boolean", "", "The negative control passes the band, which it must not."),
    ("direction_agrees", "boolean", "", "The sign of a difference is the published one."),
    ("published_inside", "boolean", "", "The published value lies inside the interval."),
    ("prediction_low", "number", _VALUE, "Lower end of the original's prediction interval."),
    ("prediction_high", "number", _VALUE, "Upper end of that interval."),
    ("inside_prediction", "boolean", "", "The value lies inside it."),
    ("p_value", "number", "1", "One-sided p value against the band."),
    ("p_holm", "number", "1", "The same with Holm's correction, secondary claims."),
    ("why", "string", "", "Why the band is where it is."),
    ("note", "string", "", "Remarks."),
)
AXES: tuple[Column, ...] = (
    ("axis", "string", "", "Axis of the question: timing, latency, energy, robustness."),
    ("measure", "string", "", "Short name of the measure."),
    ("talk", "string", "", "Talk, by its speaker."),
    ("experiment", "string", "", "Experiment of the talk."),
    ("perturbation", "string", "", "What was changed, or the cost model."),
    ("locus", "string", "", "Where it was changed, or the control."),
    ("metric", "string", "", "What was measured."),
    ("effect", "number", _VALUE, "Mean over seeds."),
    ("low", "number", _VALUE, "Lower end of the 95 % interval over seeds."),
    ("high", "number", _VALUE, "Upper end of that interval."),
    ("unit", "string", "", "Unit of the metric."),
    ("seeds", "integer", "", "Number of seeds."),
    ("null", "number", _VALUE, "The value that says: no effect."),
    ("better", "string", "", "Which side of it speaks for spikes."),
    ("favours_spikes", "string", "", "What the whole interval says: yes, no, unclear."),
    ("says", "string", "", "The measure in words."),
)
DURATIONS: tuple[Column, ...] = (
    ("rule", "string", "", "Stage: train or simulate."),
    ("talk", "string", "", "Talk, by its speaker."),
    ("experiment", "string", "", "Experiment of the talk."),
    ("variant", "string", "", "Variant; empty for simulations, which hold all of them."),
    ("seconds", "number", "s", "Mean wall-clock time of such a job."),
    ("cpu_seconds", "number", "s", "Mean CPU time of such a job."),
    ("jobs", "integer", "", "Number of such jobs."),
)
HISTORY: tuple[Column, ...] = (
    *_PLACE[2:],
    ("epoch", "number", "", "Epoch, iteration or whatever the talk counts."),
    ("metric", "string", "", "What was followed during training."),
    ("value", "number", "", "Its value."),
)
TABLES: dict[str, tuple[tuple[Column, ...], str]] = {
    "metrics.csv": (METRICS, "Every measurement, one a row."),
    "verdicts.csv": (VERDICTS, "One row a claim: published, measured, verdict."),
    "axes.csv": (AXES, "Talk by axis of the question why spiking: effect and interval."),
    "durations.csv": (DURATIONS, "Mean duration of each kind of job."),
}


def describe(folder: Path) -> dict[str, Any]:
    """The package of a folder of finished tables.

    Args:
        folder: `results/<scale>`; the tables that are there are described, with their hashes.

    Raises:
        UserError: If there is no table.
    """
    resources = [
        _resource(folder, folder / file, columns, says)
        for file, (columns, says) in TABLES.items()
        if (folder / file).is_file()
    ]
    resources += [
        _resource(folder, path, HISTORY, f"Training curves of {path.parent.name}.")
        for path in sorted(folder.glob("*/history.csv"))
    ]
    if not resources:
        raise UserError(f"{folder}: no table is there; name the folder of a finished run")
    for resource in resources:
        if resource["path"] == "metrics.csv":
            resource["metrics"] = {
                name: {"unit": m.unit, "definition": m.definition} for name, m in GLOSSARY.items()
            }
    return {
        "profile": "data-package",
        "name": f"whyspiking-{folder.resolve().name}",
        "title": "Replications of the SNUFA 2020 talks: measurements and verdicts",
        "description": "How the run was made (commit, versions, configuration, data) is told by "
        "manifest.json beside this file.",
        "licenses": [{"name": "MIT", "title": "MIT License"}],
        "resources": resources,
    }


def write(folder: Path) -> None:
    """Write `datapackage.json` into a folder of finished tables, whole or not at all."""
    text = json.dumps(describe(folder), indent=1, ensure_ascii=False) + "\n"
    partial = folder / f"{NAME}.part"
    partial.write_text(text, encoding="utf-8")
    partial.replace(folder / NAME)


def _resource(folder: Path, path: Path, columns: Sequence[Column], says: str) -> dict[str, Any]:
    with path.open(encoding="utf-8") as file:
        header = file.readline().rstrip("\r\n").split(",")
    known = {column[0]: column for column in columns}
    # A column that nobody has described is passed on as it is; the tests demand a description.
    columns = [known.get(name, (name, "any", "", "")) for name in header]
    relative = path.relative_to(folder)
    return {
        "name": "-".join(relative.with_suffix("").parts[::-1]),
        "path": relative.as_posix(),
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "description": says,
        **_contents(path),
        "schema": {
            "fields": [
                {
                    "name": name,
                    "type": kind,
                    **({"description": what} if what else {}),
                    **({"unit": unit} if unit else {}),
                    **(
                        {"trueValues": ["True"], "falseValues": ["False"]}
                        if kind == "boolean"
                        else {}
                    ),
                }
                for name, kind, unit, what in columns
            ],
            "missingValues": MISSING,
        },
    }


def _contents(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    return {"bytes": len(content), "hash": f"sha256:{hashlib.sha256(content).hexdigest()}"}


def main(words: Sequence[str]) -> int:
    """`python -m whyspiking.datapackage FOLDER`."""
    if len(words) != 1:
        print("usage: python -m whyspiking.datapackage results/<scale>", file=sys.stderr)
        return 2
    try:
        write(Path(words[0]))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
