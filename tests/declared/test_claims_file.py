"""Loading claims: what a good file says, and what is refused with its remedy."""

import copy
from pathlib import Path

import numpy as np
import pytest
import yaml

from whyspiking.errors import UserError
from whyspiking.verdicts import judge
from whyspiking.verdicts.judge import Band

ENTRY = {
    "id": "goeltz.yinyang.accuracy",
    "claim_role": "key",
    "origin": "published",
    "statement": "First-spike networks learn the Yin-Yang task.",
    "source": {
        "publication": "goeltz2021",
        "source_location": "Table 1",
        "value": 0.959,
        "standard_deviation": 0.007,
        "n_seeds": 20,
    },
    "metric": "accuracy",
    "rows": {"experiment": "yinyang", "variant": "spiking", "engine": "brian2"},
    "test_type": "value",
    "better_direction": "larger",
    "criteria": {
        "paper": [0.945, None],
        "full": {"criterion": [0.95, None], "criterion_reason": "two published sd below the mean"},
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
        claim_role="secondary",
        metric="t95",
        better_direction="smaller",
        criteria={"full": [None, 2.0]},
        source={"publication": "goeltz2021", "source_location": "Fig. 2"},
    )
    first, other = judge.load(written(tmp_path, ENTRY, second))
    assert first.talk == "goeltz"
    assert first.band("default") == Band(0.95, np.inf, "two published sd below the mean")
    assert first.band("paper").low == 0.945
    assert first.source.model_dump() == {
        **ENTRY["source"],
        "quoted_from_memory": False,
        "released_artefact": False,
        "shown_as": None,
    }
    assert (first.source.evidence, other.source.evidence) == ("published number", "no number")
    assert other.band("default") == Band(-np.inf, 2.0)
    assert other.source.value is None


def test_what_a_claim_was_before_is_told(tmp_path):
    look = {"commit": "77a7cd3", "recipe": "five epochs", "value": 0.9, "verdict": "inconclusive"}
    band = {"commit": "36e8d87", "criterion": [0.97, None], "reason": "a round number of ours"}
    (claim,) = judge.load(written(tmp_path, changed(earlier_evaluations=[look, band])))
    assert [entry.value for entry in claim.looks] == [0.9]
    assert "test data (five epochs, commit 77a7cd3): 0.9, inconclusive" in claim.history
    assert "Until commit 36e8d87 the criterion was at least 0.97: a round number of ours" in (
        claim.history
    )


def test_the_negative_control_of_a_key_claim_may_be_that_of_a_claim_that_it_requires(tmp_path):
    share = changed(
        id="goeltz.yinyang.slow",
        claim_role="secondary",
        metric="slow_regime",
        test_type="share",
        source={"publication": "goeltz2021", "source_location": "Fig. 2"},
        criteria={"full": [0.002, 1.0]},
    )
    key = changed(negative_control="absent", requires=["goeltz.yinyang.slow"])
    first, _ = judge.load(written(tmp_path, key, share))
    assert (first.negative_control, first.requires) == (None, ["goeltz.yinyang.slow"])
    del share["negative_control"]
    with pytest.raises(UserError, match="no claim that it requires has one"):
        judge.load(written(tmp_path, key, share))
