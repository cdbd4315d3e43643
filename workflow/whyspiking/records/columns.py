"""The columns of every table, in order: name, type, meaning, unit.

What is checked when a table is read, the types of its columns and `datapackage.json` follow from
this one list.
"""

from __future__ import annotations

from whyspiking.records.frontier_columns import ADVANTAGE, FRONTIERS
from whyspiking.records.metrics_columns import METRIC, METRICS, NETWORK, SCALE, SEED, UNIT_COLUMN
from whyspiking.records.table_schema import EXPERIMENT, TALK, VARIANT, Column, TableSchema

_OF_METRIC = "unit of the metric"
_SEEDS = Column("n_seeds", "Number of networks, one per seed.", "integer")
_UNIT = Column("unit", "Unit of the numbers.")
_PLACE = (TALK, EXPERIMENT)
_COMMENT = Column("comment", "Remarks, for example why there is no number.")


def _interval(value: str, unit: str = UNIT_COLUMN, name: str = "value") -> tuple[Column, ...]:
    """A number and its interval over seeds."""
    return (
        Column(name, value, "number", unit),
        Column("ci_low", "Lower end of the 95 % confidence interval.", "number", unit),
        Column("ci_high", "Upper end of the 95 % confidence interval.", "number", unit),
    )


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
    Column("published_value", "Published value; empty: none.", "number", _OF_METRIC),
    Column(
        "quoted_from_memory",
        "What was not read at its source: the published number or the statement; empty: nothing.",
    ),
    Column("value", "Mean over networks.", "number", _OF_METRIC),
    Column(
        "ci_low",
        "Lower end of the 95 % confidence interval; for a claim about every network the lowest "
        "network.",
        "number",
        _OF_METRIC,
    ),
    Column("ci_high", "Upper end of the interval, or the highest network.", "number", _OF_METRIC),
    _SEEDS,
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
    Column("criterion_low", "Lower end of the acceptance criterion.", "number", _OF_METRIC),
    Column("criterion_high", "Upper end of the acceptance criterion.", "number", _OF_METRIC),
    Column("control_value", "Result of the negative control.", "number", _OF_METRIC),
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
    _UNIT,
    Column(
        "above_criterion",
        "The result is better than published by more than the tolerance.",
        "boolean",
    ),
    Column("control_meets_criterion", "The negative control meets the criterion.", "boolean"),
    Column("direction_agrees", "The sign of a difference is the published one.", "boolean"),
    Column("published_in_interval", "The interval contains the published value.", "boolean"),
    Column(
        "prediction_low",
        "Lower end of the 95 % prediction interval of the published result.",
        "number",
        _OF_METRIC,
    ),
    Column("prediction_high", "Upper end of that interval.", "number", _OF_METRIC),
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
    _COMMENT,
    Column(
        "failed_conditions",
        "Conditions for success that the claim does not meet: criterion, interval, no difference, "
        "number of networks, negative control, Holm; empty: none, or the claim was not judged.",
    ),
    Column(
        "also_measured",
        "Other ways in which the result of a key claim was measured: what differs, value, 95 % "
        "interval, and the verdict by the same criterion without the negative control.",
    ),
    Column("verdict_changes_with", "Those other ways that give another verdict."),
    Column(
        "evidence",
        "What the result is compared with: a published number, a number quoted from memory, a "
        "released artefact that we scored, or no number.",
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
MEASURES = TableSchema(
    "How much each network uses spike times, how early it decides and how robust it is.",
    *_PLACE,
    VARIANT,
    METRIC,
    Column("perturbation", "Perturbation of the network or its input."),
    Column("location", "What the perturbation acts on, or the population that is measured."),
    *_interval("Mean over networks."),
    _UNIT,
    _SEEDS,
)
COSTS = TableSchema(
    "CPU seconds of training, and memory that learning needs. Variants with a network that was "
    "copied "
    "from another experiment are left out.",
    Column("talk", "Talk, by its speaker; empty: all talks together."),
    EXPERIMENT,
    VARIANT,
    Column(
        "control",
        "Non-spiking network in the denominator of a ratio; its number of synapses differs by less "
        "than a factor of ten.",
    ),
    Column(
        "metric",
        "What was measured; train_cpu_seconds_ratio: variant `spiking` divided by control.",
    ),
    *_interval("Mean over seeds; ratios: geometric mean; all talks together: median."),
    _UNIT,
    Column("n_seeds", "Number of seeds; all talks together: number of ratios.", "integer"),
    Column("favours_spikes", "Whether the interval of a ratio lies below 1: yes, no or unclear."),
)
PARITY = TableSchema(
    "Agreement between training code and Brian2: the worst network of each talk.",
    TALK,
    Column("n_networks", "Number of networks that were compared.", "integer"),
    Column("equal_decisions", "Lowest fraction of equal decisions.", "number", "fraction"),
    Column("score_difference", "Largest difference of scores.", "number", "fraction"),
    Column("within_limits", "Both are within the limits of the configuration.", "boolean"),
)
_OF_RANGE = "unit of the published range"
BIOLOGY = TableSchema(
    "Spiking networks in Brian2 compared with published ranges of nervous systems.",
    Column("range_number", "Number of the range in verdicts/biology.yaml, from 1.", "integer"),
    Column("metric", "Metric that is compared with the range."),
    TALK,
    Column("minimum", "Smallest mean over seeds among the populations.", "number", _OF_RANGE),
    Column("maximum", "Largest mean over seeds among the populations.", "number", _OF_RANGE),
    Column(
        "position", "Position relative to the published range: inside, partly inside, below, above."
    ),
    Column(
        "rescaled_minimum",
        "The minimum if the characteristic time of the network were the biological one.",
        "number",
        _OF_RANGE,
    ),
    Column("rescaled_maximum", "The maximum, rescaled in the same way.", "number", _OF_RANGE),
    Column("rescaled_position", "Position of the rescaled minimum and maximum."),
    Column("n_populations", "Number of variants, or of populations in them.", "integer"),
)
_OF_SHARE = "fraction"
_TASK = Column("task", "Shared task.")
SHARED = TableSchema(
    "Results of each method of a talk on each shared task, or the reason why it has none.",
    _TASK,
    Column("status", "measured, or absent: no result, for the reason in `comment`."),
    *_PLACE,
    VARIANT,
    Column(
        "variant_role", "Role of the variant in talk.yaml: spiking, rate (no spikes), ablation."
    ),
    Column("description", "The variant in words."),
    *_interval("Accuracy on test data, mean over seeds.", _OF_SHARE, "accuracy"),
    _SEEDS,
    Column("spikes_hidden", "Hidden spikes per trial, in Brian2.", "number", "spikes/trial"),
    Column("train_cpu_seconds", "CPU time of one training.", "number", "s"),
    Column("n_samples_shown", "Samples shown in training, repetitions counted.", "integer"),
    Column("n_settings_tried", "Settings tried on validation data; 0: none.", "integer"),
    Column("learning_rule", "Learning rule, as in talk.yaml."),
    Column(
        "memory_synapse",
        "Numbers that the rule stores per synapse. N: neurons of the layer, T: time steps, K: "
        "outputs.",
    ),
    Column("memory_neuron", "Numbers that the rule stores per neuron."),
    Column("memory_shared", "Numbers that the rule stores once per network."),
    Column("n_memory", "All of these numbers for this network.", "number", "numbers"),
    Column("is_local", "Whether the rule is local and online: yes or no."),
    Column("signals", "Signals that a synapse needs besides the states of its two neurons."),
    _COMMENT,
)
FLOORS = TableSchema(
    "Accuracy of memoryless baselines on the shared tasks.",
    _TASK,
    Column("baseline", "Memoryless baseline."),
    Column("input", "Part of a trial that the baseline receives."),
    Column("description", "Input and classifier of the baseline."),
    Column("must_fail", "Whether the baseline must stay at chance level on this task.", "boolean"),
    *_interval("Accuracy on test data, mean over seeds.", _OF_SHARE, "accuracy"),
    _SEEDS,
    Column("chance", "Accuracy at chance level.", "number", _OF_SHARE),
    Column(
        "outcome",
        "at chance (within the margin of protocol.yaml); solves (at least the fraction `decides` "
        "of "
        "the range from chance to the reference); above chance (less than that); or reference (the "
        "classifier that receives the whole trial).",
    ),
)
LITERATURE = TableSchema(
    "A published threshold compared with trained LIF networks: spikes per neuron and time step.",
    _TASK,
    Column("source", "Publication of the threshold."),
    Column("source_location", "Place in the publication."),
    Column("published_low", "Lowest published threshold.", "number", _OF_SHARE),
    Column("published_high", "Highest published threshold.", "number", _OF_SHARE),
    *_interval(
        "Spikes per neuron and time step at the accuracy at which energies are compared; mean over "
        "seeds.",
        "1",
    ),
    _SEEDS,
    Column("n_steps", "Time steps of a trial.", "integer"),
    Column(
        "position",
        "Position of the interval: below or above the thresholds, inconclusive, not assessed.",
    ),
)
DURATIONS = TableSchema(
    "Mean duration of each kind of job. A run costs the sum of cpu_seconds times n_jobs, divided "
    "by "
    "speed_factor. Jobs that make data sets are included if the run made them.",
    Column("scale", "Scale of the run."),
    Column("rule", "Rule of the workflow."),
    *_PLACE,
    Column("variant", "Variant; empty for simulations, which hold all of them."),
    Column("dataset", "Data set, for jobs that make one."),
    Column("seconds", "Mean wall-clock time of such a job; empty: not timed.", "number", "s"),
    Column("cpu_seconds", "Mean CPU time of such a job.", "number", "s"),
    Column("n_jobs", "Number of such jobs.", "integer"),
    Column(
        "speed_factor",
        "Run time on this machine relative to the reference machine; 2: twice the time.",
        "number",
        "1",
    ),
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
    Column("n_samples_shown", "Samples shown in training, repetitions counted.", "integer"),
    Column("accuracy", "On validation data.", "number", "fraction"),
    Column("cpu_seconds", "Of the training.", "number", "s"),
)
NETWORKS = TableSchema(
    "Trained networks that come with the repository, as NIR files.",
    Column("file", "The network, seen from the folder of this table."),
    TALK,
    Column("task", "Shared task; empty: a task of the talk."),
    EXPERIMENT,
    VARIANT,
    Column("seed", "Seed of the training.", "integer"),
    Column("scale", "Scale of the run that trained it."),
    Column("data_source", "Origin of the data; simulated and synthetic: surrogate data."),
    Column("n_neurons", "Neurons, readouts included.", "integer"),
    Column("n_synapses", "Non-zero weights, without those that represent a reset.", "integer"),
    Column("score", "Score on unperturbed test trials in Brian2.", "number", _OF_SHARE),
    Column("n_trials", "Test trials of the score.", "integer"),
    Column("n_samples", "Test trials in the file of samples.", "integer"),
    Column(
        "equal_decisions",
        "Fraction of equal decisions of the file in Brian2; for continuous outputs the fraction of "
        "time steps within 1 % of the range.",
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
    Column("n_equal", "Numbers that are equal to the last digit written.", "integer"),
    Column("n_rounding", "Numbers that differ by at most a millionth.", "integer"),
    Column("n_different", "Numbers that differ by more.", "integer"),
    Column(
        "largest_difference",
        "Largest difference, divided by the larger of the two numbers.",
        "number",
        "1",
    ),
    Column("differing_number", "Number with the largest difference; empty if all are equal."),
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
_KEPT = (
    "claim", "talk", "published_value", "value", "ci_low", "ci_high", "n_seeds", "data_source",
    "verdict", "statement",
)  # fmt: skip
RETIRED = TableSchema(
    "Claims that the project no longer makes, with their last verdict and the reason.",
    *(column for column in VERDICTS.columns if column.name in (*_KEPT, _UNIT.name)),
    Column("commit", "Commit of the last run that judged the claim."),
    Column("version", "Version of the project that retired the claim."),
    Column(
        "verdict_at_published_size",
        "Verdict of the published-size run; empty if that did not judge the claim.",
    ),
    Column("comment", "Reason why the claim was retired."),
)
BESIDE_THE_RECORD = {"reproduced.csv": REPRODUCED}  # of a run, and not of the reference
CHANGED = TableSchema(
    "Numbers of a talk that differ from the reference results. All others are equal to the last "
    "digit written.",
    *METRICS.columns[1:10],  # of which number
    Column(
        "reference_value", "Number of the reference results; empty: none.", "number", _OF_METRIC
    ),
    Column("value", "Number of this run.", "number", _OF_METRIC),
    Column("difference", "Number of this run minus reference value.", "number", _OF_METRIC),
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
