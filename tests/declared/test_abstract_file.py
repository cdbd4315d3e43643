"""Files of abstracts: a good one loads, a damaged one is refused with its remedy."""

import copy

import pytest
import yaml

from whyspiking.declared import abstract_file
from whyspiking.errors import UserError

GOOD = {
    "source": "made up",
    "n_sentences": 2,
    "statements": [
        {
            "sentence": 1,
            "statement": "Brains use spikes.",
            "untested": "motivation, nothing to test",
        },
        {"sentence": 2, "statement": "So do these networks.", "claims": ["talk.task.accuracy"]},
    ],
}
DAMAGE = {
    "a sentence left out": (lambda d: d["statements"].pop(0), "every number from 1"),
    "a sentence too many": (lambda d: d.update(n_sentences=1), "every number from 1"),
    "more sentences than can be": (lambda d: d.update(n_sentences=10**9), "must be at most 100"),
    "out of order": (lambda d: d["statements"].reverse(), "in order"),
    "neither claims nor a reason": (lambda d: d["statements"][0].pop("untested"), "untested"),
    "a claim that is none": (
        lambda d: d["statements"][1].update(claims=["talk.task.acuracy"]), "talk.task.accuracy",
    ),
    "another key": (lambda d: d["statements"][0].update(quote="x"), "quote"),
}  # fmt: skip


@pytest.mark.parametrize("case", DAMAGE)
def test_damaged_abstracts_are_refused(case, tmp_path):
    change, told = DAMAGE[case]
    data = copy.deepcopy(GOOD)
    (tmp_path / abstract_file.FILE).write_text(yaml.safe_dump(data))
    abstract_file.load(tmp_path, ["talk.task.accuracy"])
    change(data)
    (tmp_path / abstract_file.FILE).write_text(yaml.safe_dump(data))
    with pytest.raises(UserError, match=told) as refused:
        abstract_file.load(tmp_path, ["talk.task.accuracy"])
    assert abstract_file.FILE in str(refused.value)
