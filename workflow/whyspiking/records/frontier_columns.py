"""The columns of frontiers.csv and advantage.csv: accuracy against energy, and energy ratios."""

from __future__ import annotations

from whyspiking.records.table_schema import Column, TableSchema

_TASK = Column("task", "Shared task.")
_FRACTION = "fraction"
_COMMENT = Column("comment", "Remarks, for example why there is no number.")
UPDATE_MODELS = {
    "event_driven": "event-driven",
    "clock_driven": "clock-driven, at the time step of the task",
}
"""Suffix of a column -> when units are updated."""

POINTS = TableSchema(
    "Accuracy of networks of all sizes on the shared tasks, and operations per trial.",
    _TASK,
    Column(
        "family",
        "lif (spiking), leaky_units (non-spiking leaky units), gru, relu (receives the whole "
        "trial as "
        "one vector); for hand-designed networks the kind of unit; for learning rules the method.",
    ),
    Column("network_type", "trained (a baseline), hand_designed, or learning_rule (of a talk)."),
    Column("counterpart", "For a local learning rule: the same network, trained end to end."),
    Column("n_hidden", "Hidden units.", "number"),
    Column("spike_penalty", "Weight of the penalty on activity in training; 0: none.", "number"),
    Column("seed", "Seed of data and training; for hand-designed networks of the data.", "number"),
    Column("chance", "Accuracy at chance level.", "number", _FRACTION),
    Column("validation_accuracy", "Accuracy on validation data.", "number", _FRACTION),
    Column("test_accuracy", "Accuracy on test data.", "number", _FRACTION),
    Column(
        "n_parameters",
        "Stored numbers: weights, thresholds and time constants.",
        "number",
        "numbers",
    ),
    Column("n_messages", "Messages that hidden units send.", "number", "messages/trial"),
    Column("acs", "Accumulate operations: spikes that arrive at weights.", "number", "1/trial"),
    Column(
        "macs",
        "Multiply-accumulate operations: graded messages that arrive at weights.",
        "number",
        "1/trial",
    ),
    *(
        column
        for suffix, when in UPDATE_MODELS.items()
        for column in (
            Column(f"updates_{suffix}", f"Updates of units, {when}.", "number", "1/trial"),
            Column(
                f"multiplications_{suffix}",
                f"Multiplications of these updates, and as many additions, {when}.",
                "number",
                "1/trial",
            ),
        )
    ),
    Column("binary_messages", "Spikes, inputs included.", "number", "messages/trial"),
    Column(
        "graded_messages", "Messages that are numbers, inputs included.", "number", "messages/trial"
    ),
    Column(
        "buffered_values",
        "Numbers that wait in a buffer because the network receives the whole trial as one vector.",
        "number",
        "1/trial",
    ),
)
COUNTED = POINTS.columns[POINTS.names.index("n_parameters") :]
"""Columns that are counted for each network, and that are metrics, too."""
FRONTIERS = TableSchema(
    POINTS.says,
    *POINTS.columns,
    *(
        Column(f"{memory}_{suffix}", f"Energy of {what}; updates {when}.", "number", "pJ/trial")
        for memory, what in (
            ("operations", "operations only"),
            ("memory_8kb", "operations and of weights, states and messages in 8 kB of memory"),
        )
        for suffix, when in UPDATE_MODELS.items()
    ),
    Column(
        "pareto_optimal_under",
        "The cost models (of these four) under which the network is a corner of the frontier of "
        "its "
        "family and seed, by validation accuracy.",
    ),
)
ADVANTAGE = TableSchema(
    "Cost ratio of spiking and non-spiking networks at equal accuracy, paired by seed; and "
    "accuracy "
    "of the talks' methods compared with baselines.",
    _TASK,
    Column("subject", "spikes (the spiking baseline), or a method of a talk."),
    Column(
        "compared_with",
        "leaky_units, gru, relu; best_trained (the best trained non-spiking network); best_overall "
        "(hand-designed networks count on both sides). For a method: lif or best_overall (at equal "
        "energy), equal_size (the spiking baseline with the same number of units), end_to_end (the "
        "same network, trained end to end).",
    ),
    Column(
        "cost_model",
        "Cost that is compared: an energy (operations only, or with weights in memory of 8 kB, 1 "
        "MB "
        "or DRAM; event-driven or clock-driven), n_parameters, or n_messages.",
    ),
    Column(
        "relative_accuracy",
        "Accuracy of the comparison: 0 at chance, 1 at the best validation accuracy. It is the "
        "highest "
        "of 0.95, 0.9 and 0.8 that both sides reach on all seeds under the four main cost models. "
        "For "
        "a method it is the accuracy of the method.",
        "number",
        "1",
    ),
    Column("accuracy", "The same as accuracy, mean over seeds.", "number", _FRACTION),
    Column("cost_spiking", "Lowest cost of the spiking side.", "number", "pJ/trial, or 1"),
    Column("cost_other", "Lowest cost of the other side.", "number", "pJ/trial, or 1"),
    Column(
        "ratio", "cost_spiking divided by cost_other: geometric mean over seeds.", "number", "1"
    ),
    Column("ci_low", "Lower end of the 95 % confidence interval.", "number", "1"),
    Column("ci_high", "Upper end of the 95 % confidence interval.", "number", "1"),
    Column("n_seeds", "Number of seeds that both sides have.", "integer"),
    Column(
        "n_reached_spiking",
        "Number of seeds on which the spiking side reaches the accuracy; for a method the number "
        "of "
        "networks that reach half of the range from chance to the best.",
        "integer",
    ),
    Column(
        "n_reached_other",
        "Number of seeds on which the other side reaches the accuracy.",
        "integer",
    ),
    Column("cheapest_family", "Family that most often has the lowest cost on the other side."),
    Column(
        "verdict",
        "more or less (the interval of the ratio lies on one side of 1), no difference (it lies in "
        "0.8 to 1.25), inconclusive, or not assessed (a network of a talk is more accurate at "
        "equal "
        "cost than our spiking baselines); empty: no ratio.",
    ),
    Column(
        "verdict_all_cost_models",
        "Summary of the verdicts under the four main cost models, or the assumptions that decide.",
    ),
    Column(
        "accuracy_difference",
        "For a method: its accuracy minus that of what it is compared with.",
        "number",
        _FRACTION,
    ),
    Column("accuracy_difference_low", "Lower end of its 95 % interval.", "number", _FRACTION),
    Column("accuracy_difference_high", "Upper end of its 95 % interval.", "number", _FRACTION),
    _COMMENT,
)
REFERENCE_TUNING = TableSchema(
    "Settings that were tried for baselines, with their accuracy on validation data.",
    _TASK,
    Column("family", "Family of networks."),
    Column("grid", "Number of the first grid of protocol.yaml that has the setting.", "integer"),
    Column("setting", "Parameters that the grid varies, as JSON."),
    Column("seed", "Seed of data and network.", "integer"),
    Column("n_hidden", "Hidden units.", "integer"),
    Column("accuracy", "Accuracy on validation data.", "number", "fraction"),
    Column("cpu_seconds", "CPU time of training and validation.", "number", "s"),
)
