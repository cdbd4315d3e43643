"""The columns of every table, in order: name, type, meaning, unit.

What is checked when a table is read, the types of its columns and `datapackage.json` follow from
this one list.
"""

from __future__ import annotations

from whyspiking.records.frontier_columns import ADVANTAGE, FRONTIERS
from whyspiking.records.metrics_columns import METRIC, METRICS, NETWORK, SEED, UNIT_COLUMN
from whyspiking.records.table_schema import EXPERIMENT, TALK, VARIANT, Column, TableSchema
from whyspiking.records.verdict_columns import (
    COMMENT,
    N_SEEDS,
    OF_METRIC,
    UNIT,
    VERDICTS,
)

_PLACE = (TALK, EXPERIMENT)


def _interval(value: str, unit: str = UNIT_COLUMN, name: str = "value") -> tuple[Column, ...]:
    """A number and its interval over seeds."""
    return (
        Column(name, value, "number", unit),
        Column("ci_low", "Lower end of the 95 % confidence interval.", "number", unit),
        Column("ci_high", "Upper end of the 95 % confidence interval.", "number", unit),
    )


MEASURES = TableSchema(
    "How much each network uses spike times, how early it decides and how robust it is.",
    *_PLACE,
    VARIANT,
    METRIC,
    Column("perturbation", "Perturbation of the network or its input."),
    Column("location", "What the perturbation acts on, or the population that is measured."),
    *_interval("Mean over networks."),
    UNIT,
    N_SEEDS,
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
    UNIT,
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
    N_SEEDS,
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
    COMMENT,
)
FLOORS = TableSchema(
    "Accuracy of memoryless baselines on the shared tasks.",
    _TASK,
    Column("baseline", "Memoryless baseline."),
    Column("input", "Part of a trial that the baseline receives."),
    Column("description", "Input and classifier of the baseline."),
    Column("must_fail", "Whether the baseline must stay at chance level on this task.", "boolean"),
    *_interval("Accuracy on test data, mean over seeds.", _OF_SHARE, "accuracy"),
    N_SEEDS,
    Column("chance", "Accuracy at chance level.", "number", _OF_SHARE),
    Column(
        "outcome",
        "at chance (within the margin of protocol.yaml); solves (at least the fraction "
        "`solution_threshold` of "
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
    N_SEEDS,
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
    Column(
        "trained_fraction",
        "Fraction of the training that the run repeated. Below 1, the network that was evaluated "
        "is that of the reference results.",
        "number",
        "fraction",
    ),
)
OF_A_RUN = {
    "costs.csv": COSTS,
    "agreement.csv": PARITY,
    "biology.csv": BIOLOGY,
    "shared.csv": SHARED,
    "frontiers.csv": FRONTIERS,
    "advantage.csv": ADVANTAGE,
    "baselines.csv": FLOORS,
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
    *(column for column in VERDICTS.columns if column.name in (*_KEPT, UNIT.name)),
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
    Column("reference_value", "Number of the reference results; empty: none.", "number", OF_METRIC),
    Column("value", "Number of this run.", "number", OF_METRIC),
    Column("difference", "Number of this run minus reference value.", "number", OF_METRIC),
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
