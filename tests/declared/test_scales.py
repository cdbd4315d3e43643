"""Scales: what each runs, by which recipe, and which claims it judges."""

import pytest
import yaml
from made.claims import claim
from made.refusal_cases import ROOT, good_config, refused

from whyspiking.declared import claims_file, config, registry
from whyspiking.declared.scales import SCALES
from whyspiking.export.networks import merge

OVERLAYS = {"default": None, "smoke": "smoke.yaml", "full": "full.yaml", "paper": "paper.yaml"}


def config_at(scale):
    values = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    if OVERLAYS[scale] is not None:
        merge(values, yaml.safe_load((ROOT / "config" / OVERLAYS[scale]).read_text()))
    return values


def seeds(experiment, scale, variant=None):
    chosen = {"scale": scale, "seeds": [0, 1], "seeds_of": [], "data": {}}
    return registry.seeds(experiment, chosen, variant)


def test_an_experiment_is_left_out_below_its_scale_but_not_in_smoke(toy):
    experiment = toy(lambda e: e.update(from_scale="full"))
    found = {scale: bool(seeds(experiment, scale)) for scale in SCALES}
    assert found == {"smoke": True, "default": False, "full": True, "paper": True}


def test_a_variant_and_other_sizes_are_left_out_by_themselves(toy):
    def change(e):
        e["variants"]["other"] = {"role": "ablation", "says": "another", "from_scale": "full"}
        e["sizes"] = {
            "parameter": "n_hidden", "of": {"spiking": [0.5]}, "first_seeds": 1,
            "from_scale": "full",
        }  # fmt: skip

    experiment = toy(change)
    assert seeds(experiment, "default", "spiking") == [0, 1]
    assert seeds(experiment, "default", "other") == []
    assert seeds(experiment, "default", "spiking_at_50") == []
    assert seeds(experiment, "full", "spiking_at_50") == [0]


def test_default_builds_on_full(toy):
    def change(e):
        e["parameters"]["n_more"] = {"value": 5, "source": "Table 2"}
        e["scaled"] = {
            "full": {
                "n_hidden": {"value": 10, "why": "quick"},
                "n_more": {"value": 4, "why": "quick"},
            },
            "default": {"n_hidden": {"value": 3, "why": "quicker"}},
        }

    experiment = toy(change)
    values = {scale: experiment.changes(scale) for scale in SCALES}
    assert {k: c["value"] for k, c in values["default"].items()} == {"n_hidden": 3, "n_more": 4}
    assert {k: c["value"] for k, c in values["full"].items()} == {"n_hidden": 10, "n_more": 4}
    assert values["smoke"] == values["paper"] == {}
    assert experiment.shortened("default")
    assert not experiment.shortened("full")


@pytest.mark.parametrize(
    ("at_default", "accept", "band", "judged_at"),
    [
        ("as full", {"full": [0.5, None]}, 0.5, "default"),
        ("as full", {"full": [0.5, None], "default": [0.4, None]}, 0.4, "default"),
        ("shorter", {"full": [0.5, None]}, None, "full"),
        ("shorter", {"full": [0.5, None], "default": [0.4, None]}, 0.4, "default"),
        ("left out", {"full": [0.5, None], "default": [0.4, None]}, None, "full"),
        ("as full", {"paper": [0.5, None]}, None, "paper"),
    ],
)
def test_the_band_of_scale_default(at_default, accept, band, judged_at):
    made = claim(accept=accept)
    made._at_default = at_default
    found = made.band("default")
    assert (found and found.low) == band
    assert made.judged_at("default") == judged_at
    assert made.judged_at("smoke") == judged_at


def test_what_only_tests_less_is_no_shorter_recipe(toy):
    change = {"value": 3, "why": "quicker"}
    scaled = {"full": {}, "default": {"n_hidden": {**change, "only_tests": True}}}
    assert not toy(lambda e: e.update(scaled=scaled)).shortened("default")


@pytest.mark.parametrize("scale", SCALES)
def test_every_scale_of_ours_is_accepted(scale, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert len(config.check_config(config_at(scale))) == 8


@pytest.mark.parametrize("scale", ["default", "full", "paper"])
def test_every_scale_judges_every_key_claim_with_its_control_and_three_networks(scale):
    values = config_at(scale)
    for name in registry.available():
        talk = registry.load_talk(name)
        (key,) = (c for c in claims_file.load(talk.folder / "claims.yaml", talk) if c.role == "key")
        assert key.judged_at(scale) == scale
        for side, place in key.places.items():
            experiment = talk.experiments[place.get("experiment", key.where["experiment"])]
            variant = place.get("variant", key.where["variant"])
            least = 1 if side == "negative_control" else 3
            assert len(registry.seeds(experiment, values, variant)) >= least


def without_a_network(name, load=registry.load_talk):
    talk = load(name)
    object.__setattr__(talk.experiments["yinyang"], "from_scale", "full")
    return talk


def without_a_band(path, talk, load=claims_file.load):
    claims = load(path, talk)
    for found in claims:
        found._at_default = "shorter"
    return claims


@pytest.mark.parametrize(
    ("module", "changed", "key", "told"),
    [
        (registry, {"load_talk": without_a_network}, "from_scale", "full"),
        (claims_file, {"load": without_a_band}, "accept.default", "scale full"),
    ],
)
def test_a_scale_that_cannot_judge_a_key_claim_is_refused(monkeypatch, module, changed, key, told):
    monkeypatch.chdir(ROOT)
    for name, function in changed.items():
        monkeypatch.setattr(module, name, function)
    values = {**good_config(), "talks": ["goeltz"], "seeds_of": []}
    text = refused(lambda: config.check_config(values), key, told)
    assert "goeltz.yinyang.accuracy" in text
