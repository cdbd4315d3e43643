"""Which networks a run trains of a talk, and why."""

import pytest
from made.project import config, talk_of

from whyspiking.declared import config as configs
from whyspiking.declared import registry, run_plan
from whyspiking.declared.scales import SCALES
from whyspiking.stages import order


@pytest.mark.parametrize("scale", SCALES)
def test_every_network_of_a_run_is_counted_and_every_variant_has_a_line(scale):
    settings = configs.at_scale(scale)
    for name in registry.available():
        talk = talk_of(name)
        said = run_plan.describe(talk, settings)
        networks = list(order.networks(talk, settings))
        variants = [talk.experiments[name].variants[variant] for name, variant, _ in networks]
        n_ready = sum(variant.as_is or not variant.trained_here for variant in variants)
        assert said.startswith(
            f"{name} at scale {scale}: {len(networks) - n_ready} jobs train a network, and "
            f"{n_ready} copy a finished network;"
        )
        n_variants = sum(len(e.variants) for e in talk.experiments.values())
        assert len(said.splitlines()) == 4 + n_variants


def line_of(network, scale="default", **changes):
    settings = {**configs.at_scale(scale), **changes}
    talk, _, place = network.partition(".")
    lines = run_plan.describe(talk_of(talk), settings).splitlines()
    (line,) = (line for line in lines if line.split()[:1] == [place])
    return line.split(maxsplit=1)[1].strip()


@pytest.mark.parametrize(
    ("network", "scale", "changes", "expected"),
    [
        ("goeltz.yinyang/frozen", "default", {}, ["none", "not at scale default: from_scale is"]),
        ("goeltz.yinyang/spiking", "default", {}, ["80 to 84", "seeds_of goeltz.yinyang"]),
        ("goeltz.yinyang/spiking", "full", {}, ["80 to 139", "seeds_of goeltz.yinyang/spiking"]),
        ("goeltz.yinyang/mlp", "full", {}, ["80 to 84", "seeds_of goeltz.yinyang, max_seeds is 5"]),
        ("goeltz.yinyang/spiking", "default", {"seeds_of": []}, ["0", "seeds"]),
        ("goeltz.shared_yinyang/spiking", "default", {}, ["0", "shared.seeds"]),
        ("goeltz.released_yinyang/authors", "default", {}, ["0", "others trained this network"]),
        ("clopath.shot_published/spiking", "default", {}, ["20", "default_run: first 20 %"]),
        ("clopath.oneshot/spiking", "full", {}, ["starts from shot/spiking"]),
    ],
)
def test_the_reason_of_the_seeds_is_named(network, scale, changes, expected):
    line = line_of(network, scale, **changes)
    assert line.startswith(expected[0]) or len(expected) == 1
    assert expected[-1] in line


def test_the_seeds_are_those_that_the_workflow_takes():
    settings = config("full")
    for name in registry.available():
        for experiment in talk_of(name).experiments.values():
            for variant in experiment.variants:
                chosen, reason = registry.choose_seeds(experiment, settings, variant)
                assert chosen == registry.seeds(experiment, settings, variant) and reason
