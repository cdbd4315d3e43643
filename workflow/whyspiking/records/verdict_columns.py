"""The columns of verdicts.csv, and of the tables on the rule of verdicts and on known results."""

from __future__ import annotations

from whyspiking.records.metrics_columns import METRIC, SCALE
from whyspiking.records.table_schema import EXPERIMENT, TALK, VARIANT, Column, TableSchema

OF_METRIC = "unit of the metric"
N_SEEDS = Column("n_seeds", "Number of networks, one per seed.", "integer")
UNIT = Column("unit", "Unit of the numbers.")
COMMENT = Column("comment", "Remarks, for example why there is no number.")
VERDICTS = TableSchema(
    "Claims: published value, measured value, acceptance criterion, verdict. One row per claim.",
    Column("claim", "Name of the claim."),
    TALK,
    Column("claim_role", "key (the talk counts as replicated by this claim) or secondary."),
    Column(
        "origin",
        "Who makes the claim: published (a paper), talk (its abstract), ours (an additional claim "
        "of this project) or check (a test of simulators, training or released networks).",
    ),
    METRIC,
    EXPERIMENT,
    VARIANT,
    Column(
        "engine", "Program that simulated the network; empty: Brian2 if it did, else training code."
    ),
    Column("condition", "Perturbation with its location and strength; empty: none."),
    Column(
        "compared_with",
        "What the network is compared with: for a claim the other rows of metrics.csv; for "
        "energies "
        "the other side.",
    ),
    Column("published_value", "Published value; empty: none.", "number", OF_METRIC),
    Column(
        "quoted_from_memory",
        "What was not read at its source: the published number or the statement; empty: nothing.",
    ),
    Column("value", "Mean over networks.", "number", OF_METRIC),
    Column(
        "ci_low",
        "Lower end of the 95 % confidence interval; for a claim about every network the lowest "
        "network.",
        "number",
        OF_METRIC,
    ),
    Column("ci_high", "Upper end of the interval, or the highest network.", "number", OF_METRIC),
    N_SEEDS,
    SCALE,
    Column(
        "interval_type",
        "What the interval covers: seeds, test trials, a fraction of networks (Clopper and "
        "Pearson), "
        "or the lowest to the highest network.",
    ),
    Column(
        "data_source",
        "Origin of the data: original (published data), definition (a formula), simulated or "
        "synthetic (surrogate data).",
    ),
    Column("criterion_low", "Lower end of the acceptance criterion.", "number", OF_METRIC),
    Column("criterion_high", "Upper end of the acceptance criterion.", "number", OF_METRIC),
    Column("control_value", "Result of the negative control.", "number", OF_METRIC),
    Column("verdict", "Verdict; docs/glossary.md defines the verdicts."),
    Column(
        "n_passing",
        "Number of networks that meet the criterion by themselves, or that are of the counted "
        "kind.",
        "number",
        "1",
    ),
    Column(
        "reproducibility",
        "Probability that the same number of new networks would give the same verdict, if the true "
        "mean and standard deviation are those measured; key claims only.",
        "number",
        "1",
    ),
    Column(
        "qualification",
        "What a reader has to know about the verdict: a reduced run, surrogate data, few "
        "networks, a "
        "number quoted from memory.",
    ),
    # The other columns are reported; they do not decide the verdict.
    Column("statement", "The claim in one sentence."),
    Column("test_type", "How the claim is tested; docs/verdicts.md lists the tests."),
    Column("better_direction", "Which numbers are better: larger, smaller or both."),
    UNIT,
    Column(
        "above_criterion",
        "The result is better than published by more than the tolerance.",
        "boolean",
    ),
    Column("control_meets_criterion", "The negative control meets the criterion.", "boolean"),
    Column(
        "prediction_low",
        "Lower end of the 95 % prediction interval of the published result.",
        "number",
        OF_METRIC,
    ),
    Column("prediction_high", "Upper end of that interval.", "number", OF_METRIC),
    Column("in_prediction_interval", "The value lies in the prediction interval.", "boolean"),
    Column("p_value", "One-sided p value of the test of the criterion.", "number", "1"),
    Column("p_holm", "p value after Holm's correction; secondary claims only.", "number", "1"),
    Column("criterion_reason", "Reason for the acceptance criterion."),
    Column(
        "n_earlier_evaluations",
        "Number of earlier evaluations on test data with another recipe or criterion.",
        "integer",
    ),
    Column("earlier_evaluations", "These evaluations and earlier criteria, in words."),
    Column(
        "known_before",
        "A result of this project was known when the acceptance criterion was written or kept for "
        "another recipe (known_before.csv); empty for a claim that this table lacks.",
        "boolean",
    ),
    COMMENT,
    Column(
        "failed_conditions",
        "Conditions for success that the claim does not meet: criterion, interval, no difference, "
        "number of networks, planned number of networks, negative control, Holm, required claim; "
        "empty: none, or the claim was not judged.",
    ),
    Column(
        "also_measured",
        "Other ways in which the result of a key claim was measured: what differs, value, 95 % "
        "interval, and the verdict by the same criterion without the negative control.",
    ),
    Column("verdict_changes_with", "Those other ways that give another verdict."),
    Column(
        "evidence",
        "What the result is compared with: a published number, picture or statement, a number "
        "quoted from memory, a released artefact that we scored, or no number.",
    ),
    Column("known_result", "The result that was known before; empty: none."),
    Column(
        "was_key_until",
        "Commit in which another claim became the key claim of the talk; empty: the claim never "
        "was "
        "a key claim, or still is.",
    ),
)
RULE_STUDY = TableSchema(
    "Error rates of the rule that makes verdicts: a simulation. The table is kept by hand.",
    Column("claim", "Kind of claim."),
    Column("truth", "True effect."),
    Column("is_true", "Whether the claim is true.", "boolean"),
    Column("n_networks", "Number of networks.", "integer"),
    Column("family_size", "Number of claims that Holm's correction counts; 1: none.", "integer"),
    Column("n_runs", "Number of simulated runs.", "integer"),
    *(
        Column(name, f"Fraction of runs with the verdict {name.replace('_', ' ')}.", "number", "1")
        for name in (
            "replicated",
            "unconfirmed",
            "direction_only",
            "inconclusive",
            "not_replicated",
        )
    ),
)
KNOWN_BEFORE = TableSchema(
    "For which claims a result of this project was known when the acceptance criterion was written "
    "or kept for another recipe. The table is kept by hand.",
    Column("claim", "Name of the claim."),
    Column("since", "Commit that gave metric, test, band and role their present form."),
    Column(
        "known_before",
        "A pilot, an earlier recipe or the reference results had a result for the quantity that "
        "the claim judges, or for a side of its comparison if the claims file or a protocol.yaml "
        "names it. Published numbers and chance levels do not count.",
        "boolean",
    ),
    Column(
        "known_from",
        "What shows this, the first that applies: git (the reference results of the commit before "
        "`since` have the result), protocol (a protocol.yaml states it), text (the claims file "
        "states it); empty where nothing was known.",
    ),
    Column(
        "known_result",
        "The result that was known. It ends with 'the band is older' where the criterion was "
        "written first and kept when the recipe changed. Empty where nothing was known.",
    ),
)
