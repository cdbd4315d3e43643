"""Keys of YAML files that had another name are refused with their new name."""

import json

import pytest
from made.project import talk_of
from made.refusal_cases import TALK, good_file, refused

from whyspiking.declared import claims_file, registry

YINYANG = "experiments.yinyang"
OLD_CLAIMS = [
    ("0", "says", "statement"),
    ("0", "where", "rows"),
    ("0", "accept", "criteria"),
    ("0.source", "where", "source_location"),
    ("0.source", "paper", "publication"),
    ("0.criteria.full", "band", "criterion"),
    ("0.criteria.full", "why", "criterion_reason"),
    ("0.earlier_evaluations.2", "band", "criterion"),
    ("0.earlier_evaluations.2", "why", "reason"),
    ("0.also_measured.0", "says", "description"),
]
OLD_TALK = [
    ("", "papers", "publications"),
    ("publications.goeltz2021", "cite", "citation"),
    ("characteristic_time", "what", "description"),
    ("learning_rules.0", "applies", "networks"),
    ("learning_rules.0.signals.0", "to", "recipient"),
    (YINYANG, "battery", "robustness_tests"),
    (f"{YINYANG}.data", "key", "data_set"),
    (f"{YINYANG}.scale_overrides.smoke.n_hidden", "why", "reason"),
    (f"{YINYANG}.variants.mlp", "is", "network"),
]


def renamed_back(data, block, old, new):
    """Copy the content of a file with the old name of a key, as version 3 had it."""
    content = json.loads(json.dumps(data))
    inside = content
    for part in block.split(".") if block else ():
        inside = inside[int(part) if part.isdigit() else part]
    inside[old] = inside.pop(new)
    return content


@pytest.mark.parametrize(("block", "old", "new"), OLD_TALK)
def test_an_old_key_of_a_talk_is_refused_with_its_new_name(block, old, new, monkeypatch):
    data = renamed_back(good_file("talk"), block, old, new)
    monkeypatch.setattr(registry, "read_yaml", lambda _: data)
    said = refused(lambda: registry.load_talk(TALK), f"key '{f'{block}.{old}'.strip('.')}'")
    assert f"'{old}' is now called '{new}'" in said
    assert len(said.splitlines()) == 1, "the new name is missing, but that is the same mistake"


@pytest.mark.parametrize(("block", "old", "new"), OLD_CLAIMS)
def test_an_old_key_of_a_claim_is_refused_with_its_new_name(block, old, new, monkeypatch):
    talk = talk_of(TALK)
    data = renamed_back(good_file("claims"), block, old, new)
    monkeypatch.setattr(claims_file, "read_yaml", lambda _: data)
    said = refused(lambda: claims_file.load(talk.folder / "claims.yaml", talk), f"key '{block}.")
    assert f"'{old}' is now called '{new}'" in said
