"""Check YAML files against the closed schemas, with messages that name key, value and remedy."""

from __future__ import annotations

import difflib
import functools
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import yaml
from jsonschema.validators import extend

from whyspiking.errors import UserError

# The C parser, ten times faster, where PyYAML has it; both are the safe ones.
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
SCHEMAS = Path(__file__).parents[1] / "schemas"
LARGEST_BYTES = 1_000_000
LARGEST_NODES = 100_000
"""Of one file, aliases written out: a few lines of them can stand for billions of values."""


def read_yaml(path: Path) -> Any:
    """Read a YAML file.

    Raises:
        UserError: If the file is missing, is no text in UTF-8, is not YAML, is too large, or gives
            a key twice.
    """
    try:
        raw = path.read_bytes()
        if len(raw) > LARGEST_BYTES:
            raise UserError(
                f"{path}: {len(raw)} bytes; expected at most {LARGEST_BYTES}; name another file"
            )
        text = raw.decode("utf-8")
    except FileNotFoundError:
        raise UserError(
            f"{path}: no such file; expected one. Restore it or correct the path"
        ) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise UserError(
            f"{path}: line {line} holds the byte 0x{error.object[error.start]:02x}, which is not "
            "UTF-8; expected a text file in UTF-8; save it in that encoding"
        ) from None
    except OSError as error:
        raise UserError(
            f"{path}: cannot be read ({error.strerror}); expected a readable text file; mend it or "
            "name another one"
        ) from None
    loader = Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _check_nodes(node, path)
        return loader.construct_document(node)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        # `construct_document` turns impossible dates and numbers into a ValueError.
        raise UserError(
            f"{path}: not valid YAML ({' '.join(str(error).split())}); expected keys and values as "
            "in config/config.yaml; mend that place"
        ) from None
    finally:
        loader.dispose()


def _check_nodes(node: yaml.Node, path: Path) -> None:
    """Refuse keys that occur twice, of which YAML would silently keep the last."""
    sizes: dict[int, int] = {}

    def size(node: yaml.Node) -> int:
        if id(node) in sizes:
            return sizes[id(node)]
        sizes[id(node)] = LARGEST_NODES  # an alias of itself
        parts: list[yaml.Node] = []
        if isinstance(node, yaml.MappingNode):
            first: dict[str, int] = {}
            for key, value in node.value:
                line = key.start_mark.line + 1
                if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                    if key.value in first:
                        raise UserError(
                            f"{path}: key '{key.value}' stands in line {first[key.value]} and "
                            f"again in line {line}; expected once; remove one of the two"
                        )
                    first[key.value] = line
                parts += [key, value]
        elif isinstance(node, yaml.SequenceNode):
            parts = list(node.value)
        total = 1 + sum(size(part) for part in parts)
        if total > LARGEST_NODES:
            raise UserError(
                f"{path}: its aliases stand for more than {LARGEST_NODES} values; expected a file "
                "of ordinary size; write them out or remove them"
            )
        sizes[id(node)] = total
        return total

    size(node)


def check(data: Any, schema_name: str, where: str) -> None:
    """Check `data` against `schemas/<schema_name>.schema.yaml`.

    Args:
        data: What the YAML file holds.
        schema_name: "config", "talk" or "claims".
        where: Name of the file for messages.

    Raises:
        UserError: One line per problem: key, value, what was expected, where to mend it.
    """
    problems = [
        *(_explain(problem, where) for problem in _validator(schema_name).iter_errors(data)),
        *(
            f"{where}: '{key}' is {value}; expected a finite number. Correct it in that file."
            for key, value in _not_finite(data, ())
        ),
    ]
    if problems:
        raise UserError("\n".join(sorted(problems)[:10]))


@functools.cache
def _validator(schema_name: str) -> Any:
    """A whole number is an int: 7.0 would become "seed-7.0" in the names of files."""
    schema = read_yaml(SCHEMAS / f"{schema_name}.schema.yaml")
    base = jsonschema.Draft202012Validator
    strict = base.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    )
    return extend(base, type_checker=strict)(schema)


