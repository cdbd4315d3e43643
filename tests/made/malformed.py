"""Malformed inputs, made systematically from the schemas: one mistake in an otherwise good file.

`mutants` walks a good file beside its schema and makes, at every place that the schema describes,
one copy per kind of mistake that is possible there.
"""

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

ABSENT = object()
OTHER_TYPE = {
    "string": 12.5,
    "number": "many",
    "integer": "many",
    "boolean": "perhaps",
    "array": "alone",
    "object": "alone",
    "null": "something",
}


@dataclass(frozen=True)
class Mutant:
    """A file with one mistake.

    Attributes:
        name: What is wrong, and where.
        data: The content of the whole file.
        key: What the message must name: the last part of the path that leads to the mistake.
        value: The wrong value, `ABSENT` where there is none to show.
    """

    name: str
    data: Any
    key: str
    value: Any


def mutants(data: Any, schema: dict[str, Any]) -> Iterator[Mutant]:
    """One copy of the file per possible mistake.

    Args:
        data: Content of a good file.
        schema: The schema that it fulfils.
    """
    seen = set()
    for path, kind, value, key in _mistakes(data, schema, schema, ()):
        place = ".".join(str(part) for part in path) or "(top level)"
        name = f"{place}: {kind}"
        if name not in seen:
            seen.add(name)
            yield Mutant(name, _changed(data, path, value), key, ABSENT if _gone(kind) else value)


def _gone(kind: str) -> bool:
    return kind in ("missing", "unknown key", "misspelt key", "wrong form of a key")


def _changed(data: Any, path: tuple, value: Any) -> Any:
    if not path:
        return copy.deepcopy(value)
    # YAML's anchors make the same object appear twice; a round trip separates them.
    made = json.loads(json.dumps(data))
    place = made
    for part in path[:-1]:
        place = place[part]
    if value is ABSENT:
        del place[path[-1]]
    else:
        place[path[-1]] = copy.deepcopy(value)
    return made


def _resolved(schema: Any, root: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        found = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        # What stands beside a reference counts too.
        schema = {**found, **{key: value for key, value in schema.items() if key != "$ref"}}
    choices = [_resolved(part, root) for part in schema.get("anyOf", schema.get("oneOf", ()))]
    others = [choice for choice in choices if choice.get("type") != "null"]
    if len(others) == 1:
        return {**others[0], "type": [others[0]["type"], "null"]}
    return {"anyOf": choices} if choices else schema


def _mistakes(data: Any, schema: Any, root: Any, path: tuple) -> Iterator[tuple]:
    schema = _resolved(schema, root)
    key = str(path[-1]) if path else ""
    if "anyOf" in schema:
        yield path, "wrong type", "alone", key
        fitting = "object" if isinstance(data, dict) else "array"
        for choice in schema["anyOf"]:
            if choice.get("type") == fitting:
                yield from _inside(data, choice, root, path)
        return
    yield from _itself(data, schema, path, key)
    yield from _inside(data, schema, root, path)


def _itself(data: Any, schema: Any, path: tuple, key: str) -> Iterator[tuple]:
    """Mistakes of the value itself."""
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types:
        yield path, "wrong type", OTHER_TYPE[types[0]], key
        if "null" not in types and path:
            yield path, "null", None, key
    if "integer" in types:
        yield path, "no whole number", 1.5, key
        yield path, "float in place of a whole number", 7.0, key
    if "number" in types:
        yield path, "not a number", float("nan"), key
        yield path, "infinite", float("inf"), key
    if "enum" in schema:
        yield path, "not one of the choices", "nonsense", key
    if "const" in schema:
        yield path, "not one of the choices", "nonsense", key
    if "pattern" in schema:
        yield path, "wrong form", "Not {this}: no!", key
    if schema.get("minLength"):
        yield path, "empty", "", key
    for bound, step in (("minimum", -1), ("maximum", 1)):
        if bound in schema:
            yield path, f"beyond its {bound}", schema[bound] + step, key
    if "exclusiveMinimum" in schema:
        yield path, "too small", schema["exclusiveMinimum"] - 1, key
        yield path, "at the excluded border", schema["exclusiveMinimum"], key
    if schema.get("minItems"):
        yield path, "empty", [], key
    if schema.get("minProperties"):
        yield path, "empty", {}, key
    if schema.get("uniqueItems") and data:
        yield path, "repeated", [*data, data[0]], key


def _inside(data: Any, schema: Any, root: Any, path: tuple) -> Iterator[tuple]:
    """Mistakes of what the value holds."""
    if isinstance(data, dict):
        properties = schema.get("properties", {})
        for name in schema.get("required", []):
            if name in data:
                yield (*path, name), "missing", ABSENT, name
        others = schema.get("additionalProperties", True)
        if others is False:
            yield (*path, "colour"), "unknown key", "green", "colour"
            near = sorted(properties)[0][:-1] + "x"
            yield (*path, near), "misspelt key", "green", near
        if "propertyNames" in schema:
            named = next(iter(data.values()), None)
            yield (*path, "Not this!"), "wrong form of a key", named, "Not this!"
        for name, value in data.items():
            if name in properties:
                yield from _mistakes(value, properties[name], root, (*path, name))
        if isinstance(others, dict) and data:
            first = next(name for name in data if name not in properties)
            yield from _mistakes(data[first], others, root, (*path, first))
    if isinstance(data, list) and data and "items" in schema:
        yield from _mistakes(data[0], schema["items"], root, (*path, 0))
