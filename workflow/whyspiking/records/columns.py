"""The columns of every table, in order: name, type, meaning, unit.

What is checked when a table is read, the types of its columns and `datapackage.json` follow from
this one list.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import pandas as pd


class Column(NamedTuple):
    """One column of a table.

    Attributes:
        name: As in the head of the file.
        kind: Type of the Table Schema: string, number, integer or boolean.
        says: What it is.
        unit: Unit of its numbers; empty where there is none.
    """

    name: str
    kind: str
    says: str
    unit: str = ""


@dataclass(frozen=True)
class TableSchema:
    """The columns of one kind of table.

    Attributes:
        says: What the table holds.
        columns: In the order of the file.
    """

    says: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        """The columns' names, in order."""
        return [column.name for column in self.columns]

    def of_kind(self, *kinds: str) -> list[str]:
        """Names of the columns of some types."""
        return [column.name for column in self.columns if column.kind in kinds]

    def table(self, rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
        """Rows as a table with all columns in order; what a row does not name is missing."""
        import pandas as pd  # the workflow itself needs the names only

        return pd.DataFrame(list(rows), columns=pd.Index(self.names))


_UNIT_OF_METRIC = "unit of the metric"
_UNIT_COLUMN = "see column unit"
_SCALE = Column("scale", "string", "Scale of the run: smoke, default or paper.")
_TALK = Column("talk", "string", "Talk, by its speaker.")
_EXPERIMENT = Column("experiment", "string", "Experiment of the talk.")
_VARIANT = Column(
    "variant", "string", "What was trained: the spiking network, a control, an ablation."
)
_SEED = Column("seed", "integer", "Seed of the training, the unit of all intervals.")
_METRIC = Column("metric", "string", "What was measured.")
_SEEDS = Column("seeds", "integer", "Number of seeds.")
_UNIT = Column("unit", "string", "Unit of the numbers.")
_CHANGED = Column("perturbation", "string", "What was changed, or the cost model.")
_CHANGED_WHERE = Column("locus", "string", "Where it was changed, or the control.")


def _interval(value: str, unit: str = _UNIT_COLUMN, name: str = "value") -> tuple[Column, ...]:
    """A number and its interval over seeds."""
    return (
        Column(name, "number", value, unit),
        Column("low", "number", "Lower end of its 95 % interval over seeds.", unit),
        Column("high", "number", "Upper end of that interval.", unit),
    )


METRICS = TableSchema(
    "Every measurement, one a row.",
    (
        _SCALE,
        _TALK,
        _EXPERIMENT,
        _VARIANT,
        _SEED,
        Column("engine", "string", "What simulated: the engine of training, or Brian2."),
        Column("perturbation", "string", "What was changed; none for the clean run."),
        Column("locus", "string", "Where it was changed, or the other side of a contrast."),
        Column("strength", "number", "Level of the perturbation, in the unit of its definition."),
        Column(
            "metric", "string", "What was measured; units and definitions are in `metrics` here."
        ),
        Column("value", "number", "The measurement.", _UNIT_COLUMN),
        Column("unit", "string", "Unit of the value."),
        Column("trials", "integer", "Number of trials behind the value."),
    ),
)
VERDICTS = TableSchema(
    "One row a claim: published, measured, verdict.",
    (
        Column("claim", "string", "Name of the claim."),
        _TALK,
        Column("role", "string", "Key claim or secondary one."),
        _METRIC,
        Column("published", "number", "Published value.", _UNIT_OF_METRIC),
        Column("value", "number", "Mean over seeds.", _UNIT_OF_METRIC),
        Column(
            "low",
            "number",
            "Lower end of the interval over seeds (95 %, equivalence 90 %).",
            _UNIT_OF_METRIC,
        ),
        Column("high", "number", "Upper end of that interval.", _UNIT_OF_METRIC),
        _SEEDS,
        _SCALE,
        Column("data", "string", "Where the data are from."),
        Column("band_low", "number", "Lower end of the acceptance band.", _UNIT_OF_METRIC),
        Column("band_high", "number", "Upper end of the acceptance band.", _UNIT_OF_METRIC),
        Column("control_value", "number", "What the negative control reached.", _UNIT_OF_METRIC),
        Column("verdict", "string", "Verdict."),
        # What else is usually asked of a replication; none of it decides.
        Column("label", "string", "The words of the report for it."),
        Column("says", "string", "The claim in words."),
        Column("test", "string", "How the claim is tested."),
        Column("better", "string", "Which direction is better."),
        _UNIT,
        Column("exceeds", "boolean", "Better than published by more than the tolerance."),
        Column("control_passes", "boolean", "The negative control passes the band: it must not."),
        Column("direction_agrees", "boolean", "The sign of a difference is the published one."),
        Column("published_inside", "boolean", "The published value lies inside the interval."),
        Column(
            "prediction_low",
            "number",
            "Lower end of the original's prediction interval.",
            _UNIT_OF_METRIC,
        ),
        Column("prediction_high", "number", "Upper end of that interval.", _UNIT_OF_METRIC),
        Column("inside_prediction", "boolean", "The value lies inside it."),
        Column("p_value", "number", "One-sided p value against the band.", "1"),
        Column("p_holm", "number", "The same with Holm's correction, secondary claims.", "1"),
        Column("why", "string", "Why the band is where it is."),
        Column("note", "string", "Remarks."),
    ),
)
AXES = TableSchema(
    "Talk by axis of the question why spiking: effect and interval.",
    (
        Column("axis", "string", "Axis of the question: timing, latency, energy, robustness."),
        Column("measure", "string", "Short name of the measure."),
        _TALK,
        _EXPERIMENT,
        _CHANGED,
        _CHANGED_WHERE,
        _METRIC,
        *_interval("Mean over seeds.", _UNIT_OF_METRIC, "effect"),
        _UNIT,
        _SEEDS,
        Column("null", "number", "The value that says: no effect.", _UNIT_OF_METRIC),
        Column("better", "string", "Which side of it speaks for spikes."),
        Column("favours_spikes", "string", "What the whole interval says: yes, no, unclear."),
        Column("says", "string", "The measure in words."),
    ),
)
MEASURES = TableSchema(
    "The measures of every simulated experiment over its spiking networks, or why there is none.",
    (
        _TALK,
        _EXPERIMENT,
        Column("measure", "string", "Short name of the measure, a column of the report's table."),
        _METRIC,
        _CHANGED,
        _CHANGED_WHERE,
        *_interval("Mean over seeds; median where one is infinite; ratios: geometric mean."),
        Column("in_tau", "number", "The value in characteristic times of the talk.", "1"),
        _UNIT,
        _SEEDS,
        Column("why", "string", "Why there is no number; empty where there is one."),
    ),
)
ENERGY = TableSchema(
    "Energy of every control over that of the spiking network: cost models, varied assumptions.",
    (
        _TALK,
        _EXPERIMENT,
        Column("variant", "string", "The spiking network; empty: all of the experiment."),
        Column("locus", "string", "The control."),
        Column("factor", "string", "Assumption that was varied; empty for a whole cost model."),
        Column("setting", "string", "What it was set to, or the cost model."),
        *_interval("Geometric mean of the ratio over seeds.", "1", "mean"),
        _SEEDS,
    ),
)
COSTS = TableSchema(
    "Seconds of training and memory of learning.",
    (
        Column("talk", "string", "Talk, by its speaker; empty: over all of them."),
        _EXPERIMENT,
        _VARIANT,
        Column("locus", "string", "The control, in a ratio."),
        Column("metric", "string", "What was measured; train_seconds_ratio: ours over control."),
        *_interval("Mean over seeds; ratios: geometric mean; over all talks: median."),
        _UNIT,
        Column("seeds", "integer", "Number of seeds; over all talks: of ratios."),
        Column("favours_spikes", "string", "What the interval of a ratio says: yes, no, unclear."),
    ),
)
PARITY = TableSchema(
    "Agreement of the training engine with Brian2: the worst network of each talk.",
    (
        _TALK,
        Column("networks", "integer", "Number of networks that were compared."),
        Column("equal_decisions", "number", "Least share of equal decisions.", "fraction"),
        Column("score_difference", "number", "Largest difference of scores.", "fraction"),
        Column("equal", "boolean", "Both are within the limits of the config."),
    ),
)
LIMITS = TableSchema(
    "How much of a perturbation trained networks stand, nothing retrained.",
    (
        _TALK,
        _EXPERIMENT,
        _METRIC,
        Column("perturbation", "string", "What was changed."),
        Column("locus", "string", "Where it was changed."),
        Column("value", "number", "Median over seeds; inf: beyond the levels tried.", _UNIT_COLUMN),
        Column("unit", "string", "Unit of the value; tau: the talk's characteristic time."),
    ),
)
_UNIT_OF_QUANTITY = "unit of the published range"
BIOLOGY = TableSchema(
    "Trained networks beside published ranges of nervous systems.",
    (
        Column("quantity", "integer", "Place of the range in verdicts/biology.yaml, from 1."),
        Column("metric", "string", "The metric that stands beside it."),
        _TALK,
        Column("low", "number", "Least mean over seeds of its populations.", _UNIT_OF_QUANTITY),
        Column("high", "number", "Largest such mean.", _UNIT_OF_QUANTITY),
        Column("place", "string", "Inside, partly inside, below or above the published range."),
        Column(
            "rescaled_low",
            "number",
            "The least, as if the characteristic time were biological.",
            _UNIT_OF_QUANTITY,
        ),
        Column("rescaled_high", "number", "The largest, likewise.", _UNIT_OF_QUANTITY),
        Column("rescaled_place", "string", "Where these lie."),
        Column("populations", "integer", "Number of experiments, or of populations in them."),
    ),
)
CURVES = TableSchema(
    "Scores along the size of a network and along time, over seeds.",
    (
        _TALK,
        _EXPERIMENT,
        _VARIANT,
        Column("along", "string", "parameters: trained numbers; time: since stimulus onset."),
        Column("at", "number", "Where on that axis; time in characteristic times of the talk."),
        *_interval("Score; along time: accuracy if stopped there.", "fraction", "mean"),
        _SEEDS,
    ),
)
DURATIONS = TableSchema(
    "Mean duration of each kind of job.",
    (
        Column("rule", "string", "Stage: train or simulate."),
        _TALK,
        _EXPERIMENT,
        Column("variant", "string", "Variant; empty for simulations, which hold all of them."),
        Column("seconds", "number", "Mean wall-clock time of such a job.", "s"),
        Column("cpu_seconds", "number", "Mean CPU time of such a job.", "s"),
        Column("jobs", "integer", "Number of such jobs."),
    ),
)
HISTORY = TableSchema(
    "Training curves of one talk.",
    (
        _EXPERIMENT,
        _VARIANT,
        _SEED,
        Column("epoch", "number", "Epoch, iteration or whatever the talk counts."),
        Column("metric", "string", "What was followed during training."),
        Column("value", "number", "Its value."),
    ),
)
OF_A_RUN = {
    "metrics.csv": METRICS,
    "verdicts.csv": VERDICTS,
    "axes.csv": AXES,
    "measures.csv": MEASURES,
    "energy.csv": ENERGY,
    "costs.csv": COSTS,
    "parity.csv": PARITY,
    "limits.csv": LIMITS,
    "biology.csv": BIOLOGY,
    "curves.csv": CURVES,
    "durations.csv": DURATIONS,
}
"""File beside the report -> its columns."""
OF_A_TALK = {
    "metrics.csv": METRICS,
    "verdicts.csv": VERDICTS,
    "measures.csv": MEASURES,
    "energy.csv": ENERGY,
    "history.csv": HISTORY,
}
"""File beside the page of a talk -> its columns."""
