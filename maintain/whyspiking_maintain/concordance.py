"""Every published figure and table: what replicates it here, or why nothing does.

`published_figures.yaml` lists those of the talks' papers. A claim says where its number stands
(`source` in claims.yaml), and so which of them it judges; what we add to a figure does not count.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from whyspiking.declared import claims_file, registry
from whyspiking.declared.claims_file import Claim
from whyspiking.declared.registry import Talk
from whyspiking.declared.strict_yaml import read_yaml
from whyspiking.records.concordance_columns import CONCORDANCE
from whyspiking.records.tables import Table
from whyspiking_maintain import published_figures
from whyspiking_maintain.published_figures import Published

FIGURES = Path(__file__).with_name("figures.yaml")
"""Experiment, or claim -> figure of its talk's page."""
OF_VERDICT = (
    "claim",
    "statement",
    "published_value",
    "quoted_from_memory",
    "value",
    "unit",
    "verdict",
    "qualification",
)
"""Columns that are those of verdicts.csv."""
ALL_CLAIMS = "all-claims"
"""Where a talk's page lists its claims: of one that no figure shows."""
FIGURE = re.compile(
    r"(supplement[a-z]*,? )?(?<!\w)((?:Figs?\.|Table) S?\d+[A-Z]?(?: (?:to|and) \d+)?)", re.I
)
TABLE = re.compile(r"table of (?:MNIST )?results")
UNNUMBERED = re.compile(r"(error per layer), figure|(learning curves)")
"""Figures whose number is not known: what they show."""
UNJUDGED = "no claim of this run judges it"


def place(where: str) -> str:
    """The figure or table that a source names first; empty if it names none.

    Args:
        where: `source.source_location` of a claim.
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
    """The concordance, columns of `CONCORDANCE`: figures and tables in the order of their list.

    Args:
        verdicts: Rows of verdicts.csv of all talks.
        talks: The talks.
        config: The configuration of the run that is told of.
    """
    judged = {str(row["claim"]): row for row in verdicts.to_dict("records")}
    listed, shown = published_figures.load(), read_yaml(FIGURES)
    return CONCORDANCE.table(
        row
        for talk in sorted(talks, key=lambda talk: talk.name)
        for row in _of_talk(talk, judged, listed.get(talk.name, {}), shown, config)
    )


def _of_talk(
    talk: Talk,
    judged: Mapping[str, Mapping[Any, Any]],
    listed: Mapping[str, Mapping[str, Published]],
    shown: Mapping[str, str],
    config: Mapping[str, Any],
) -> Iterator[dict[str, Any]]:
    known = {(paper, at): one for paper, places in listed.items() for at, one in places.items()}
    also = {name: key for key, one in known.items() for name in one.claims}
    judging: dict[tuple[str, str], list[Claim]] = defaultdict(list, {key: [] for key in known})
    for claim in claims_file.load(talk.folder / "claims.yaml", talk):
        named = claim.source.publication, place(claim.source.source_location)
        key = also.get(claim.id, named)
        if key[1] and claim.id in judged and claim.origin != "ours":
            judging[key].append(claim)
    for (paper, at), claims in judging.items():
        one = known.get((paper, at), Published(shows="", known="unknown"))
        common = {
            "talk": talk.name,
            "publication": paper,
            "doi": talk.publications[paper]["doi"],
            "figure_or_table": at,
        }
        common |= {"shows": one.shows, "known_from": one.known, "claim": "", "comment": ""}
        for claim in claims:
            yield common | _judged(talk, claim, judged[claim.id], shown, config)
        if not claims:
            yield common | {"comment": one.why or UNJUDGED}


def _judged(
    talk: Talk,
    claim: Claim,
    row: Mapping[Any, Any],
    shown: Mapping[str, str],
    config: Mapping[str, Any],
) -> dict[str, Any]:
    experiment = claim.rows["experiment"]
    figure = shown.get(claim.id) or shown.get(f"{talk.name}.{experiment}")
    anchor = f"{talk.name}-{figure}" if figure else ALL_CLAIMS
    return {
        **{key: row[key] for key in OF_VERDICT},
        "source_location": claim.source.source_location,
        "difference": row["value"] - row["published_value"],
        "experiment": experiment,
        "variant": claim.rows["variant"],
        "command": command(talk, claim, config),
        "figure_file": f"{talk.name}/report.html#{anchor}",
    }


def command(talk: Talk, claim: Claim, config: Mapping[str, Any]) -> str:
    """What makes the numbers behind a claim again, at the scale that judges it."""
    experiment = talk.experiments[claim.rows["experiment"]]
    scale = config["scale"] if registry.seeds(experiment, config) else "paper"
    overlay = "" if scale == "default" else f" --configfile config/{scale}.yaml"
    return f"snakemake results/{scale}/{talk.name}/{experiment.name}/metrics.csv{overlay}"
