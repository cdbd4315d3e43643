"""What abstracts state beside what was found: the tables of the pages."""

import pytest

import whyspiking
from whyspiking.declared import abstract_file, claims_file, registry
from whyspiking.report import abstracts
from whyspiking.verdicts.recorded import Recorded


@pytest.fixture(scope="module")
def talks():
    return [registry.load_talk(name) for name in registry.counted(registry.available())]


@pytest.fixture(scope="module")
def claims(talks):
    return {c.id: c for talk in talks for c in claims_file.load(talk.folder / "claims.yaml", talk)}


@pytest.fixture
def verdicts():
    return whyspiking.results("reference").verdicts


def test_a_page_shows_every_statement_and_escapes_it(talks, claims, verdicts):
    for talk in talks:
        own = {name: claim for name, claim in claims.items() if claim.talk == talk.name}
        page = abstracts.section(talk, own, verdicts, Recorded())
        told = abstract_file.load(talk.folder, own).statements
        assert page.count("<tr>") == 1 + sum(len(s.claims) + bool(s.untested) for s in told)
        assert all(f"<code>{name}</code>" in page for s in told for name in s.claims)
