"""Scales: what each runs, by which recipe, and which claims it judges."""

import numpy as np
import pytest
from made.checkouts import ROOT
from made.claims import claim
from made.refusal_cases import good_config, refused

from whyspiking.declared import claims_file, config, registry
from whyspiking.declared.bands import Band
from whyspiking.declared.plans import training
from whyspiking.declared.scales import SCALES


def config_at(scale):
    return config.at_scale(scale, ROOT / "config")


def seeds(experiment, scale, variant=None):
    chosen = {"scale": scale, "seeds": [0, 1], "seeds_of": [], "data": {}}
    return registry.seeds(experiment, chosen, variant)


def test_an_experiment_is_left_out_below_its_scale_but_not_in_smoke(toy):
    experiment = toy(lambda e: e.update(from_scale="full"))
    found = {scale: bool(seeds(experiment, scale)) for scale in SCALES}
    assert found == {"smoke": True, "default": False, "full": True, "paper": True}


def test_a_variant_is_left_out_by_itself(toy):
    def change(e):
        e["variants"]["other"] = {
            "variant_role": "ablation",
            "description": "another",
            "from_scale": "full",
        }

    experiment = toy(change)
    assert seeds(experiment, "default", "spiking") == [0, 1]
    assert seeds(experiment, "default", "other") == []
    assert seeds(experiment, "full", "other") == [0, 1]


def test_default_trains_a_part_of_what_full_trains():
    """By the same recipe, on the same data, with the same seeds, measured in the same way."""
    part, whole = config_at("default"), config_at("full")
    for key in ("data", "robustness_tests", "energy", "agreement"):
        assert part[key] == whole[key]
    trained = 0
    for name in registry.available():
        for experiment in registry.load_talk(name).experiments.values():
            for variant in experiment.variants:
                seeds = registry.seeds(experiment, part, variant)
                trained += len(seeds)
                assert set(seeds) <= set(registry.seeds(experiment, whole, variant))
                plans = [
                    training(experiment, variant, registry.params(experiment, config, 0, variant))
                    for config in (part, whole)
                ]
                assert plans[0]["params"].pop("scale") == "default"
                assert plans[1]["params"].pop("scale") == "full"
                assert plans[0] == plans[1]
    assert trained > 50


def test_default_has_the_bands_of_full():
    made = claim(criteria={"full": [0.5, None]})
    assert made.band("default") == made.band("full") == Band(0.5, np.inf)
    assert made.judged_at("smoke") == made.judged_at("default") == "default"
    only_published = claim(criteria={"paper": [0.5, None]})
    assert only_published.band("default") is None
    assert only_published.judged_at("default") == "paper"


@pytest.mark.parametrize("scale", SCALES)
def test_every_scale_of_ours_is_accepted(scale, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert len(config.check_config(config_at(scale))) == 10


@pytest.mark.parametrize(("scale", "networks"), [("default", 1), ("full", 3), ("paper", 3)])
def test_every_scale_judges_every_key_claim_with_its_control(scale, networks):
    values = config_at(scale)
    for name in registry.available():
        talk = registry.load_talk(name)
        (key,) = (
            c for c in claims_file.load(talk.folder / "claims.yaml", talk) if c.claim_role == "key"
        )
        assert key.judged_at(scale) == scale
        for side, place in key.places.items():
            experiment = talk.experiments[place.get("experiment", key.rows["experiment"])]
            variant = place.get("variant", key.rows["variant"])
            least = (scale != "default") if side == "negative_control" else networks
            assert len(registry.seeds(experiment, values, variant)) >= least


def without_a_network(name, load=registry.load_talk):
    talk = load(name)
    object.__setattr__(talk.experiments["yinyang"], "from_scale", "full")
    return talk


def without_a_band(path, talk, load=claims_file.load):
    claims = load(path, talk)
    return [claim.model_copy(update={"criteria": {}}) for claim in claims]


@pytest.mark.parametrize(
    ("module", "changed", "key", "told"),
    [
        (registry, {"load_talk": without_a_network}, "from_scale", "full"),
        (claims_file, {"load": without_a_band}, "criteria.full", "no acceptance criterion"),
    ],
)
def test_a_scale_that_cannot_judge_a_key_claim_is_refused(monkeypatch, module, changed, key, told):
    monkeypatch.chdir(ROOT)
    for name, function in changed.items():
        monkeypatch.setattr(module, name, function)
    values = {**good_config(), "talks": ["goeltz"], "seeds_of": []}
    text = refused(lambda: config.check_config(values), key, told)
    assert "goeltz.yinyang.accuracy" in text
