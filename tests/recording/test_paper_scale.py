"""docs/paper-scale.md: in step with what is kept, and a verdict that differs stands out."""

import shutil
from pathlib import Path

import pytest

from whyspiking.declared import registry
from whyspiking.errors import UserError
from whyspiking.records import columns, tables
from whyspiking.report import paper_scale, readme
from whyspiking.stages import paper_scale as stage
from whyspiking.recording.record import config_of

ROOT = Path(__file__).parents[2]
MADE = {
    "costs": {"jobs": 7, "cpu_seconds": 7200.0},
    "longest_job_cpu_seconds": 3600.0,
    "machine": {"unit": 2.0},
    "commit": "0123456789",
}


@pytest.fixture(scope="module")
def talks():
    return [registry.load_talk(name) for name in registry.available()]


@pytest.fixture
def full():
    return tables.read(ROOT / readme.VERDICTS, columns.VERDICTS)


def test_the_document_is_in_step_with_what_is_kept(talks, full):
    written = (ROOT / paper_scale.DOCUMENT).read_text(encoding="utf-8")
    assert written == paper_scale.document(talks, full, paper_scale.kept(ROOT / paper_scale.KEPT))


def test_a_verdict_that_differs_is_bold_and_counted(talks, full):
    own = full[full["talk"] == "goeltz"].reset_index(drop=True)
    own.loc[0, "verdict"] = "not replicated"
    own.loc[1, "verdict"], own.loc[2, "verdict"] = paper_scale.UNJUDGED
    text = paper_scale.document(talks, full, {"goeltz": (own, MADE)})
    assert f"1 of {len(own) - 2} verdicts differ" in text and text.count("**not replicated**") == 1
    for row, why in enumerate(paper_scale.UNJUDGED.values(), start=1):
        assert f"\n\n{why}: `{own['claim'][row]}`.\n" in text
    assert "7 jobs, 1.00 core-hours" in text and "the longest job 0.50" in text
    others = [talk.speaker for talk in talks if talk.name != "goeltz"]
    assert text.endswith(f"Not run at it: {', '.join(others)}.\n")


def test_a_run_of_another_scale_is_not_kept(full, tmp_path):
    (tmp_path / "full" / "goeltz").mkdir(parents=True)
    shutil.copy(ROOT / "results/reference/goeltz/verdicts.csv", tmp_path / "full" / "goeltz")
    with pytest.raises(UserError, match=r"of scale full; expected 'paper'; run: snakemake goeltz"):
        stage.keep("goeltz", config_of("paper"), tmp_path / "full", tmp_path / "kept")
    assert not (tmp_path / "kept").exists()
