"""Size ratios of curves whose answer is known, and how a talk's sizes become variants."""

import numpy as np
import pandas as pd
import pytest
from made.contrasted import crossed
from made.toy_talk import talk_of
from made.toy_yaml import TOY
from scipy import special

from whyspiking.contract import places
from whyspiking.contract.types import Network, Params
from whyspiking.declared import registry
from whyspiking.declared.registry import Talk
from whyspiking.declared.strict_yaml import parsed
from whyspiking.errors import UserError
from whyspiking.measures import sizes
from whyspiking.plots.figures import NotMeasuredError
from whyspiking.records import columns, tables
from whyspiking.report.score_figures import accuracy_size
from whyspiking.verdicts import score_curves
from whyspiking.verdicts.described import described as joined

TRIALS = 10**9
"""So many that half a count is nothing."""


def curve(shares, scale: float, offset: float = 0.0) -> list[sizes.Point]:
    """Scores whose logit is the logarithm of parameters / scale."""
    return [
        (1000 * s, float(special.expit(np.log(1000 * s / scale) + offset)), TRIALS) for s in shares
    ]


def test_parameters_are_those_stated_or_all():
    arrays = {"w": np.zeros((3, 4)), "b": np.zeros(4)}
    assert sizes.parameters(Network(arrays, {})) == 16
    assert sizes.parameters(Network(arrays, {"parameters": 7})) == 7


SIZED = {
    "title": "First",
    "kind": "classification",
    "data": {"key": "toy", "provenance": "synthetic"},
    "battery": [],
    "sizes": {
        "parameter": "n_hidden",
        "of": {"net": [0.25, 0.5], "mlp": [0.25, 0.5]},
        "first_seeds": 2,
    },
    "parameters": {"n_hidden": {"value": [100, 30], "source": "Table 1"}},
    "scaled": {"smoke": {"n_hidden": {"value": [8, 4], "why": "quick"}}},
    "variants": {
        "net": {"role": "spiking", "says": "the network"},
        "mlp": {"role": "control", "says": "its control"},
    },
}
CONFIG = {
    "scale": "default",
    "seeds": [0, 1, 2],
    "seeds_of": [],
    "data": {"folder": "data", "originals_dir": None},
    "build_folder": "build",
}


def described(entry=SIZED):
    learning = [{**TOY["learning"][0], "applies": ["one/net"]}]
    talk = {**TOY, "learning": learning, "experiments": {"one": entry}}
    return parsed(Talk, talk, "toy/talk.yaml").experiments["one"]


def test_sizes_become_variants_that_are_trained_not_simulated_and_of_controls_counted():
    experiment = described()
    assert list(experiment.variants) == [
        *("net", "mlp"),
        *("net_at_25", "net_at_50", "mlp_at_25", "mlp_at_50"),
    ]
    assert {experiment.variants[name].trained_as for name in ("net", "net_at_50")} == {"net"}
    assert registry.seeds(experiment, CONFIG, "mlp_at_25") == [0, 1]
    assert experiment.counted_variants() == ["net", "mlp", "mlp_at_25", "mlp_at_50"]
    given = {"n_hidden": 40, "other": 1}
    assert experiment.values_of("mlp_at_25", given) == {"n_hidden": 10, "other": 1}
    assert experiment.values_of("mlp", given) == given


def test_a_size_is_a_share_of_that_of_the_scale(monkeypatch):
    monkeypatch.setattr(registry, "folder_of", lambda *_: None)
    for variant, scale, hidden in (
        (None, "default", [100, 30]),
        ("net", "default", [100, 30]),
        ("net_at_25", "default", [25, 8]),
        ("mlp_at_50", "smoke", [4, 2]),
        ("mlp_at_25", "smoke", [2, 1]),
    ):
        found = registry.params(described(), {**CONFIG, "scale": scale}, 0, variant)
        assert found.n_hidden == hidden


@pytest.mark.parametrize(
    ("change", "message"), [({"parameter": "n_hide"}, "n_hide"), ({"of": {"nett": [0.5]}}, "nett")]
)
def test_sizes_of_nothing_are_refused(change, message):
    with pytest.raises(UserError, match=rf"sizes.*'{message}'"):
        described({**SIZED, "sizes": {**SIZED["sizes"], **change}})


def made_talk() -> Talk:
    return talk_of({"one": described()})


def made_metrics() -> pd.DataFrame:
    """The control needs three times as many parameters; Brian2 knows one size only."""
    rows = []
    params = Params("toy", "one", "default", {})
    for name, scale in (("net", 500.0), ("mlp", 1500.0)):
        for seed in range(2):
            for variant, (size, score, _) in zip(
                (f"{name}_at_25", f"{name}_at_50", name), curve([1, 2, 4], scale), strict=True
            ):
                shared = places.common(params, variant, seed, "jax")
                rows += tables.rows(shared, {"parameters": size, "score": score}, TRIALS)
    rows += tables.rows(places.common(params, "net", 0, "brian2"), {"score": 0.1}, 10)
    return pd.DataFrame(rows)


def curves_of(metrics):
    return columns.CURVES.table(score_curves.along_size(joined(metrics, {"toy": made_talk()})))


def test_the_figure_shows_every_size_and_says_so():
    plate = accuracy_size(curves_of(made_metrics()), {"toy": made_talk()})
    (ax,) = [ax for ax in plate.axes if ax.axison]
    assert [line.get_xdata().tolist() for line in ax.lines if len(line.get_xdata()) == 3] == [
        [1000.0, 2000.0, 4000.0]
    ] * 2
    assert "in 1 experiments" in plate.alt
    with pytest.raises(NotMeasuredError, match="several sizes"):
        accuracy_size(curves_of(made_metrics().iloc[:0]), {"toy": made_talk()})


@pytest.mark.parametrize(("gone", "seeds"), [("nobody", [0, 1]), ("net_at_25", [0])])
def test_ratios_are_of_seeds_that_have_all_sizes(gone, seeds):
    table = made_metrics()
    kept = table[~((table["variant"] == gone) & (table["seed"] == 1))]
    rows = crossed(kept, made_talk())
    ratios = [row for row in rows if row["metric"] == "size_ratio"]
    assert [(r["variant"], r["locus"], r["seed"]) for r in ratios] == [
        ("net", "mlp", k) for k in seeds
    ]
    assert [row["value"] for row in ratios] == pytest.approx([3.0] * len(seeds), rel=1e-5)


PLAIN = curve([0.25, 0.5, 1], 500)
PERFECT = [(100.0, 0.9, 200), (200.0, 1.0, 200)]


@pytest.mark.parametrize(
    ("spiking", "control", "ratio"),
    [
        (PLAIN, curve([0.5, 1, 2, 4], 1500), 3.0),
        (PLAIN[::-1], curve([0.5, 1, 2, 4], 1500)[::-1], 3.0),  # in any order
        (PLAIN, PLAIN, 1.0),
        (curve([0.5, 1, 2, 4], 1500), PLAIN, 1 / 3),
        (curve([0.25, 0.5], 500), curve([0.25, 0.5], 500, 3.0), np.nan),  # no score of both
        # A larger network that is no better does not count.
        ([*PLAIN, (4000.0, PLAIN[1][1], TRIALS)], curve([0.5, 1, 2, 4], 1500), 3.0),
        (PERFECT, PERFECT, 1.0),  # half a count keeps them finite
    ],
)
def test_size_ratios(spiking, control, ratio):
    assert sizes.size_ratio(spiking, control) == pytest.approx(ratio, nan_ok=True)
