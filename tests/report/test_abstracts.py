"""What abstracts state beside what was found: the tables of the pages."""

import whyspiking
from whyspiking.declared import abstract_file, claims_file, registry
from whyspiking.report import abstracts
from whyspiking.verdicts.comparison import ReferenceResults


def test_a_page_shows_every_statement_and_escapes_it():
    verdicts = whyspiking.results("reference").verdicts
    for talk in map(registry.load_talk, registry.counted(registry.available())):
        own = {c.id: c for c in claims_file.load(talk.folder / "claims.yaml", talk)}
        page = abstracts.section(talk, own, verdicts, ReferenceResults())
        told = abstract_file.load(talk.folder, own).statements
        assert page.count("<tr>") == 1 + sum(len(s.claims) + bool(s.untested) for s in told)
        assert all(f"<code>{name}</code>" in page for s in told for name in s.claims)
