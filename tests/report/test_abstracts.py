"""What abstracts state beside what was found: docs/abstracts.md and the tables of the pages."""

from pathlib import Path

import pytest

from whyspiking.declared import abstract_file, claims_file, registry
from whyspiking.records import columns, tables
from whyspiking.report import abstracts, readme
from whyspiking.report.recorded import Recorded

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def talks():
    return [registry.load_talk(name) for name in registry.available()]


@pytest.fixture(scope="module")
def claims(talks):
    return {c.id: c for talk in talks for c in claims_file.load(talk.folder / "claims.yaml", talk)}


@pytest.fixture
def verdicts():
    return tables.read(ROOT / readme.VERDICTS, columns.VERDICTS)


def test_the_document_is_in_step_with_the_recorded_run(talks, claims, verdicts):
    written = (ROOT / abstracts.DOCUMENT).read_text(encoding="utf-8")
    assert written == abstracts.document(talks, claims, verdicts)


def test_a_verdict_that_changes_changes_the_document(talks, claims, verdicts):
    tested = abstract_file.load(talks[0].folder, claims).statements
    name = next(claim for statement in tested for claim in statement.claims)
    before = abstracts.document(talks, claims, verdicts).split("\n")
    verdicts.loc[verdicts["claim"] == name, "label"] = "overturned"
    after = abstracts.document(talks, claims, verdicts).split("\n")
    assert all("overturned" in new for new, old in zip(after, before, strict=True) if new != old)
    assert any(f"`{name}`" in line and "overturned" in line for line in after)


def test_a_page_shows_every_statement_and_escapes_it(talks, claims, verdicts):
    for talk in talks:
        own = {name: claim for name, claim in claims.items() if claim.talk == talk.name}
        page = abstracts.section(talk, own, verdicts, Recorded())
        told = abstract_file.load(talk.folder, own).statements
        assert page.count("<tr>") == 1 + sum(len(s.claims) + bool(s.untested) for s in told)
        assert all(f"<code>{name}</code>" in page for s in told for name in s.claims)
