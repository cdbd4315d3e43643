"""Summarises a run with other floating-point rounding, compared with the reference results.

    WHYSPIKING_VECTORS=native snakemake --configfile config/full.yaml \
        --config results_folder=repetition
    python -m whyspiking.recording compare-repetition

The first command trains all networks once more at another SIMD level, in a results folder of its
own (`talks` and `seeds_of` of the config select a part), and compares them with the reference
results as every run does. The second writes `results/reference/repetition.json`, from which
README, page
and article state what changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from whyspiking.declared import registry
from whyspiking.errors import UserError
from whyspiking.records import columns, reference, tables
from whyspiking.records.whole_files import read_json
from whyspiking.report import first_screen
from whyspiking.verdicts import advantage, comparison, repetition, rule
from whyspiking_maintain import inputs

RUN = Path("results/repetition")


def summarise_run(run: Path = RUN, folder: Path = reference.FOLDER) -> dict[str, Any]:
    """Compare a finished run with the reference results, and write repetition.json.

    Args:
        run: Folder of the run.
        folder: The reference results.

    Returns:
        Content of the file.

    Raises:
        UserError: If the run is not finished, or no number of it was compared.
    """
    manifest = read_json(run / "manifest.json", "scale", "commit", "machine", "arithmetic")
    names = sorted(path.parent.name for path in run.glob("*/verdicts.csv"))
    comparisons = comparison.compare_results(run, folder, names, manifest["scale"])
    networks = tables.stacked([talk.networks for talk in comparisons.values()])
    verdicts = summarise_verdicts(run, comparisons)
    summary = comparison.summarise(networks, len(verdicts["changed"]))
    if networks.empty:
        raise UserError(f"{run}: {summary}; expected a finished full run")
    differing_networks = networks[~networks["outcome"].isin(comparison.SAME)]
    content = {
        "experiments": list(dict.fromkeys(networks["talk"] + "." + networks["experiment"])),
        **{key: manifest[key] for key in ("commit", "machine", "arithmetic")},
        "summary": summary,
        "verdicts": verdicts,
        "energies": compare_energies(run, folder),
        "numbers": {key: int(networks[key].sum()) for key in comparison.COUNTS},
        "networks": {
            "equal": len(networks) - len(differing_networks),
            "different": len(differing_networks),
        },
        "differing": [
            f"{row['talk']}.{row['experiment']}/{row['variant']} seed {row['seed']}: "
            f"{row['differing_number']}"
            for row in differing_networks.to_dict("records")
        ],
    }
    inputs.write_json(folder / repetition.FILE, content)
    return content


def summarise_verdicts(
    run: Path, comparisons: Mapping[str, comparison.Comparison]
) -> dict[str, Any]:
    """Count the claims that rest on repeated networks, and list the verdicts that changed.

    Args:
        run: Folder of the run.
        comparisons: Talk of the run -> its comparison with the reference results.
    """
    n_claims = n_affected = 0
    changed_verdicts = []
    for name, talk in comparisons.items():
        verdicts = tables.read(run / name / "verdicts.csv", columns.VERDICTS)
        verdict_changes = comparison.list_changed_verdicts(verdicts, talk.verdicts)
        changed_verdicts += [
            f"{claim}: {reference_verdict}, again {repeated_verdict}"
            for claim, reference_verdict, repeated_verdict in verdict_changes
        ]
        unjudged = rule.UNJUDGED
        judged_claims = set(talk.verdicts.loc[~talk.verdicts["verdict"].isin(unjudged), "claim"])
        is_differing = ~talk.networks["outcome"].isin(comparison.SAME)
        repeated_variants, differing_variants = (
            set(zip(rows["experiment"], rows["variant"], strict=True))
            for rows in (talk.networks, talk.networks[is_differing])
        )
        for claim in inputs.claims_of(registry.load_talk(name)):
            if claim.id in judged_claims:
                n_claims += not repeated_variants.isdisjoint(claim.networks)
                n_affected += not differing_variants.isdisjoint(claim.networks)
    return {"claims": n_claims, "touched": n_affected, "changed": changed_verdicts}


def compare_energies(run: Path, folder: Path) -> dict[str, Any]:
    """Compare the energy verdicts of both folders, on tasks whose networks the run has."""
    reference_rows, repeated_rows = (
        tables.where(
            tables.read(root / "advantage.csv", columns.ADVANTAGE),
            subject="spikes",
            cost_model=advantage.MAIN[0],
        )
        for root in (folder, run)
    )
    joined_rows = reference_rows.merge(
        repeated_rows, on=["task", "compared_with"], suffixes=("", "_again")
    )
    titles = first_screen.titles()
    verdict_pairs = {
        first_screen.name_comparison(titles[row["task"]], row["compared_with"]): [
            row["verdict_all_cost_models"],
            row["verdict_all_cost_models_again"],
        ]
        for row in joined_rows.to_dict("records")
    }
    changed_lines = [
        f"{name}: {reference_verdict}, again {repeated_verdict}"
        for name, (reference_verdict, repeated_verdict) in verdict_pairs.items()
        if reference_verdict != repeated_verdict
    ]
    return {"compared": verdict_pairs, "changed": changed_lines}
