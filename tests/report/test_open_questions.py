"""docs/open-questions.md: in step with the recorded run, and a question that is answered goes."""

from pathlib import Path

import numpy as np
import pytest

from whyspiking.declared import claims_file, registry
from whyspiking.records import tables
from whyspiking.report import open_questions, readme
from whyspiking.report.recorded import JOINT

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def talks():
    return {name: registry.load_talk(name) for name in registry.available()}


@pytest.fixture(scope="module")
def claims(talks):
    read = [claims_file.load(talk.folder / "claims.yaml", talk) for talk in talks.values()]
    return {claim.id: claim for own in read for claim in own}


@pytest.fixture
def joint():
    folder = (ROOT / readme.VERDICTS).parent
    return {name: tables.read(folder / f"{name}.csv", schema) for name, schema in JOINT.items()}


def test_the_document_is_in_step_with_the_recorded_run(talks, claims, joint):
    written = (ROOT / open_questions.DOCUMENT).read_text(encoding="utf-8")
    assert written == open_questions.document(talks, claims, joint)


def test_every_open_claim_and_comparison_is_asked_and_no_other(talks, claims, joint):
    text = open_questions.document(talks, claims, joint)
    verdicts = joint["verdicts"]
    left = verdicts["verdict"].isin(["inconclusive", "not measured"])
    for name, is_open in zip(verdicts["claim"], left, strict=True):
        assert (f"`{name}`" in text) == is_open, name
    comparisons = text.split("\n## ")[1].count("\n| ") - 2
    assert comparisons == len(joint["programme"])


def test_what_is_decided_goes(talks, claims, joint):
    joint["programme"] = joint["programme"].iloc[:0]
    verdicts = joint["verdicts"]
    verdicts.loc[verdicts["verdict"] == "inconclusive", "verdict"] = "holds"
    text = open_questions.document(talks, claims, joint)
    assert "| would show |" not in text
    assert text.count("None.\n") >= 2


def test_a_plan_of_too_many_seeds_is_told_as_none(talks, claims, joint):
    row = joint["programme"].iloc[:1].assign(needed=np.inf, asks="differs", cpu_minutes=np.nan)
    joint["programme"] = row
    text = open_questions.document(talks, claims, joint)
    assert "| that they differ | over 1000 | – |" in text
