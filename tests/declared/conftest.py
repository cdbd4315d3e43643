"""A talk.yaml of a toy, changed, in a registry folder of its own."""

import copy

import pytest
import yaml
from made.toy_yaml import TOY

from whyspiking.declared import registry


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """Make the experiment of the toy's description, changed by a function."""
    monkeypatch.setattr(registry, "FOLDER", tmp_path)

    def made(change=lambda experiment: None):
        data = copy.deepcopy(TOY)
        change(data["experiments"]["one"])
        (tmp_path / "toy").mkdir(exist_ok=True)
        (tmp_path / "toy" / "talk.yaml").write_text(yaml.safe_dump(data))
        return registry.load_talk("toy").experiments["one"]

    return made
