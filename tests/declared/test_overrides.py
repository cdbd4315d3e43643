"""Parameters that a run changes by `set` in its config."""

import re

import pytest
from made.project import config, talk_of

from whyspiking.declared import overrides, registry
from whyspiking.declared.config import check_config, use_own_folder_of_changed_parameters
from whyspiking.declared.overrides import REASON
from whyspiking.errors import UserError
from whyspiking.stages.asked import Asked

TALKS = {name: talk_of(name) for name in registry.available()}


class Wildcards(dict):
    """Wildcards of a file as Snakemake passes them to a function."""

    __getattr__ = dict.__getitem__


def params_of(talks, talk, experiment, variant=None, scale="default"):
    described = talks[talk].experiments[experiment]
    return registry.params(described, config(scale), 0, variant).values


@pytest.mark.parametrize("scale", ["smoke", "default", "full", "paper"])
def test_a_value_replaces_the_published_one_and_that_of_any_scale(scale):
    changed = overrides.apply(TALKS, {"naud.xor.n_per_population": 50}, scale)
    assert params_of(changed, "naud", "xor", scale=scale)["n_per_population"] == 50
    change = changed["naud"].experiments["xor"].changes(scale)["n_per_population"]
    assert change == {"value": 50, "reason": REASON}
    before = params_of(TALKS, "naud", "xor", scale=scale)
    assert params_of(changed, "naud", "xor", scale=scale) == {**before, "n_per_population": 50}
    assert before["n_per_population"] != 50


def test_a_variant_keeps_its_own_value_unless_it_is_named():
    of_all = overrides.apply(TALKS, {"comsa.regimes.batch": 7}, "full")
    batches = {
        variant: params_of(of_all, "comsa", "regimes", variant, "full")["batch"]
        for variant in ("spiking", "readme_rates")
    }
    assert batches == {"spiking": 7, "readme_rates": 32}
    (line,) = overrides.describe(TALKS, {"comsa.regimes.batch": 7}, "full")
    assert line == (
        "changed parameter: comsa.regimes.batch is 7, not 5; the variants with a value of their "
        "own keep it: readme_rates"
    )
    of_one = overrides.apply(TALKS, {"comsa.regimes/readme_rates.batch": 7}, "full")
    batches = {
        variant: params_of(of_one, "comsa", "regimes", variant, "full")["batch"]
        for variant in ("spiking", "readme_rates")
    }
    assert batches == {"spiking": 5, "readme_rates": 7}
    (line,) = overrides.describe(TALKS, {"comsa.regimes/readme_rates.batch": 7}, "full")
    assert line == "changed parameter: comsa.regimes/readme_rates.batch is 7, not 32"


def test_controls_that_a_changed_parameter_does_not_change_are_named():
    (line,) = overrides.describe(TALKS, {"goeltz.yinyang.learning_rate": 0.01}, "default")
    assert line == (
        "changed parameter: goeltz.yinyang.learning_rate is 0.01, not 0.005; the training of these "
        "variants does not use it: mlp, linear"
    )
    (line,) = overrides.describe(TALKS, {"goeltz.yinyang.n_hidden": 60}, "full")
    assert line == "changed parameter: goeltz.yinyang.n_hidden is 60, not 120"


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("goeltz.yinyang.n_hiden", 60, "the parameter 'n_hiden'.*did you mean 'n_hidden'"),
        ("goeltz.yingyang.n_hidden", 60, "the experiment 'yingyang'.*did you mean 'yinyang'"),
        ("goelz.yinyang.n_hidden", 60, "the talk 'goelz'.*did you mean 'goeltz'"),
        ("goeltz.yinyang/spikes.n_hidden", 60, "the variant 'spikes'.*did you mean 'spiking'"),
        ("goeltz.n_hidden", 60, "expected <talk>.<experiment>.<parameter>"),
        ("goeltz.yinyang/.n_hidden", 60, "the variant ''"),
        ("goeltz.yinyang.n_hidden", "many", "'many'; expected a number"),
        ("goeltz.yinyang.n_hidden", 60.5, "whole number"),
        ("goeltz.yinyang.n_hidden", True, "expected a number|whole number"),
        ("goeltz.yinyang.n_hidden", "60", "expected a number"),
        ("comsa.regimes/readme_rates.batch", 2.5, "whole number"),
        ("clopath.sine.lost_shares", 0.1, "expected a list like the published"),
        ("naud.xor.hold_means", 1, "expected true or false like the published"),
        ("neftci.nmnist.rule", "offline", "expected one of online, end_to_end"),
        ("goeltz.yinyang.n_hidden", [60], "expected a number like the published 120"),
        ("goeltz.yinyang.n_hidden", 0, "it must be positive"),
        ("goeltz.yinyang.n_hidden", None, "expected a number"),
        ("goeltz.yinyang.learning_rate", float("nan"), "expected a finite number"),
        ("goeltz.yinyang.schedule", "linear", "expected one of step, cosine"),
        ("bohte.released.batch", 32, "has no effect at scale .default."),
        ("goeltz.shared_yinyang.shared_task", "randman", "no other values .* are declared"),
    ],
)
def test_what_no_run_can_use_is_refused(key, value, words):
    with pytest.raises(UserError, match=words):
        overrides.apply(TALKS, {key: value}, "default")


