"""Talk files: what is read, and what is refused."""

import copy
from pathlib import Path

import pytest
import yaml
from made.toy_yaml import TOY

from whyspiking.contract import network_files
from whyspiking.contract.types import Network, Params
from whyspiking.declared import plans, registry
from whyspiking.declared.variants import NEEDED
from whyspiking.errors import UserError

CONFIG = {
    "scale": "default",
    "seeds": [0, 1],
    "seeds_of": [{"experiment": "toy.one", "seeds": [5]}],
    "data": {
        "folder": "resources/data",
        "originals_dir": None,
        "words": {"speakers": 6, "words": 10, "repetitions": 2},
    },
    "build_folder": "resources/build",
}


def test_scale_changes_the_published_value(toy):
    experiment = toy()
    params = registry.params(experiment, CONFIG)
    assert (params.n_hidden, params.tau_mem) == (10, 20)
    assert registry.params(experiment, {**CONFIG, "scale": "paper"}).n_hidden == 100
    assert registry.seeds(experiment, CONFIG) == [5]
    assert registry.seeds(experiment, {**CONFIG, "seeds_of": []}) == [0, 1]
    with pytest.raises(UserError, match=r"'tau_syn' is missing.*talk\.yaml"):
        _ = params.tau_syn


@pytest.mark.parametrize("asks", [False, True])
def test_only_those_who_ask_get_files_of_the_authors(toy, asks):
    config = {**CONFIG, "data": {**CONFIG["data"], "originals_dir": "there"}}
    params = registry.params(toy(lambda e: e["data"].update(originals=asks)), config)
    assert params.originals_dir == (Path("there") if asks else None)


def test_a_variant_may_content_itself_with_the_first_seeds(toy):
    experiment = toy(lambda e: e["variants"]["spiking"].update(max_seeds=2))
    config = {**CONFIG, "seeds": [4, 7, 9], "seeds_of": []}
    assert registry.seeds(experiment, config, "spiking") == [4, 7]
    assert registry.seeds(experiment, config) == [4, 7, 9]


@pytest.mark.parametrize("spoils", [[], ["control_noise"], ["control_deletion"]])
def test_controls_see_the_noise_that_their_experiment_has(toy, spoils):
    made = {
        "variant_role": "control",
        "network": "relu",
        "hidden_layers": [],
        "description": "a linear classifier",
    }
    needed = [*NEEDED["relu"], *spoils]

    def change(e):
        e["variants"]["linear"] = made
        e["parameters"].update({key: {"value": 1, "source": "ours"} for key in needed})

    experiment = toy(change)
    params = registry.params(experiment, CONFIG, 0, "linear")
    told = plans.training(experiment, "linear", params)["control"]
    assert told == {
        **experiment.variants["linear"].layers,
        "noise": "control_noise" if "control_noise" in spoils else None,
        **({"deletion": "control_deletion"} if "control_deletion" in spoils else {}),
    }
    assert plans.training(experiment, "spiking", params)["control"] is None


def test_what_is_another_network_starts_from_it_and_has_its_layers(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "FOLDER", tmp_path)
    data = copy.deepcopy(TOY)
    one = data["experiments"]["one"]
    one["parameters"].update({key: {"value": 1, "source": "ours"} for key in NEEDED["relu"]})
    relu = {
        "variant_role": "control",
        "network": "relu",
        "hidden_layers": ["n_hidden"],
        "description": "a ReLU network",
    }
    two = copy.deepcopy(one)
    one["variants"]["mlp"] = relu
    two["variants"]["mlp"] = {
        "variant_role": "control",
        "network": "one/mlp",
        "description": "the same network",
    }
    two["variants"]["other"] = relu
    data["experiments"]["two"] = two
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "talk.yaml").write_text(yaml.safe_dump(data))
    first, second = registry.load_talk("toy").experiments.values()

    def planned(experiment, variant):
        return plans.training(experiment, variant, Params("toy", experiment.name, "full", {}))

    own, same, other = planned(first, "mlp"), planned(second, "mlp"), planned(second, "other")
    assert own["control"] == same["control"] and same["control"] is not None
    assert (own["starts_from"], own["as_is"]) == ([], False)
    assert (same["starts_from"], same["as_is"]) == (["one/mlp"], True)
    assert (other["starts_from"], other["as_is"], other["control"]) == ([], False, own["control"])


def test_what_does_not_spike_is_not_simulated(toy):
    roles = {"spiking": "rate", "frozen": "ablation"}
    variants = {
        name: {"variant_role": role, "description": "a network"} for name, role in roles.items()
    }
    silent = toy(lambda e: e.update(robustness_tests=[], variants=variants))
    assert not silent.simulated and toy().simulated


def test_networks_say_where_their_data_come_from(tmp_path):
    talk = registry.load_talk("masquelier")
    folder = tmp_path / "words" / "spiking" / "seed-0"
    assert registry.as_measured(talk, tmp_path).experiments == talk.experiments
    network_files.save_network(Network({}, {"engine": "jax", "provenance": "original"}), folder)
    measured = registry.as_measured(talk, tmp_path)
    assert measured.experiments["words"].provenance == "original"
    assert measured.experiments["published"] == talk.experiments["published"]
