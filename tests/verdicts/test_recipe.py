"""What a talk's record was made by, beside what its files say now."""

import json

import pytest

from whyspiking.declared import registry
from whyspiking.records import reference
from whyspiking.running import code_inputs
from whyspiking.verdicts import recipe
from whyspiking.verdicts.recipe import Change

GOELTZ, NAUD = map(registry.load_talk, ("goeltz", "naud"))
SIZE = "n_per_population"
FILE = "talks/goeltz/learning.py"


@pytest.fixture(scope="module")
def manifest():
    digests = {f: digest for f, (_, digest) in code_inputs.of_results("goeltz", []).items()}
    return {"recipe": recipe.of(GOELTZ), "inputs": digests}


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
    both = ["yinyang", "yinyang_fine"]
    other = changed("learning_rate", *both, value=0.01)
    assert recipe.changes(other, manifest) == [Change("learning_rate", 0.005, 0.01, both)]


def test_what_all_experiments_share_is_told_once_where_it_stands(manifest):
    alone = changed("xi", "substrates", value=0.3)
    assert recipe.changes(alone, manifest) == [Change("xi", 0.2, 0.3, ["substrates"])]
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


@pytest.mark.parametrize(
    ("key", "places", "scale", "run", "why"),
    [
        (SIZE, ["xor"], "default", ["xor"], {"xor": "scaled.full sets 100"}),
        (SIZE, ["xor"], "default", [], {"xor": "not run at scale default"}),
        (SIZE, ["xor"], "paper", ["xor"], {}),
        ("refractory_ms", ["xor"], "default", ["xor"], {}),
        (f"scaled.full.{SIZE}", ["xor"], "paper", ["xor"], {"xor": "of scale full alone"}),
        (f"scaled.full.{SIZE}", ["xor"], "default", ["xor"], {}),
        ("tau_char", [], "default", ["xor"], {}),
        ("gone.some", ["gone"], "default", [], {"gone": "not run at scale default"}),
        # In one place it has an effect.
        ("refractory_ms", ["xor_published", "xor"], "default", ["xor"], {}),
    ],
)
def test_a_key_that_decides_nothing_in_a_run_is_found(key, places, scale, run, why):
    assert NAUD.experiments["xor"].changes("default")[SIZE]["value"] == 100
    assert recipe.without_effect(NAUD, Change(key, 1, 2, places), scale, run) == why


def test_who_edits_such_a_key_is_told_where_it_is_set(tmp_path):
    config = {"scale": "default", "seeds": [0], "seeds_of": [], "shared": {"seeds": [0]}}
    then = {**recipe.of(NAUD), f"experiments.xor.parameters.{SIZE}": 250}
    (tmp_path / "naud").mkdir()
    manifest = {"format": reference.FORMAT, "recipe": then}
    (tmp_path / "naud" / "manifest.json").write_text(json.dumps(manifest))
    (line,) = recipe.idle_lines([GOELTZ, NAUD], config, tmp_path)
    said = "talks/naud/talk.yaml: n_per_population 250 -> 500 has no effect here"
    assert line == f"{said} (xor: scaled.full sets 100)"
