"""Writes the JSON schemas by which editors complete and check the YAML files."""

from __future__ import annotations

import json
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


def schema(name: str) -> str:
    """The schema of one kind of file, as JSON.

    Args:
        name: Of `FILES`.
    """
    made = FILES[name].json_schema(schema_generator=SchemaOfFile)
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for name in FILES:
        (FOLDER / f"{name}.schema.json").write_text(schema(name), encoding="utf-8")
