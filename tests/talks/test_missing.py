"""What a new talk lacks is told at once: a copy of the template, and faults put into it."""

import shutil

import pytest
from made.checkouts import ROOT, name_template
from made.missing import missing

from whyspiking.declared import registry
from whyspiking.records import reference

SPEAKER = "tempotron"


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A project with talk.yaml files of the recorded talks, and a talk made of the template."""
    own = tmp_path / "workflow" / "whyspiking" / "talks"
    for talk in ("_template", "goeltz"):
        ignored = shutil.ignore_patterns("__pycache__", "tuning.csv")
        shutil.copytree(registry.FOLDER / talk, own / talk, ignore=ignored)
    for folder in ("config", "notebooks"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    name_template(tmp_path, SPEAKER)
    monkeypatch.setattr(registry, "FOLDER", own)
    pending = tmp_path / reference.FOLDER / reference.PENDING
    pending.parent.mkdir(parents=True)
    pending.write_text("goeltz: {train: ['1, 0123456: a test']}")
    return tmp_path


def change(path, *pairs):
    text = path.read_text()
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)


def told(folder, name=SPEAKER):
    return missing(name, folder)


def test_a_bare_copy_has_every_text_of_the_template_and_is_not_run(copy):
    found = told(copy)
    assert found[0].startswith("config/config.yaml: 'talks' lacks 'tempotron'")
    files = ("README.md", "abstract.yaml", "after.yaml", "claims.yaml", "talk.yaml", "model.py")
    for file in (*(f"{SPEAKER}/{file}" for file in files), f"notebooks/{SPEAKER}.ipynb"):
        assert sum(line.startswith(f"{file}: ") for line in found) == 1, file
    *texts, known, record, tuned = found[1:]
    assert all("of the template's texts" in line for line in texts)
    assert known.startswith("verdicts/known_before.csv: lacks 1 of its claims")
    assert "whyspiking.recording known`" in known
    assert f"recording tune {SPEAKER}`" in tuned
    assert "neither has 'tempotron' nor says" in record and "recording pending ISSUE" in record
    pending = copy / reference.FOLDER / reference.PENDING
    pending.write_text(f"{SPEAKER}: {{train: ['1, 0123456: it is new']}}")
    assert record not in told(copy)


def test_everything_that_is_wrong_is_told_at_once(copy):
    own = registry.FOLDER / SPEAKER
    change(own / "claims.yaml", ("origin: published", "origin: ours"))
    change(own / "after.yaml", ("doi: 10.1126", "doi: 11.1126"))
    (copy / "notebooks" / f"{SPEAKER}.ipynb").unlink()
    found = "\n".join(told(copy))
    for words in (
        "'talks' lacks 'tempotron'",
        "notebooks/tempotron.ipynb: is not there",
        "of the template's texts",
        "after.yaml: ",
    ):
        assert words in found


def test_a_talk_that_shares_a_task_has_tried_its_settings(copy):
    talk = registry.load_talk("goeltz")
    assert told(copy, "goeltz") == [
        "talks/goeltz/tuning.csv: is not there, but 'tuned' in talk.yaml names settings to try; "
        "expected all of them tried; run `python -m whyspiking.recording tune goeltz`"
    ]
    shutil.copy(ROOT / "workflow/whyspiking/talks/goeltz/tuning.csv", talk.folder)
    assert told(copy, "goeltz") == []


def test_a_talk_yaml_that_cannot_be_read_is_one_of_the_things(copy):
    change(registry.FOLDER / SPEAKER / "talk.yaml", ("kind: classification", "kind: nonsense"))
    found = told(copy)
    assert any("talk.yaml: " in line and "nonsense" in line for line in found)
    assert any("of the template's texts" in line for line in found)
    (registry.FOLDER / SPEAKER / "talk.yaml").write_text("title: [")
    assert any("talk.yaml" in line for line in told(copy)[1:])
