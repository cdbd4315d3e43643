"""What jobs are told: a change of a parameter is seen by those that read it, and by no others."""

from dataclasses import replace

import pytest
from made.project import config, params_of, silent

from whyspiking.declared import plans, registry
from whyspiking.errors import UserError
from whyspiking.stages import train

CONFIG = config("default")
TALKS = {name: registry.load_talk(name) for name in registry.available()}


def keys_of(talk, experiment, values=None):
    """Variant -> its plan as Snakemake compares it; None: that of measuring."""
    described, found = TALKS[talk].experiments[experiment], {}
    for variant in (None, *described.variants):
        params = registry.params(described, CONFIG, 0, variant)
        params = replace(params, values={**params.values, **(values or {})})
        told = plans.readable_params(described, variant, params, TALKS[talk].training_parameters)
        plan = plans.training(described, variant, told) if variant else told.plain()
        found[variant] = repr(plan)
    return found


def differing(talk, experiment, **values):
    before, after = keys_of(talk, experiment), keys_of(talk, experiment, values)
    return {variant for variant in before if before[variant] != after[variant]}


@pytest.mark.parametrize("talk", TALKS)
def test_a_job_is_run_again_for_every_parameter_that_it_can_read(talk):
    for experiment in TALKS[talk].experiments.values():
        for variant in (None, *experiment.variants):
            params = registry.params(experiment, CONFIG, 0, variant)
            told = plans.readable_params(
                experiment, variant, params, TALKS[talk].training_parameters
            )
            for name in params.values:
                other = replace(params, values={**params.values, name: "another"})
                changed = plans.readable_params(
                    experiment, variant, other, TALKS[talk].training_parameters
                )
                assert (changed.plain() != told.plain()) == (name in told.values)
                if name not in told.values:
                    with pytest.raises(UserError, match=name):
                        getattr(told, name)


@pytest.mark.parametrize("talk", TALKS)
def test_networks_that_the_talk_trains_are_told_all_but_what_is_for_controls(talk):
    for experiment in TALKS[talk].experiments.values():
        for name, variant in experiment.variants.items():
            if variant.trained_here and not variant.as_is and not experiment.control(name):
                params = registry.params(experiment, CONFIG, 0, name)
                told = plans.readable_params(
                    experiment, name, params, TALKS[talk].training_parameters
                )
                assert set(params.values) - set(told.values) <= plans.OF_CONTROLS


def test_a_learning_rate_trains_again_what_learns_with_it_alone():
    learn = {"spiking", "frozen"}
    assert differing("goeltz", "yinyang", learning_rate=0.01) == {*learn, None}
    assert differing("goeltz", "released_yinyang", learning_rate=0.01) == set()
    controls = {"mlp", "linear"}
    assert differing("goeltz", "yinyang", control_learning_rate=0.01) == {*controls, None}
    assert differing("goeltz", "yinyang", random_gain=9.0) == {"random_hidden", None}
    assert differing("goeltz", "yinyang", n_train=100) == {*learn, *controls, "random_hidden", None}


@pytest.mark.parametrize("variant", ["random_hidden", "linear"])
def test_controls_are_trained_from_what_they_are_told(variant):
    experiment = TALKS["goeltz"].experiments["yinyang"]
    params = params_of("goeltz", "yinyang", control_epochs=1)
    told = plans.readable_params(experiment, variant, params, TALKS["goeltz"].training_parameters)
    assert "learning_rate" not in told.values
    network = train.network_of(plans.training(experiment, variant, told), {}, silent)
    assert network.info["validation_accuracy"] > 0.3
    # What is left out by mistake is asked for, and refused.
    less = plans.readable_params(experiment, variant, told, ["n_output"])
    with pytest.raises(UserError, match="n_output"):
        train.network_of(plans.training(experiment, variant, less), {}, silent)
