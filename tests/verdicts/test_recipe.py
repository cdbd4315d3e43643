"""What a talk's record was made by, beside what its files say now."""

import pytest

from whyspiking.declared import registry
from whyspiking.running import code_inputs
from whyspiking.verdicts import recipe
from whyspiking.verdicts.recipe import Change

GOELTZ = registry.load_talk("goeltz")
FILE = "talks/goeltz/learning.py"


def digests():
    return {file: digest for file, (_, digest) in code_inputs.of_results("goeltz", []).items()}


@pytest.fixture(scope="module")
def manifest():
    return {"recipe": recipe.of(GOELTZ), "inputs": digests()}


def changed(name, *places, **update):
    """The talk with one parameter changed: in some experiments, or where all share it."""

    def new(owner):
        parameters = owner.parameters
        other = {**parameters, name: {**parameters[name], **update}}
        return owner.model_copy(update={"parameters": other})

    found = {
        n: new(e) for n, e in GOELTZ.experiments.items() if n in (places or GOELTZ.experiments)
    }
    above = GOELTZ if places else new(GOELTZ)
    return above.model_copy(update={"experiments": {**GOELTZ.experiments, **found}})


def test_nothing_differs_from_a_record_of_the_same_files(manifest):
    assert recipe.changes(GOELTZ, manifest) == []


def test_a_value_of_several_experiments_is_one_change(manifest):
    both = ["yinyang", "yinyang_2tau"]
    other = changed("learning_rate", *both, value=0.01)
    assert recipe.changes(other, manifest) == [Change("learning_rate", 0.005, 0.01, both)]


def test_what_all_experiments_share_is_told_once_where_it_stands(manifest):
    alone = changed("xi", "mnist", value=0.3)
    assert recipe.changes(alone, manifest) == [Change("xi", 0.2, 0.3, ["mnist"])]
    assert recipe.changes(changed("xi", value=0.3), manifest) == [Change("xi", 0.2, 0.3)]


def test_another_source_is_no_change(manifest):
    other = changed("learning_rate", "yinyang", source="ours: a guess")
    assert recipe.changes(other, manifest) == []


def test_code_counts(manifest):
    older = {**manifest, "inputs": {**manifest["inputs"], FILE: "0" * 32}}
    assert recipe.changes(GOELTZ, older) == [Change(FILE)]


def test_a_record_without_recipe_says_nothing_of_keys(manifest):
    other = changed("learning_rate", "yinyang", value=0.01)
    assert recipe.changes(other, {"inputs": manifest["inputs"]}) == []
    assert recipe.changes(other, {}) == []


def test_where_files_of_the_authors_lie_is_no_change_of_the_recipe():
    config = {"scale": "full", "data": {"originals_dir": "given", "n_train": 3}}
    assert recipe.of_config(config) == {"data.n_train": 3}
