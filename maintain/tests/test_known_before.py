"""Which bands are younger than their numbers: a history of git that is made for it."""

import subprocess

import pandas as pd
import pytest

from whyspiking.declared import registry
from whyspiking.declared.claims_file import load
from whyspiking.errors import UserError
from whyspiking.verdicts import judge
from whyspiking_maintain import known_before

CLAIM = """
- id: talk.task.{name}
  role: secondary
  says: {says}
  metric: accuracy
  where: {{experiment: task, variant: spiking, engine: brian2}}
  {versus}
  test: {test}
  better: larger
  accept: {{{scale}: {band}}}
"""


@pytest.fixture
def commit(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def git(*words):
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], check=True)

    git("init", "--quiet")
    folders = {"old": tmp_path / "replications", "new": tmp_path / "talks"}

    def made(where, *claims, variants=()):
        for folder in folders.values():
            folder.mkdir(exist_ok=True)
            (folder / "claims.yaml").unlink(missing_ok=True)
        (folders[where] / "claims.yaml").write_text("".join(claims))
        record = tmp_path / "results" / "reference" / "talk"
        if variants:
            record.mkdir(parents=True, exist_ok=True)
            rows = {"talk": "talk", "experiment": "task", "variant": variants, "metric": "accuracy"}
            # Compressed, as the record has it now, or not, as it was.
            packed = ".gz" if where == "new" else ""
            (record / "metrics.csv").unlink(missing_ok=True)
            pd.DataFrame(rows).to_csv(record / f"metrics.csv{packed}")
        git("add", "--all")
        git("commit", "--quiet", "--allow-empty", "-m", "x")

    monkeypatch.setattr(registry, "available", lambda: ["talk"])
    own = type("Own", (), {"folder": folders["new"]})
    monkeypatch.setattr(registry, "load_talk", lambda _: own)
    return made


def claim(name="first", band="[0.9, 1.0]", scale="full", versus="", test="value", says="All well."):
    return CLAIM.format(
        name=name, band=band, scale=scale, versus=versus, test=test, says=f'"{says}"'
    )


def known():
    return known_before.table().set_index("claim")["known"].to_dict()


def test_a_number_is_known_where_the_record_had_it_before_the_band(commit):
    commit("old", claim())
    commit("old", claim(), variants=["spiking"])
    commit("new", claim(scale="paper"))
    assert known() == {"talk.task.first": False}, "the file moved, the band is the oldest of all"
    commit("new", claim(band="[0.8, null]"))
    assert known() == {"talk.task.first": True}
    commit("new", claim(band="[0.8, 1.0]"))
    assert known() == {"talk.task.first": True}, "the edge that does not bind"
    compared = claim("other", versus="versus: {variant: mlp}", test="difference")
    commit("new", claim(band="[0.8, 1.0]"), compared)
    assert known() == {"talk.task.first": True, "talk.task.other": False}, "one side only"


def test_a_renamed_claim_keeps_the_age_of_its_band(commit):
    commit("new", claim())
    commit("new", claim(), variants=["spiking"])
    commit("new", claim("renamed"))
    assert known() == {"talk.task.renamed": False}
    commit("new", claim("another", says="Something else."))
    assert known() == {"talk.task.another": True}


def test_a_version_that_cannot_be_read_is_passed_over_and_no_history_is_refused(
    commit, monkeypatch
):
    commit("new", claim())
    commit("new", claim() + "  : : :", variants=["spiking"])
    commit("new", claim())
    assert known() == {"talk.task.first": False}
    monkeypatch.setattr(known_before, "_git", lambda *_: "true")
    with pytest.raises(UserError, match="unshallow"):
        known_before.table()


def test_every_claim_has_its_row():
    stated = pd.read_csv(judge.KNOWN_BEFORE)
    talks = [registry.load_talk(name) for name in registry.available()]
    ids = [c.id for talk in talks for c in load(talk.folder / "claims.yaml", talk)]
    assert stated["claim"].tolist() == ids, "run: python -m whyspiking.recording known"
