"""A talk's sizes become variants, which are trained and not simulated."""

import pytest
from made.toy_yaml import TOY

from whyspiking.declared import registry
from whyspiking.declared.registry import Talk
from whyspiking.declared.strict_yaml import parsed
from whyspiking.errors import UserError

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
