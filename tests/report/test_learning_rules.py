"""docs/learning-rules.md: its programs run and learn, and it says of memory what the talks say."""

import re

import pytest
from made.checkouts import ROOT

from whyspiking.declared import registry

PACKAGE = ROOT / "workflow" / "whyspiking"
DOCUMENT = ROOT / "docs" / "learning-rules.md"
SECTIONS = DOCUMENT.read_text(encoding="utf-8").split("\n## ")[1:]


def talk_of(section):
    """The talk that a section is about, by the README that it names."""
    (name,) = re.findall(r"talks/(\w+)/README\.md", section)
    return registry.load_talk(name)


def rows_of(talk):
    """Rows of the table of memory, as talk.yaml declares the rules."""
    for rule in talk.learning_rules:
        told = "; ".join(
            f"{s.description} (to each {s.recipient}, {'at once' if s.online else 'afterwards'})"
            for s in rule.signals
        )
        memory = rule.memory
        kept = f"{memory.synapse} | {memory.neuron} | {memory.shared}"
        yield f"| {rule.name} | {kept} | {told} |"


def test_every_talk_has_its_section():
    assert sorted(talk_of(section).name for section in SECTIONS) == registry.counted(
        registry.available()
    )


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: talk_of(section).name)
def test_a_rule_keeps_what_its_talk_declares(section):
    rows = [line for line in section.splitlines() if line.startswith("| ")][1:]
    assert rows and set(rows) <= set(rows_of(talk_of(section)))


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: talk_of(section).name)
def test_what_is_named_is_there(section):
    talk = talk_of(section)
    where = section.split("**Where.**")[1].split("\n")[0]
    for name in re.findall(r"`([\w/]+\.py|[\w/]+/)`", where):
        assert (PACKAGE / name).exists() or (talk.folder / name).is_file(), name
    code = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    for name in re.findall(r"`(\w+)`", where):
        assert re.search(rf"^(def|class) {name}\b", code, re.MULTILINE), name


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: talk_of(section).name)
def test_its_program_is_short_and_learns(section):
    (program,) = re.findall(r"^```python\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    lines = [line for line in program.splitlines() if line.strip()]
    assert len(lines) <= 20 and max(map(len, lines)) <= 100
    found: dict = {}
    exec(compile(program, str(DOCUMENT), "exec"), found)
    assert 0 <= float(found["after"]) < 0.5 * float(found["before"])
