"""The networks of the key claims that come with the record, simulated again, beside it.

`make report FROM=reference` trains nothing and judges nothing: one network decides no claim. It
runs the stage `simulate` on each, and this puts every number beside the recorded one.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from whyspiking.declared import key_claims, registry
from whyspiking.declared.claims_file import Claim
from whyspiking.records import reference, tables, whole_files
from whyspiking.records.columns import CHANGED, METRICS
from whyspiking.records.tables import Table
from whyspiking.verdicts import comparison

LINE = "{:<12}{:<38}{:<22}{:>10} {:>10}   {}"


def beside(talks: Iterable[str], metrics: Iterable[Path], numbers: Path, said: Path) -> None:
    """Write what was simulated again beside the record.

    Args:
        talks: Whose key claims.
        metrics: Tables of the stage `simulate`, of one network each.
        numbers: Table to write, columns of `CHANGED`: all that was measured.
        said: Text to write, a line a key claim.
    """
    here = tables.read_metrics(metrics)
    lines = [LINE.format("talk", "network", "metric", "reference", "this run", "equal")]
    found = []
    for name in talks:
        recorded = reference.table(reference.FOLDER / name / "metrics.csv", METRICS)
        found.append(comparison.compare_numbers(here[here["talk"] == name], recorded))
        lines.append(_line(key_claims.of(registry.load_talk(name)), found[-1]))
    tables.write_csv(tables.stacked(found)[CHANGED.names], numbers)
    whole_files.write(said, "\n".join([*lines, f"comparison of every number: {numbers}", ""]))


def _line(claim: Claim, numbers: Table) -> str:
    """The number of a key claim, here and recorded, and how many of all are the same."""
    network = key_claims.network(claim)
    if network is None or numbers.empty:
        why = (
            "its samples are files of the authors. Set data.originals_dir to the folder of "
            "these files"
            if network
            else "results/reference contains no network of this claim"
        )
        return f"{claim.talk:<12}{claim.id}: not simulated; {why}"
    clean = tables.where(
        numbers.set_index("metric"), engine="brian2", perturbation="none", location=""
    )[["reference_value", "value"]]
    # What only training tells, how long it took for instance, is not simulated again.
    shown = next(name for name in (claim.metric, "accuracy", "score") if name in clean.index)
    place = f"{claim.rows['experiment']}/{claim.rows['variant']}, {network.name}"
    values = (f"{value:.6g}" for value in clean.loc[shown])
    equal = f"{(numbers['outcome'] == comparison.EQUAL).sum():,} of {len(numbers):,}"
    return LINE.format(claim.talk, place, shown, *values, equal)
