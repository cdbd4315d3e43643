"""Talk files: what is read, and what is refused."""

import copy
from pathlib import Path

import pytest
import yaml
from made.toy_yaml import TOY

from whyspiking.contract import network_files
from whyspiking.contract.types import Network
from whyspiking.declared import registry
from whyspiking.errors import UserError

CONFIG = {
    "scale": "default",
    "seeds": [0, 1],
    "seeds_of": [{"experiment": "toy.one", "seeds": [5]}],
    "data": {
        "folder": "resources/data",
        "originals_dir": None,
        "spoken": {
            "source": "synthetic",
            "speakers": 6,
            "repetitions": 2,
            "channels": 140,
            "rate_khz": 24,
        },
        "words": {"speakers": 6, "words": 10, "repetitions": 2},
    },
    "build_folder": "resources/build",
}


@pytest.fixture
def write(tmp_path: Path, monkeypatch):
    """Write a talk.yaml into a registry folder of its own."""
    monkeypatch.setattr(registry, "FOLDER", tmp_path)

    def _write(data):
        (tmp_path / "toy").mkdir(exist_ok=True)
        (tmp_path / "toy" / "talk.yaml").write_text(yaml.safe_dump(data))

    return _write


def test_scale_changes_the_published_value(write):
    write(TOY)
    experiment = registry.load_talk("toy").experiments["one"]
    assert registry.params(experiment, CONFIG).n_hidden == 10
    assert registry.params(experiment, {**CONFIG, "scale": "paper"}).n_hidden == 100
    assert registry.params(experiment, CONFIG).tau_mem == 20
    assert registry.seeds(experiment, CONFIG) == [5]
    assert registry.seeds(experiment, {**CONFIG, "seeds_of": []}) == [0, 1]


def test_only_those_who_ask_get_files_of_the_authors(write):
    config = {**CONFIG, "data": {**CONFIG["data"], "originals_dir": "there"}}
    write(TOY)
    assert (
        registry.params(registry.load_talk("toy").experiments["one"], config).originals_dir is None
    )
    talk = copy.deepcopy(TOY)
    talk["experiments"]["one"]["originals"] = True
    write(talk)
    found = registry.params(registry.load_talk("toy").experiments["one"], config)
    assert found.originals_dir == Path("there")


def test_a_variant_may_content_itself_with_the_first_seeds(write):
    talk = copy.deepcopy(TOY)
    name = next(iter(talk["experiments"]["one"]["variants"]))
    talk["experiments"]["one"]["variants"][name]["first_seeds"] = 2
    write(talk)
    experiment = registry.load_talk("toy").experiments["one"]
    config = {**CONFIG, "seeds": [4, 7, 9], "seeds_of": []}
    assert registry.seeds(experiment, config, name) == [4, 7]
    assert registry.seeds(experiment, config) == [4, 7, 9]


def test_missing_parameter_is_named(write):
    write(TOY)
    params = registry.params(registry.load_talk("toy").experiments["one"], CONFIG)
    with pytest.raises(UserError, match=r"'tau_syn' is missing.*talk\.yaml"):
        _ = params.tau_syn


def negative(talk):
    talk["parameters"]["tau_mem"]["value"] = -20


def misspelt(talk):
    talk["experiments"]["one"]["scaled"]["default"] = {"n_hiden": {"value": 1, "why": "because"}}


def sourceless(talk):
    del talk["parameters"]["tau_mem"]["source"]


def roleless(talk):
    talk["experiments"]["one"]["variants"]["spiking"]["role"] = "hero"


def orphan(talk):
    talk["experiments"]["one"]["variants"]["spiking"]["starts_from"] = ["two/spiking"]


def half_silent(talk):
    talk["experiments"]["one"]["simulated"] = False


def wordy(talk):
    talk["parameters"]["tau_mem"]["value"] = "twenty"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (negative, r"'parameters\.tau_mem' is -20 ms; it must be positive"),
        (misspelt, r"n_hiden.*did you mean 'n_hidden'"),
        (sourceless, r"source"),
        (roleless, r"hero.*expected one of"),
        (orphan, r"two/spiking"),
        (half_silent, r"simulated: false'.*spiking.*jitter"),
        (wordy, r"'twenty'; it must be a positive number"),
    ],
)
def test_damaged_talk_files_are_refused(write, damage, message):
    talk = copy.deepcopy(TOY)
    damage(talk)
    write(talk)
    with pytest.raises(UserError, match=message):
        registry.load_talk("toy")


def test_what_does_not_spike_is_not_simulated(write):
    talk = copy.deepcopy(TOY)
    one = talk["experiments"]["one"]
    one |= {"simulated": False, "battery": []}
    one["variants"] = {
        "network": {"role": "rate", "says": "the network"},
        "frozen": {"role": "ablation", "says": "the network, half of it"},
    }
    talk["learning"][0]["applies"] = ["one/network"]
    write(talk)
    experiment = registry.load_talk("toy").experiments["one"]
    assert not experiment.simulated
    assert experiment.simulated_variants() == []
    write(TOY)
    assert registry.load_talk("toy").experiments["one"].simulated_variants() == ["spiking"]


def test_unknown_talk_is_corrected(write):
    write(TOY)
    with pytest.raises(UserError, match="did you mean 'toy'"):
        registry.load_talk("tyo")


def test_networks_say_where_their_data_come_from(tmp_path):
    talk = registry.load_talk("masquelier")
    folder = tmp_path / "words" / "spiking" / "seed-0"
    assert registry.as_measured(talk, tmp_path).experiments == talk.experiments
    network_files.save_network(Network({}, {"engine": "jax", "provenance": "original"}), folder)
    measured = registry.as_measured(talk, tmp_path)
    assert measured.experiments["words"].provenance == "original"
    assert measured.experiments["mnist"] == talk.experiments["mnist"]
