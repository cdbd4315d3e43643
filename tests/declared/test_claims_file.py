"""Loading claims: what a good file says, and what is refused with its remedy."""

import copy
from pathlib import Path

import numpy as np
import pytest
import yaml
from made.toy_talk import described, talk_of

from whyspiking.declared.registry import Talk
from whyspiking.errors import UserError
from whyspiking.verdicts import judge
from whyspiking.verdicts.judge import Band

ENTRY = {
    "id": "goeltz.yinyang.accuracy",
    "role": "key",
    "origin": "published",
    "says": "First-spike networks learn the Yin-Yang task.",
    "source": {"paper": "goeltz2021", "where": "Table 1"},
    "metric": "accuracy",
    "where": {"experiment": "yinyang", "variant": "spiking", "engine": "brian2"},
    "published": {"value": 0.959, "spread": 0.007, "seeds": 20},
    "test": "value",
    "better": "larger",
    "accept": {
        "paper": [0.945, None],
        "default": {"band": [0.95, None], "why": "two published sd below the mean"},
    },
    "negative_control": {"variant": "linear"},
}


def written(tmp_path: Path, *entries) -> Path:
    path = tmp_path / "goeltz" / "claims.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(list(entries)))
    return path


def changed(**changes):
    entry = copy.deepcopy(ENTRY)
    entry.update(changes)
    return {key: value for key, value in entry.items() if value != "absent"}


def test_a_good_file_loads(tmp_path):
    second = changed(
        id="goeltz.yinyang.early",
        role="secondary",
        metric="t95",
        better="smaller",
        accept={"default": [None, 2.0]},
        published={"value": None},
    )
    first, other = judge.load(written(tmp_path, ENTRY, second))
    assert first.talk == "goeltz"
    assert first.band("default") == Band(0.95, np.inf, "two published sd below the mean")
    assert first.band("paper").low == 0.945
    assert first.published.model_dump() == {
        "value": 0.959, "spread": 0.007, "seeds": 20, "same_trials": False,
    }  # fmt: skip
    assert other.band("default") == Band(-np.inf, 2.0)
    assert other.published.value is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"metric": "acuracy"}, "'acuracy'.*did you mean 'accuracy'"),
        ({"metric": "zzzzzz"}, "GLOSSARY"),
        ({"tests": "value"}, "tests.*did you mean 'test'"),
        ({"test": "better"}, "test.*expected one of"),
        ({"where": {"experiment": "yinyang"}}, "variant"),
        ({"accept": {"default": [0.97, 0.95]}}, "accept.default.*below"),
        ({"accept": {"default": [None, 0.95]}}, "needs a lower edge"),
        ({"accept": {"smoke": [0.1, 0.2]}}, "smoke"),
        ({"test": "difference"}, "no 'versus'"),
        ({"versus": {"variant": "linear"}}, "does not use"),
        ({"id": "accuracy"}, "id"),
        ({"role": "secondary"}, "0 claims have role 'key'"),
        ({"published": "absent"}, "published"),
    ],
)
def test_a_bad_claim_is_refused_with_its_remedy(tmp_path, changes, message):
    with pytest.raises(UserError, match=message):
        judge.load(written(tmp_path, changed(**changes)))


def test_two_key_claims_and_equal_ids_are_refused(tmp_path):
    with pytest.raises(UserError, match="2 claims have role 'key'"):
        judge.load(written(tmp_path, ENTRY, changed(id="goeltz.yinyang.other")))
    with pytest.raises(UserError, match="occurs 2 times"):
        judge.load(written(tmp_path, ENTRY, changed(role="secondary")))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        judge.load(tmp_path / "claims.yaml")


def described_talk() -> Talk:
    variants = {
        name: {"role": role, "says": "A network."}
        for name, role in (("spiking", "spiking"), ("linear", "negative_control"))
    }
    data = {"key": "yinyang", "provenance": "definition"}
    experiment = described("yinyang", data=data, variants=variants)
    papers = {"goeltz2021": {"cite": "Goeltz 2021", "doi": "10.1/x"}}
    return talk_of({"yinyang": experiment}, talk="goeltz", papers=papers)


def test_names_are_checked_against_the_talk(tmp_path):
    (loaded,) = judge.load(written(tmp_path, ENTRY), described_talk())
    assert loaded.data == "definition"
    bad = changed(negative_control={"variant": "liner"})
    with pytest.raises(UserError, match=r"negative_control.variant.*linear"):
        judge.load(written(tmp_path, bad), described_talk())
    bad = changed(negative_control={"experiment": "ying"})
    with pytest.raises(UserError, match=r"negative_control.experiment.*yinyang"):
        judge.load(written(tmp_path, bad), described_talk())
    bad = changed(id="comsa.yinyang.accuracy")
    with pytest.raises(UserError, match="must begin with"):
        judge.load(written(tmp_path, bad), described_talk())
