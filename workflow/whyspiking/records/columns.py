"""The columns of every table, in order: name, type, meaning, unit.

What is checked when a table is read, the types of its columns and `datapackage.json` follow from
this one list.
"""

from __future__ import annotations

from whyspiking.records.frontier_columns import ADVANTAGE, FRONTIERS
from whyspiking.records.metrics_columns import METRIC, METRICS, NETWORK, SCALE, SEED, UNIT_COLUMN
from whyspiking.records.table_schema import EXPERIMENT, TALK, VARIANT, Column, TableSchema

_OF_METRIC = "unit of the metric"
_SEEDS = Column("seeds", "Number of seeds.", "integer")
_UNIT = Column("unit", "Unit of the numbers.")
_PLACE = (TALK, EXPERIMENT)
_CHANGE = (
    Column("perturbation", "What was changed."),
    Column("locus", "Where it was changed, or the control."),
)


def _interval(value: str, unit: str = UNIT_COLUMN, name: str = "value") -> tuple[Column, ...]:
    """A number and its interval over seeds."""
    return (
        Column(name, value, "number", unit),
        Column("low", "Lower end of its 95 % interval over seeds.", "number", unit),
        Column("high", "Upper end of that interval.", "number", unit),
    )


VERDICTS = TableSchema(
    "One row a claim: published, measured, verdict.",
    Column("claim", "Name of the claim."),
    TALK,
    Column("role", "Key claim or secondary one."),
    Column("origin", "Whose claim: published, of the talk's abstract, ours, or a check."),
    METRIC,
    EXPERIMENT,
    VARIANT,
    Column("engine", "What simulated it; empty: Brian2 where it did, else the engine of training."),
    Column("condition", "Perturbation, its place and strength, as in metrics.csv; empty: none."),
    Column(
        "versus", "What it is compared with: columns and values of metrics.csv; empty: nothing."
    ),
    Column("published", "Published value.", "number", _OF_METRIC),
    Column(
        "recalled",
        "What was recalled and not read at its source: the published number, or the statement; "
        "empty: neither.",
    ),
    Column("value", "Mean over seeds.", "number", _OF_METRIC),
    Column(
        "low",
        "Lower end of the 95 % interval, as docs/verdicts.md tells it; of a claim about every "
        "network, the lowest one.",
        "number",
        _OF_METRIC,
    ),
    Column("high", "Upper end of that interval, or the highest network.", "number", _OF_METRIC),
    _SEEDS,
    SCALE,
    Column(
        "over",
        "What the interval is over: seeds, test trials, a share of networks (Clopper and Pearson), "
        "or no interval but lowest to highest network.",
    ),
    Column("data", "Where the data are from."),
    Column("band_low", "Lower end of the acceptance band.", "number", _OF_METRIC),
    Column("band_high", "Upper end of the acceptance band.", "number", _OF_METRIC),
    Column("control_value", "What the negative control reached.", "number", _OF_METRIC),
    Column("verdict", "Verdict."),
    Column(
        "passing",
        "How many of the networks lie inside the band by themselves, or are of the kind counted.",
        "number",
        "1",
    ),
    Column(
        "returns",
        "How often as many other networks would get the same verdict, were their mean and spread "
        "those of these; key claims only.",
        "number",
        "1",
    ),
    # What else is usually asked of a replication; none of it decides.
    Column("label", "The words of the report for it."),
    Column("says", "The claim in words."),
    Column("test", "How the claim is tested."),
    Column("better", "Which direction is better."),
    _UNIT,
    Column("exceeds", "Better than published by more than the tolerance.", "boolean"),
    Column("control_passes", "The negative control passes the band: it must not.", "boolean"),
    Column("direction_agrees", "The sign of a difference is the published one.", "boolean"),
    Column("published_inside", "The published value lies inside the interval.", "boolean"),
    Column(
        "prediction_low", "Lower end of the original's prediction interval.", "number", _OF_METRIC
    ),
    Column("prediction_high", "Upper end of that interval.", "number", _OF_METRIC),
    Column("inside_prediction", "The value lies inside it.", "boolean"),
    Column("p_value", "One-sided p value against null or band.", "number", "1"),
    Column("p_holm", "The same with Holm's correction, secondary claims.", "number", "1"),
    Column("why", "Why the band is where it is."),
    Column("looks", "Earlier tests on test data with another recipe or band.", "integer"),
    Column("history", "Those tests and earlier bands, in words."),
    Column(
        "known",
        "A result of this project was known when its acceptance criterion was written or kept for "
        "another recipe (known_before.csv); empty for a claim that this table lacks.",
        "boolean",
    ),
    Column("note", "Remarks."),
    Column(
        "missed",
        "What kept it from replicated or holds: band, interval, null, seeds, control, Holm, as "
        "the report says under how to read a verdict; empty: nothing, or it was not judged.",
    ),
    Column(
        "also_measured",
        "Other ways in which the quantity of a key claim was measured: what is different, value, "
        "95 % interval, and the verdict by the same criterion without the negative control.",
    ),
    Column("changes_with", "Those of them that have another verdict."),
    Column(
        "evidence",
        "What the result is compared with: a published number, a number quoted from memory, a "
        "released artefact that we scored, or no number.",
    ),
    Column("known_result", "The result that was known (column `known`); empty: none."),
    Column(
        "was_key_until",
        "Commit in which another claim became the key claim of the talk; empty: it never was one, "
        "or still is.",
    ),
)
RULE_STUDY = TableSchema(
    "How often the rule of verdicts errs: a simulation.",
    Column("claim", "Kind of claim."),
    Column("truth", "What is true."),
    Column("is_true", "Whether the claim is.", "boolean"),
    Column("networks", "Number of networks.", "integer"),
    Column("family", "Claims corrected together (Holm), this one first; 1: alone.", "integer"),
    Column("draws", "Number of simulated runs.", "integer"),
    *(
        Column(name, f"Share of runs with the verdict {name.replace('_', ' ')}.", "number", "1")
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
        "known",
        "A pilot, an earlier recipe or the reference results had a result for the quantity that "
        "the claim judges, or for a side of its comparison if the claims file or a protocol.yaml "
        "names it. Published numbers and chance levels do not count.",
        "boolean",
    ),
    Column(
        "evidence",
        "What shows this, the first that applies: git (the reference results of the commit before "
        "`since` have the result), protocol (a protocol.yaml states it), text (the claims file "
        "states it); empty where nothing was known.",
    ),
    Column(
        "what",
        "The result that was known. It ends with 'the band is older' where the criterion was "
        "written first and kept when the recipe changed. Empty where nothing was known.",
    ),
)
MEASURES = TableSchema(
    "How much each network uses spike times, how early it decides and how robust it is.",
    *_PLACE,
    VARIANT,
    METRIC,
    *_CHANGE,
    *_interval("Mean over seeds."),
    _UNIT,
    _SEEDS,
)
COSTS = TableSchema(
    "CPU seconds of training, of variants of which no seed was copied, and memory of learning.",
    Column("talk", "Talk, by its speaker; empty: over all of them."),
    EXPERIMENT,
    VARIANT,
    Column(
        "locus",
        "In a ratio the control: without spikes, and not of a tenth or ten times the synapses.",
    ),
    Column("metric", "What was measured; train_cpu_seconds_ratio: `spiking` over control."),
    *_interval("Mean over seeds; ratios: geometric mean; over all talks: median."),
    _UNIT,
    Column("seeds", "Number of seeds; over all talks: of ratios.", "integer"),
    Column("favours_spikes", "What the interval of a ratio says: yes, no, unclear."),
)
PARITY = TableSchema(
    "Agreement of the training engine with Brian2: the worst network of each talk.",
    TALK,
    Column("networks", "Number of networks that were compared.", "integer"),
    Column("equal_decisions", "Least share of equal decisions.", "number", "fraction"),
    Column("score_difference", "Largest difference of scores.", "number", "fraction"),
    Column("equal", "Both are within the limits of the config.", "boolean"),
)
_OF_RANGE = "unit of the published range"
BIOLOGY = TableSchema(
    "Networks of the role spiking, whatever trained them, in Brian2, beside nervous systems.",
    Column("quantity", "Place of the range in verdicts/biology.yaml, from 1.", "integer"),
    Column("metric", "The metric that stands beside it."),
    TALK,
    Column("low", "Least mean over seeds of its populations.", "number", _OF_RANGE),
    Column("high", "Largest such mean.", "number", _OF_RANGE),
    Column("place", "Inside, partly inside, below or above the published range."),
    Column(
        "rescaled_low",
        "The least, as if the characteristic time were biological.",
        "number",
        _OF_RANGE,
    ),
    Column("rescaled_high", "The largest, likewise.", "number", _OF_RANGE),
    Column("rescaled_place", "Where these lie."),
    Column("populations", "Number of variants, or of populations in them.", "integer"),
)
_OF_SHARE = "fraction"
SHARED = TableSchema(
    "The tasks that all talks are set: every method, or why there is none.",
    Column("task", "Shared task."),
    Column("kind", "method; absent: no result, for the reason in `why`."),
    *_PLACE,
    VARIANT,
    Column("role", "Role of the variant in talk.yaml: spiking, rate (no spikes), ablation ..."),
    Column("says", "The variant in words."),
    *_interval("Accuracy on test data, mean over seeds.", _OF_SHARE, "accuracy"),
    _SEEDS,
    Column("spikes_hidden", "Hidden spikes per sample, in Brian2.", "number", "spikes/trial"),
    Column("train_cpu_seconds", "CPU time of one training.", "number", "s"),
    Column("presentations", "Samples shown in training, repeats counted.", "integer"),
    Column("tried", "Settings tried on validation data; 0: none.", "integer"),
    Column("rule", "Learning rule that talk.yaml names for it."),
    Column("memory_synapse", "Numbers that the rule keeps per synapse; N, T, K as in talk.yaml."),
    Column("memory_neuron", "The same per neuron."),
    Column("memory_shared", "The same for all."),
    Column("memory", "All of them in this network.", "number", "numbers"),
    Column("local", "Whether the rule is local and online: yes or no."),
    Column("signals", "What a synapse must be told beyond the states of its two neurons."),
    Column("why", "Why there is no result; empty where there is one."),
)
FLOORS = TableSchema(
    "What static readers make of the tasks of the ground: which of them would decide one.",
    Column("task", "Task of the ground."),
    Column("floor", "Static reader."),
    Column("reads", "What it is told of a trial."),
    Column("says", "The same, and with what it decides."),
    Column("veto", "Whether the task must leave it at chance.", "boolean"),
    *_interval("Accuracy on test data, mean over seeds.", _OF_SHARE, "accuracy"),
    _SEEDS,
    Column("guess", "Accuracy of guessing.", "number", _OF_SHARE),
    Column(
        "word",
        "at chance (within the margin of protocol.yaml); decides (as far on the way from guessing "
        "to the reference as `decides` of it says); above chance (less); or the reference.",
    ),
)
LITERATURE = TableSchema(
    "A published threshold beside ours: spikes per neuron and step of trained LIF networks.",
    Column("task", "Task of the ground."),
    Column("source", "Who published it."),
    Column("where", "Where it was read."),
    Column("published_low", "Least of the published thresholds.", "number", _OF_SHARE),
    Column("published_high", "Largest of them.", "number", _OF_SHARE),
    *_interval("Ours, at the level at which energies are compared; mean over seeds.", "1"),
    _SEEDS,
    Column("steps", "Steps of a trial here.", "integer"),
    Column("word", "Where the interval lies: below the thresholds, above, open; or not assessed."),
)
DURATIONS = TableSchema(
    "Mean duration of each kind of job. A run costs the sum of cpu_seconds times jobs over unit; "
    "jobs that make data sets are in it where that run made them.",
    Column("scale", "Scale of the run."),
    Column("rule", "Rule of the workflow."),
    *_PLACE,
    Column("variant", "Variant; empty for simulations, which hold all of them."),
    Column("dataset", "Data set, for jobs that make one."),
    Column("seconds", "Mean wall-clock time of such a job; empty: not timed.", "number", "s"),
    Column("cpu_seconds", "Mean CPU time of such a job.", "number", "s"),
    Column("jobs", "Number of such jobs.", "integer"),
    Column("unit", "How slow the machine was; 1: that of the recorded run.", "number", "1"),
)
HISTORY = TableSchema(
    "Training curves of one talk.",
    EXPERIMENT,
    VARIANT,
    SEED,
    Column("epoch", "Epoch, iteration or whatever the talk counts.", "number"),
    Column("metric", "What was followed during training."),
    Column("value", "Its value.", "number"),
)
TUNING = TableSchema(
    "Settings that were tried for one variant, by their accuracy on validation data.",
    EXPERIMENT,
    VARIANT,
    Column("setting", "Parameters that differ from talk.yaml, as JSON; {}: those of talk.yaml."),
    Column("n_hidden", "Hidden units.", "integer"),
    SEED,
    Column("presentations", "Samples shown in training, counted as often as shown.", "integer"),
    Column("accuracy", "On validation data.", "number", "fraction"),
    Column("cpu_seconds", "Of the training.", "number", "s"),
)
NETWORKS = TableSchema(
    "Trained networks that come with the repository, as NIR files.",
    Column("file", "The network, seen from the folder of this table."),
    TALK,
    Column("task", "Shared task; empty: one of the talk's own."),
    EXPERIMENT,
    VARIANT,
    Column("seed", "Seed of the training.", "integer"),
    Column("scale", "Scale of the run that trained it."),
    Column("data", "Where its data come from: simulated and synthetic ones are stand-ins."),
    Column("neurons", "Neurons, readouts included.", "integer"),
    Column("synapses", "Weights that are not 0, but for those that stand for a reset.", "integer"),
    Column("score", "Of the clean test in Brian2, as that run recorded it.", "number", _OF_SHARE),
    Column("trials", "Test trials of the score.", "integer"),
    Column("samples", "Test trials that come with it.", "integer"),
    Column(
        "equal",
        "Share of their decisions that the file gives inside Brian2; of continuous outputs, of "
        "steps within 1 % of the range.",
        "number",
        _OF_SHARE,
    ),
    Column("sha256", "Hash of the file."),
    Column("sha256_samples", "Hash of its samples."),
)
REPRODUCED = TableSchema(
    "Every network of the run, compared with the network of the same seed in the reference "
    "results. Durations, and numbers that the reference results lack, are not compared.",
    *NETWORK,
    Column("equal", "Numbers that are equal to the last digit written.", "integer"),
    Column("rounded", "Numbers that differ by at most a millionth.", "integer"),
    Column("different", "Numbers that differ by more.", "integer"),
    Column(
        "largest", "Largest difference, divided by the larger of the two numbers.", "number", "1"
    ),
    Column("where", "Number with the largest difference; empty if all are equal."),
    Column(
        "outcome",
        "equal, equal within rounding, different, or new: the reference results lack the network.",
    ),
)
OF_A_RUN = {
    "costs.csv": COSTS,
    "parity.csv": PARITY,
    "biology.csv": BIOLOGY,
    "shared.csv": SHARED,
    "frontiers.csv": FRONTIERS,
    "advantage.csv": ADVANTAGE,
    "floors.csv": FLOORS,
    "literature.csv": LITERATURE,
    "durations.csv": DURATIONS,
}
"""File beside the report -> its columns: tables that put the talks side by side."""
_KEPT = ("claim", "talk", "published", "value", "low", "high", "seeds", "data", "verdict", "says")
RETIRED = TableSchema(
    "Claims that the project no longer makes: their last verdict, and why they went.",
    *(column for column in VERDICTS.columns if column.name in (*_KEPT, _UNIT.name)),
    Column("commit", "Commit of the last run that judged it."),
    Column("version", "Version of the project that retired it."),
    Column("published_size", "Verdict at the published size; empty if it was not judged there."),
    Column("why", "Why it went."),
)
BESIDE_THE_RECORD = {"reproduced.csv": REPRODUCED}  # of a run, and not of the reference
CHANGED = TableSchema(
    "Every number of a talk that is not the recorded one, old and new; the others are equal to the "
    "last digit written.",
    *METRICS.columns[1:10],  # of which number
    Column("recorded", "In the record; empty where it lacks the number.", "number", _OF_METRIC),
    Column("here", "What this run measured.", "number", _OF_METRIC),
    Column("difference", "Here minus recorded.", "number", _OF_METRIC),
    Column(
        "outcome",
        "equal, equal within rounding, different, or new: the reference results lack the number.",
    ),
)
BESIDE_A_TALK = {"reproduced.csv": CHANGED}
"""File beside the page of a talk, of the run alone -> its columns."""
OF_THE_REFERENCE = {"networks.csv": NETWORKS, "retired.csv": RETIRED}
"""File beside the recorded joint tables only -> its columns."""
OF_A_TALK = {
    "metrics.csv": METRICS,
    "verdicts.csv": VERDICTS,
    "measures.csv": MEASURES,
    "history.csv": HISTORY,
}
"""File beside the page of a talk -> its columns; readers put those of all talks together."""
