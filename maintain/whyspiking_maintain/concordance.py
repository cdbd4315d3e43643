"""List every published figure and table with the claims that judge it, or why none does.

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
VERDICT_COLUMNS = (
    "claim",
    "statement",
    "published_value",
    "quoted_from_memory",
    "value",
    "unit",
    "verdict",
    "qualification",
)
"""Columns that are copied from verdicts.csv."""
ALL_CLAIMS = "all-claims"
"""Anchor of the list of claims on a talk's page, for claims that no figure shows."""
FIGURE = re.compile(
    r"(supplement[a-z]*,? )?(?<!\w)((?:Figs?\.|Table) S?\d+[A-Z]?(?: (?:to|and) \d+)?)", re.I
)
TABLE = re.compile(r"table of (?:MNIST )?results")
UNNUMBERED = re.compile(r"(error per layer), figure|(learning curves)")
"""Figures whose number is not known, named by what they show."""
UNJUDGED = "no claim of this run judges it"


def place(source_location: str) -> str:
    """Return the figure or table that a source names first; empty if it names none.

    Args:
        source_location: `source.source_location` of a claim.
    """
    if match := FIGURE.search(source_location):
        supplement = "Supplementary " if match[1] else ""
        return supplement + match[2]
    if match := TABLE.search(source_location):
        return match[0][0].upper() + match[0][1:]
    if match := UNNUMBERED.search(source_location):
        return f"Figure: {match[1] or match[2]}"
    return ""


def rows(verdicts: Table, talks: Iterable[Talk], config: Mapping[str, Any]) -> Table:
    """List the concordance, columns of `CONCORDANCE`, in the order of the published figures.

    Args:
        verdicts: Rows of verdicts.csv of all talks.
        talks: The talks.
        config: The configuration of the run.
    """
    verdict_rows = {str(row["claim"]): row for row in verdicts.to_dict("records")}
    published, page_figures = published_figures.load(), read_yaml(FIGURES)
    return CONCORDANCE.table(
        row
        for talk in sorted(talks, key=lambda talk: talk.name)
        for row in _list_talk_rows(
            talk, verdict_rows, published.get(talk.name, {}), page_figures, config
        )
    )


def _list_talk_rows(
    talk: Talk,
    verdict_rows: Mapping[str, Mapping[Any, Any]],
    published: Mapping[str, Mapping[str, Published]],
    page_figures: Mapping[str, str],
    config: Mapping[str, Any],
) -> Iterator[dict[str, Any]]:
    entries = {
        (paper, figure): entry
        for paper, paper_entries in published.items()
        for figure, entry in paper_entries.items()
    }
    key_by_claim = {name: key for key, entry in entries.items() for name in entry.claims}
    claims_by_key: dict[tuple[str, str], list[Claim]] = defaultdict(
        list, {key: [] for key in entries}
    )
    for claim in claims_file.load(talk.folder / "claims.yaml", talk):
        cited_figure = claim.source.publication, place(claim.source.source_location)
        key = key_by_claim.get(claim.id, cited_figure)
        if key[1] and claim.id in verdict_rows and claim.origin != "ours":
            claims_by_key[key].append(claim)
    for (paper, figure), claims in claims_by_key.items():
        entry = entries.get((paper, figure), Published(shows="", known="unknown"))
        common_cells = {
            "talk": talk.name,
            "publication": paper,
            "doi": talk.publications[paper]["doi"],
            "figure_or_table": figure,
        }
        common_cells |= {
            "shows": entry.shows,
            "known_from": entry.known,
            "claim": "",
            "comment": "",
        }
        for claim in claims:
            yield common_cells | _describe_claim(
                talk, claim, verdict_rows[claim.id], page_figures, config
            )
        if not claims:
            yield common_cells | {"comment": entry.why or UNJUDGED}


def _describe_claim(
    talk: Talk,
    claim: Claim,
    verdict_row: Mapping[Any, Any],
    page_figures: Mapping[str, str],
    config: Mapping[str, Any],
) -> dict[str, Any]:
    experiment = claim.rows["experiment"]
    figure = page_figures.get(claim.id) or page_figures.get(f"{talk.name}.{experiment}")
    anchor = f"{talk.name}-{figure}" if figure else ALL_CLAIMS
    return {
        **{key: verdict_row[key] for key in VERDICT_COLUMNS},
        "source_location": claim.source.source_location,
        "difference": verdict_row["value"] - verdict_row["published_value"],
        "experiment": experiment,
        "variant": claim.rows["variant"],
        "command": command(talk, claim, config),
        "figure_file": f"{talk.name}/report.html#{anchor}",
    }


def command(talk: Talk, claim: Claim, config: Mapping[str, Any]) -> str:
    """Write the command that makes the numbers of a claim again, at the scale that judges it."""
    experiment = talk.experiments[claim.rows["experiment"]]
    scale = config["scale"] if registry.seeds(experiment, config) else "paper"
    overlay = "" if scale == "default" else f" --configfile config/{scale}.yaml"
    return f"snakemake results/{scale}/{talk.name}/{experiment.name}/metrics.csv{overlay}"
