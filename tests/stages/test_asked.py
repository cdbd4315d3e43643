"""Plans of jobs, looked up by the wildcards of a file."""

import pytest
from made.project import config, talk_of

from whyspiking.declared import key_claims
from whyspiking.errors import UserError
from whyspiking.stages.asked import Asked


class Wildcards(dict):
    """Wildcards of a file as Snakemake passes them to a function."""

    __getattr__ = dict.__getitem__


@pytest.mark.parametrize(("talk", "experiment"), [("goeltz", "yinyang"), ("clopath", "sine")])
def test_a_run_of_the_reference_networks_measures_no_perturbation_and_no_half_step(
    talk, experiment
):
    plans = Asked({talk: talk_of(talk)}, config("full"))
    wildcards = Wildcards(talk=talk, experiment=experiment)
    whole = plans.plan_of_measuring(wildcards)
    clean = plans.plan_of_clean_run(wildcards)
    assert whole["half_step"] is True
    assert clean["half_step"] is False
    for name, variant in whole["variants"].items():
        assert clean["variants"][name] == {**variant, "perturbations": []}
    assert {**clean, "variants": {}, "half_step": True} == {**whole, "variants": {}}


REPLAY = {"talk": "clopath", "experiment": "shot_published", "variant": "spiking", "seed": "30"}


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A folder with one recorded network of clopath."""
    monkeypatch.setattr(key_claims, "FOLDER", tmp_path)
    folder = tmp_path / "clopath" / "shot_published" / "spiking" / "seed-30"
    folder.mkdir(parents=True)
    (folder / "network.npz").touch()
    return folder


def training_at(scale, **wildcards):
    seeds = {"seeds_of": [], "seeds": [30, 31]}
    plans = Asked({"clopath": talk_of("clopath")}, {**config(scale), **seeds})
    return plans.plan_of_training(Wildcards({**REPLAY, **wildcards}))


def test_a_default_run_repeats_the_first_part_of_a_recorded_training(repository):
    part = training_at("default")
    described = talk_of("clopath").experiments["shot_published"].default_run
    assert part.pop("first_part") == {
        "fraction": described.trained_fraction,
        "recorded": str(repository),
    }
    whole = training_at("full")
    assert {**whole["params"], "scale": "default"} == part["params"]
    assert {**whole, "params": None} == {**part, "params": None}


@pytest.mark.parametrize(
    ("scale", "wildcards"),
    [
        ("full", {}),
        ("smoke", {}),
        ("default", {"seed": "31"}),
        ("default", {"experiment": "shot"}),
    ],
)
def test_every_other_training_is_complete(repository, scale, wildcards):
    assert "first_part" not in training_at(scale, **wildcards)


def test_a_network_with_a_changed_parameter_is_trained_completely(repository):
    settings = {**config("default"), "seeds_of": [], "seeds": [30]}
    settings["set"] = {"clopath.shot_published.dt_ms": 0.1}
    plans = Asked({"clopath": talk_of("clopath")}, settings)
    assert "first_part" not in plans.plan_of_training(Wildcards(REPLAY))


def test_networks_of_the_reference_results_have_no_changed_parameter():
    settings = {**config("full"), "set": {"goeltz.yinyang.n_hidden": 60}}
    plans = Asked({"goeltz": talk_of("goeltz")}, settings)
    with pytest.raises(UserError, match="run without FROM=reference"):
        plans.plan_of_clean_run(Wildcards(talk="goeltz", experiment="yinyang"))
