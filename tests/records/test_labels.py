"""Names for readers: every one stands for something, and nothing underscored is left."""

from whyspiking.declared import registry
from whyspiking.records import labels
from whyspiking.records.glossary import GLOSSARY


def test_what_is_named_exists_and_every_experiment_is_named():
    told = labels.declared()
    talks = {name: registry.load_talk(name) for name in told["experiments"]}
    shared = set(labels._shared_experiments())
    for name, talk in talks.items():
        assert set(told["experiments"][name]) <= set(talk.experiments) - shared
        unnamed = set(talk.experiments) - shared - set(told["experiments"][name])
        assert not [e for e in unnamed if "_" in e]
    experiments = [e for talk in talks.values() for e in talk.experiments.values()]
    assert shared == {e.name for e in experiments if e.shared is not None}
    variants = {v for e in experiments for v in e.variants}
    assert set(told["variants"]) <= variants
    assert set(told["metrics"]) <= set(GLOSSARY)


def test_a_name_that_is_not_listed_is_printed_as_words():
    assert labels.variant("no_such_network") == "no such network"
    assert labels.contrast("delete", "hidden") == "deleted, hidden spikes"
    assert labels.contrast("none", "") == ""
