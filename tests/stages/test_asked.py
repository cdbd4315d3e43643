"""Plans of jobs, looked up by the wildcards of a file."""

import pytest
from made.project import config, talk_of

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
