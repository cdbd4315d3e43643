"""Writes the JSON schemas by which editors complete and check the YAML files."""

from __future__ import annotations

import inspect
import json
import re
import types
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from whyspiking.declared import (
    abstract_file,
    after_file,
    claims_file,
    community_file,
    config_file,
    protocol_file,
    registry,
)
from whyspiking.declared.strict_yaml import SchemaOfFile

ATTRIBUTE = re.compile(r"^    (\w+): ((?:.+\n)(?:^     .*\n)*)", re.MULTILINE)
"""A line of "Attributes" in a docstring, with those that go on."""
README = Path("config/README.md")
ROW = re.compile(r"^\| (`[^|]+`) \| ([^|]+) \|$", re.MULTILINE)
"""Of its table of keys: those, and what they mean."""
FOLDER = Path("workflow/schemas")
FILES: dict[str, TypeAdapter[Any]] = {
    "config": TypeAdapter(config_file.Config),
    "talk": TypeAdapter(registry.Talk),
    "claims": claims_file.CLAIMS,
    "abstract": TypeAdapter(abstract_file.Abstract),
    "after": TypeAdapter(after_file.After),
    "protocol": TypeAdapter(protocol_file.Protocol),
    "community": TypeAdapter(community_file.CommunityRow),
}


class Described(SchemaOfFile):
    """Every property says what the docstring of its model says of the attribute."""

    def model_schema(self, schema: Any) -> dict[str, Any]:
        """Of a model."""
        return _described(super().model_schema(schema), schema["cls"])

    def typed_dict_schema(self, schema: Any) -> dict[str, Any]:
        """Of a mapping with fixed keys."""
        return _described(super().typed_dict_schema(schema), schema["cls"])


def _described(made: dict[str, Any], model: type) -> dict[str, Any]:
    told = attributes(model)
    for name, property_ in made.get("properties", {}).items():
        if words := told.get(name, told.get(f"{name}_")):  # `is_` stands for what Python keeps
            property_["description"] = words
    return made


def attributes(model: type) -> dict[str, str]:
    """Attribute -> what docstrings say of it: the model's own, then those that it inherits from."""
    found: dict[str, str] = {}
    for base in types.get_original_bases(model):
        found |= attributes(base) if isinstance(base, type) else {}
    text = inspect.cleandoc(model.__doc__ or "").partition("Attributes:\n")[2] + "\n"
    return found | {name: " ".join(words.split()) for name, words in ATTRIBUTE.findall(text)}


def keys_of_config() -> dict[str, str]:
    """Key of the config -> its meaning, as the table of config/README.md has it."""
    found: dict[str, str] = {}
    for row, words in ROW.findall(README.read_text(encoding="utf-8")):
        first, *others = re.findall(r"`([\w.]+)`", row)
        above = first.rpartition(".")[0]
        keys = (first, *(f"{above}{key}" if key[0] == "." else key for key in others))
        found |= {key: words for key in keys}
    return found


def schema(name: str) -> str:
    """The schema of one kind of file, as JSON.

    Args:
        name: Of `FILES`.
    """
    made = FILES[name].json_schema(schema_generator=Described)
    if name == "config":
        del made["required"]  # each of its files has some of the keys
    for key, words in keys_of_config().items() if name == "config" else ():
        place = made
        for part in key.split("."):
            inner = made["$defs"].get(place.get("$ref", "").rpartition("/")[2], place)
            place = inner["properties"][part]
        place["description"] = words
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for name in FILES:
        (FOLDER / f"{name}.schema.json").write_text(schema(name), encoding="utf-8")
