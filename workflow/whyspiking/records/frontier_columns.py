"""The columns of frontiers.csv and advantage.csv: accuracy against cost, and what is read of it."""

from __future__ import annotations

from whyspiking.records.table_schema import Column, TableSchema

_TASK = Column("task", "Shared task.")
_SHARE, _HOW = (
    "fraction",
    {"events": "by events", "clocked": "clocked: at the one step of the task"},
)

POINTS = TableSchema(
    "Networks of all sizes on every task: accuracy, and what a trial asks of them.",
    _TASK,
    Column(
        "family",
        "lif (with spikes), twin (leaky units that send numbers), gated, relu (told a trial at "
        "once), or how a network built by hand works; of a rule, its method.",
    ),
    Column("kind", "trained (a reference network), built (by hand), rule (a method of a talk)."),
    Column("counterpart", "Of a local rule: the same network, trained end to end."),
    Column("units", "Hidden units.", "number"),
    Column("price", "Price of a message in training; 0: none.", "number"),
    Column("seed", "Of data and training; empty: built, the same on all of them.", "number"),
    Column("guess", "Accuracy of guessing.", "number", _SHARE),
    Column("validation", "Accuracy on validation data, by which is chosen.", "number", _SHARE),
    Column("test", "Accuracy on test data, which is told.", "number", _SHARE),
    Column("numbers", "Numbers stored: weights, thresholds, time constants.", "number", "numbers"),
    Column("messages", "Messages that hidden units send.", "number", "messages/trial"),
    Column("additions", "Arrivals of one-bit messages at weights.", "number", "1/trial"),
    Column("multiply_adds", "Arrivals of numbers at weights.", "number", "1/trial"),
    *(
        column
        for end, how in _HOW.items()
        for column in (
            Column(f"updates_{end}", f"Updates of units, {how}.", "number", "1/trial"),
            Column(
                f"multiplications_{end}",
                f"Their multiplications, and as many additions, {how}.",
                "number",
                "1/trial",
            ),
        )
    ),
    Column("binary", "Messages of one bit, inputs included.", "number", "messages/trial"),
    Column("graded", "Messages that are numbers, inputs included.", "number", "messages/trial"),
    Column("buffered", "Numbers that wait until a trial is told at once.", "number", "1/trial"),
)
COUNTED = POINTS.columns[POINTS.names.index("numbers") :]
"""What is counted of every network, as metrics too."""
FRONTIERS = TableSchema(
    POINTS.says,
    *POINTS.columns,
    *(
        Column(f"{memory}_{end}", f"Energy: {what}; updates {how}.", "number", "pJ/trial")
        for memory, what in (
            ("operations", "operations with updates"),
            ("8kb", "weights, states and messages in 8 kB of memory as well"),
        )
        for end, how in _HOW.items()
    ),
    Column(
        "vertex",
        "Of these four, those under which it is a corner of the frontier of its family and seed, "
        "by validation.",
    ),
)
ADVANTAGE = TableSchema(
    "What is read of the frontiers: the least cost at the same accuracy, with spikes and without.",
    _TASK,
    Column("who", "spikes, or a method of a talk: then it is told what that gives away."),
    Column(
        "beside",
        "twin (is it the spike?), gated (is it the memory?), relu (units told at once), trained "
        "(the best of all that is trained without spikes), everything (is it worth it? with "
        "networks built by hand on both sides). Of a rule: lif or everything (the frontier at its "
        "energy), equal_units (the spiking reference of as many units), end_to_end (the same "
        "network, trained so).",
    ),
    Column(
        "cost",
        "Account of the energy, numbers (stored), or messages (of hidden units). Accounts: "
        "operations, or with memory for weights of 8 kB, 1 MB, DRAM; at events or clocked.",
    ),
    Column(
        "way",
        "How far from guessing to the best on a seed's validation data the level lies: of 0.95, "
        "0.9, 0.8 the highest that both sides reach on all seeds under the four main accounts. "
        "Of a rule, its own accuracy.",
        "number",
        "1",
    ),
    Column("level", "That level as an accuracy, mean over seeds.", "number", _SHARE),
    Column("mine", "Least cost at it with spikes.", "number", "pJ/trial, or 1"),
    Column("theirs", "Least cost of the other side.", "number", "pJ/trial, or 1"),
    Column("ratio", "The first over the second, paired: geometric mean.", "number", "1"),
    Column("low", "Lower end of its 95 % interval over seeds.", "number", "1"),
    Column("high", "Upper end of that interval.", "number", "1"),
    Column("seeds", "Seeds that both sides have.", "integer"),
    Column(
        "reached",
        "On how many of them spikes reach the level; of a rule, how many of its networks come half "
        "of the way from guessing to the best.",
        "integer",
    ),
    Column("reached_theirs", "The same of the other side.", "integer"),
    Column("made_by", "Family that most often needs least on the other side."),
    Column(
        "word",
        "no difference (the interval lies inside 0.8 to 1.25); else cheaper or dearer (on one side "
        "of 1), or open; not assessed: a talk's network is more accurate than our spiking "
        "baselines at equal cost; empty: no ratio.",
    ),
    Column(
        "over",
        "The same over the four main accounts: their word, or on which assumptions it depends.",
    ),
    Column("gap", "Of a rule: its accuracy less that of what it is beside.", "number", _SHARE),
    Column("gap_low", "Lower end of its 95 % interval; above 0: above.", "number", _SHARE),
    Column("gap_high", "Upper end.", "number", _SHARE),
    Column("why", "Why there is no ratio, or none at a higher level; empty where there is."),
)
REFERENCE_TUNING = TableSchema(
    "Settings that were tried for reference networks, by their accuracy on validation data.",
    Column("task", "Task of the ground."),
    Column("family", "Family of networks."),
    Column("grid", "Which grid of the protocol asked for it first, from 1.", "integer"),
    Column("setting", "What the grid varies, as JSON."),
    Column("seed", "Of data and network.", "integer"),
    Column("units", "Hidden units.", "integer"),
    Column("accuracy", "On validation data.", "number", "fraction"),
    Column("cpu_seconds", "Of training and validation.", "number", "s"),
)