def _not_finite(data: Any, path: tuple[Any, ...]) -> Iterator[tuple[str, float]]:
    if isinstance(data, float) and not math.isfinite(data):
        yield ".".join(map(str, path)), data
    parts: Iterator[tuple[Any, Any]] = iter(())
    if isinstance(data, Mapping):
        parts = iter(data.items())
    elif isinstance(data, list):
        parts = iter(enumerate(data))
    for key, value in parts:
        yield from _not_finite(value, (*path, key))


def _explain(problem: jsonschema.ValidationError, where: str) -> str:
    path = [str(part) for part in problem.absolute_path]
    key = ".".join(path)
    asked: Any = problem.validator_value
    schema: Any = problem.schema
    if problem.validator == "additionalProperties" and isinstance(problem.instance, dict):
        return _unknown_keys(set(problem.instance), schema.get("properties", {}), path, where)
    if problem.validator == "required":
        missing = [name for name in asked if name not in problem.instance]
        return "\n".join(
            f"{where}: '{'.'.join([*path, name])}' is missing; expected "
            f"{_kind(schema.get('properties', {}).get(name, {}))}. Add it to that file."
            for name in missing
        )
    if problem.validator == "anyOf" and problem.context:
        # The choice that got furthest into the value says best what is wrong with it.
        deepest = max(problem.context, key=lambda p: (len(p.path), p.validator != "type"))
        if deepest.validator != "type" or deepest.path:
            return _explain(deepest, where)
        asked = " or ".join(_kind(choice) for choice in asked)
    if problem.validator == "pattern" and "propertyNames" in problem.absolute_schema_path:
        full = ".".join([*path, str(problem.instance)])
        return f"{where}: key '{full}' must match {asked}. Correct its name in that file."
    expected = {
        "type": f"expected {_kind(schema if problem.validator == 'type' else {})}",
        "enum": f"expected one of {asked}",
        "const": f"expected {asked!r}",
        "minimum": f"must be at least {asked}",
        "maximum": f"must be at most {asked}",
        "exclusiveMinimum": f"must be greater than {asked}",
        "exclusiveMaximum": f"must be less than {asked}",
        "minItems": f"needs at least {asked} entries",
        "maxItems": f"expected at most {asked} entries",
        "minProperties": f"needs at least {asked} entries",
        "minLength": f"needs at least {asked} characters",
        "uniqueItems": "must not repeat an entry",
        "pattern": f"must match {asked}",
        "anyOf": f"expected {asked}",
    }.get(str(problem.validator), f"expected otherwise ({problem.message})")
    hint = _nearest(problem.instance, asked) if problem.validator == "enum" else ""
    return (
        f"{where}: '{key or '(top level)'}' is {_shown(problem.instance)}; {expected}.{hint} "
        "Correct it in that file."
    )


def _unknown_keys(given: set, known: Mapping[str, Any], path: list[str], where: str) -> str:
    allowed = sorted(known)
    hints = []
    for name in sorted(str(name) for name in given - set(allowed)):
        close = difflib.get_close_matches(name, allowed, n=1)
        hint = f"did you mean '{close[0]}'?" if close else f"known keys: {', '.join(allowed)}."
        full = ".".join([*path, name])
        hints.append(f"{where}: key '{full}' is not known; {hint} Correct or remove it.")
    return "\n".join(hints)


def _nearest(value: Any, choices: list) -> str:
    texts = [choice for choice in choices if isinstance(choice, str)]
    close = difflib.get_close_matches(value, texts, n=1) if isinstance(value, str) else []
    return f" Did you mean '{close[0]}'?" if close else ""


def _kind(schema: Mapping[str, Any]) -> str:
    """What a schema asks for, in words."""
    if "enum" in schema:
        return f"one of {schema['enum']}"
    names = {
        "array": "a list",
        "object": "a mapping of keys to values",
        "string": "text",
        "number": "a number",
        "integer": "a whole number",
        "boolean": "true or false",
        "null": "null",
    }
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    # What a reference leads to has a name that says it.
    named = str(schema.get("$ref", "")).rpartition("/")[2]
    return " or ".join(names.get(name, str(name)) for name in types) or named or "a value"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
