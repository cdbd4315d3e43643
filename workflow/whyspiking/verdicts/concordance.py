"""Which published figure or table is replicated where: paper, figure, command, our figure, verdict.

A claim says where its number stands (`source` in claims.yaml); those that name a figure or table
of their paper are listed, in the order of papers and figures. What we add to a figure is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from whyspiking.declared import claims_file, registry
from whyspiking.declared.claims_file import Claim
from whyspiking.declared.registry import Talk
from whyspiking.declared.strict_yaml import read_yaml
from whyspiking.records.concordance_columns import CONCORDANCE
from whyspiking.records.tables import Table

FIGURES = Path(__file__).with_name("figures.yaml")
"""Experiment, or claim -> figure of its talk's page."""
OF_VERDICT = ("talk", "claim", "says", "published", "value", "unit", "verdict", "label")
"""Columns that are those of verdicts.csv."""
FOREST = "claims"
"""The figure of all claims, which every talk's page has."""
FIGURE = re.compile(r"(supplement[a-z]*,? )?(?<!\w)(Figs?\. S?\d+[A-Z]?(?: (?:to|and) \d+)?)", re.I)
TABLE = re.compile(r"table of (?:MNIST )?results")
UNNUMBERED = re.compile(r"(error per layer), figure|(learning curves)")
"""Figures whose number is not known: what they show."""


def place(where: str) -> str:
    """The figure or table that a source names first; empty if it names none.

    Args:
        where: `source.where` of a claim.
    """
    if found := FIGURE.search(where):
        supplement = "Supplementary " if found[1] else ""
        return supplement + found[2]
    if found := TABLE.search(where):
        return found[0][0].upper() + found[0][1:]
    if found := UNNUMBERED.search(where):
        return f"Figure: {found[1] or found[2]}"
    return ""


def rows(verdicts: Table, talks: Iterable[Talk], config: Mapping[str, Any]) -> Table:
    """The concordance, columns of `CONCORDANCE`.

    Args:
        verdicts: Rows of verdicts.csv of all talks.
        talks: The talks.
        config: The configuration of the run that is told of.
    """
    judged = {str(row["claim"]): row for row in verdicts.to_dict("records")}
    shown = read_yaml(FIGURES)
    found = [row for talk in talks for row in _of_talk(talk, judged, shown, config)]
    return CONCORDANCE.table(sorted(found, key=_order))


def _of_talk(
    talk: Talk,
    judged: Mapping[str, Mapping[Any, Any]],
    shown: Mapping[str, str],
    config: Mapping[str, Any],
) -> Iterator[dict[str, Any]]:
    for claim in claims_file.load(talk.folder / "claims.yaml", talk):
        named, row = place(claim.source.where), judged.get(claim.id)
        if not named or row is None or claim.origin == "ours":
            continue
        experiment = claim.where["experiment"]
        figure = shown.get(claim.id) or shown.get(f"{talk.name}.{experiment}", FOREST)
        yield {
            **{key: row[key] for key in OF_VERDICT},
            "paper": claim.source.paper,
            "doi": talk.papers[claim.source.paper]["doi"],
            "place": named,
            "experiment": experiment,
            "variant": claim.where["variant"],
            "command": command(talk, claim, config),
            "figure": f"{talk.name}/report.html#{talk.name}-{figure}",
        }


def command(talk: Talk, claim: Claim, config: Mapping[str, Any]) -> str:
    """What makes the numbers behind a claim again, at the scale that judges it."""
    experiment = talk.experiments[claim.where["experiment"]]
    scale = config["scale"] if registry.seeds(experiment, config) else "paper"
    overlay = "" if scale == "default" else f" --configfile config/{scale}.yaml"
    return f"snakemake results/{scale}/{talk.name}/{experiment.name}/metrics.csv{overlay}"


def _order(row: Mapping[str, Any]) -> tuple[str, str, bool, int, str]:
    """By talk and paper; figures by number, those of the supplement and tables behind."""
    number = re.search(r"\d+", row["place"])
    behind = not row["place"].startswith("Fig.")
    return row["talk"], row["paper"], behind, int(number[0]) if number else 0, row["place"]