@pytest.mark.parametrize(
    ("key", "wrong", "permitted"),
    [
        ("scherr.evidence.p_other", 1.5, 1.0),
        ("scherr.evidence.p_other", -0.1, 0),
        ("clopath.sine.lost_shares", [0.1, 2.0], [0.1, 1.0]),
        ("comsa.regimes/fixed_pulses.pixel_deletion", 3, 0.5),
    ],
)
def test_a_value_outside_its_range_is_refused(key, wrong, permitted):
    with pytest.raises(UserError, match=f"'set.{key}' is .*; expected .*number.* from 0 to 1"):
        overrides.apply(TALKS, {key: wrong}, "paper")
    overrides.apply(TALKS, {key: permitted}, "paper")


def test_every_probability_and_fraction_has_its_range():
    """By its name and source; a new parameter must not be left without."""
    words = re.compile(r"fraction|probability|probabilities|share\b|shares\b")
    lacking = [
        f"{talk.name}.{experiment.name}.{name}"
        for talk in TALKS.values()
        for experiment in talk.experiments.values()
        for name, entry in experiment.parameters.items()
        if words.search(f"{name.replace('_', ' ')} {entry['source']}") and "unit" not in entry
        if entry.get("range") != (0, 1)
    ]
    assert not lacking


def test_experiments_that_start_from_a_changed_network_say_so():
    given = {"clopath.shot.n_inhibitory": 300, "clopath.oneshot.dt_ms": 0.2}
    affected = overrides.describe_affected(TALKS["clopath"], given)
    assert affected["shot"] == "with changed parameters: shot.n_inhibitory 300"
    assert affected["oneshot"] == (
        "with changed parameters: oneshot.dt_ms 0.2, shot.n_inhibitory 300"
    )
    assert "sine" not in affected
    assert overrides.describe_affected(TALKS["goeltz"], given) == {}


def other_value(parameter):
    """Another permitted value of a parameter; None where there is none."""
    value = parameter["value"]
    if "permitted" in parameter:
        return next(other for other in parameter["permitted"] if other != value)
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value / 2 or 0.5 if "range" in parameter else value * 2 or type(value)(1)
    if isinstance(value, list) and value and all(isinstance(x, int | float) for x in value):
        return [other_value({**parameter, "value": x}) for x in value]
    return None


def list_changeable(experiment):
    """Place in `set`, name and declaration of every parameter, with its value at scale full."""
    values = registry.params(experiment, config("full")).values
    for parameter, entry in experiment.parameters.items():
        yield experiment.name, parameter, {**entry, "value": values[parameter]}
    for variant in experiment.variants.values():
        for parameter, change in variant.settings.items():
            entry = {**experiment.parameters[parameter], "value": change["value"]}
            yield f"{experiment.name}/{variant.name}", parameter, entry


@pytest.mark.parametrize("name", sorted(TALKS))
def test_every_parameter_can_be_changed_and_makes_its_networks_anew(name):
    """The plans of an experiment's jobs, which Snakemake compares, are others."""
    settings = {**config("full"), "seeds_of": []}

    def plans(talks, experiment):
        asked = Asked(talks, settings)
        described = talks[name].experiments[experiment]
        place = {"talk": name, "experiment": experiment}
        found = [asked.plan_of_measuring(Wildcards(place))]
        for variant in described.variants:
            for seed in registry.seeds(described, settings, variant)[:1]:
                wildcards = Wildcards({**place, "variant": variant, "seed": str(seed)})
                found.append(asked.plan_of_training(wildcards))
        return found

    n_changed = 0
    for experiment in TALKS[name].experiments.values():
        before = plans(TALKS, experiment.name)
        for place, parameter, entry in list_changeable(experiment):
            other = other_value(entry)
            if other is None:
                continue
            key = f"{name}.{place}.{parameter}"
            try:
                changed = overrides.apply(TALKS, {key: other}, "full")
            except UserError as error:
                assert "has no effect at scale 'full'" in str(error), key
                readers = [plan for plan in before if parameter in plan["params"]["values"]]
                assert not readers, key
                continue
            assert plans(changed, experiment.name) != before, key
            n_changed += 1
    assert n_changed > 5


def test_a_run_with_changed_parameters_has_a_folder_of_its_own():
    given = {"goeltz.yinyang.n_hidden": 60}
    changed = {**config("default"), "set": given}
    lines = use_own_folder_of_changed_parameters(changed)
    assert lines[0] == "changed parameter: goeltz.yinyang.n_hidden is 60, not 120"
    assert changed["results_folder"] == overrides.name_folder(given, "default")
    assert lines[1] == f"the results are written to results/{changed['results_folder']}"
    other = {**config("default"), "set": {"goeltz.yinyang.n_hidden": 61}}
    use_own_folder_of_changed_parameters(other)
    assert other["results_folder"] != changed["results_folder"]
    named = {**config("default"), "set": given, "results_folder": "mine"}
    assert use_own_folder_of_changed_parameters(named)[1].endswith("results/mine")
    unchanged = config("default")
    assert use_own_folder_of_changed_parameters(unchanged) == []
    assert unchanged["results_folder"] == ""


def test_the_check_of_a_config_returns_the_changed_talks(monkeypatch):
    from made.checkouts import ROOT

    monkeypatch.chdir(ROOT)
    settings = {**config("default"), "set": {"goeltz.yinyang.n_hidden": 60}}
    talks = check_config(settings)
    assert params_of(talks, "goeltz", "yinyang")["n_hidden"] == 60
