"""Read YAML files strictly, and check them by models with messages that name key, value, remedy."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    with_config,
)
from pydantic.json_schema import GenerateJsonSchema, SkipJsonSchema

from whyspiking.declared.renamed_keys import new_name
from whyspiking.errors import UserError

# The C parser, ten times faster, where PyYAML has it; both are the safe ones.
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
LARGEST_BYTES = 1_000_000
LARGEST_NODES = 100_000
"""Of one file, aliases written out: a few lines of them can stand for billions of values."""
LARGEST_NUMBER = 1e15
"""Beyond it is nothing that is counted or measured here."""
BREAKS = str.maketrans("", "", "\t\n")
ODD_NUMBER = re.compile(r".*[:_].*|[-+]?0[\dbx].*")
"""What YAML 1.1 reads in other bases than 10, 1:30 as 90, or with gaps."""


def read_yaml(path: Path) -> Any:
    """Read a YAML file.

    Raises:
        UserError: If the file is missing, is no text in UTF-8, is not YAML, is too large, or gives
            a key twice.
    """
    try:
        if path.exists() and not path.is_file():
            raise UserError(f"{path}: this is not a file; expected a text file. Name another one")
        raw = path.read_bytes()
        if len(raw) > LARGEST_BYTES:
            raise UserError(
                f"{path}: the file has {len(raw)} bytes; expected at most {LARGEST_BYTES}. "
                "Name another file"
            )
        text = raw.decode("utf-8")
    except FileNotFoundError:
        raise UserError(
            f"{path}: no such file exists; expected a text file. Restore it, or correct the path"
        ) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise UserError(
            f"{path}: line {line} holds the byte 0x{error.object[error.start]:02x}, which is not "
            "UTF-8; expected a text file in UTF-8; save it in that encoding"
        ) from None
    except OSError as error:
        raise UserError(
            f"{path}: the file cannot be read ({error.strerror}); expected a readable text file. "
            "Correct it, or name another one"
        ) from None
    return read_text(text, path)


def read_text(text: str, path: Path | str) -> Any:
    """Read YAML of a file, or of the command line.

    Args:
        text: It.
        path: What messages call it.

    Raises:
        UserError: As `read_yaml`.
    """
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
            f"{path}: the file is not valid YAML ({' '.join(str(error).split())}); expected keys "
            "and values as in config/config.yaml. Correct this place"
        ) from None
    finally:
        loader.dispose()


def _check_nodes(node: yaml.Node, path: Path | str) -> None:
    """Refuse what YAML would silently read in its own way: double or empty keys, odd numbers."""
    sizes: dict[int, int] = {}

    def size(node: yaml.Node) -> int:
        if id(node) in sizes:
            return sizes[id(node)]
        sizes[id(node)] = LARGEST_NODES  # an alias of itself
        parts: list[yaml.Node] = []
        kind = node.tag.rpartition(":")[2]
        if kind in ("int", "float") and ODD_NUMBER.fullmatch(node.value):
            raise UserError(
                f"{path}: line {node.start_mark.line + 1} holds {node.value}, which YAML reads as "
                "another number; expected a number in decimal digits. Write it in decimal "
                "digits, or in quotes if it is a text"
            )
        if isinstance(node, yaml.MappingNode):
            first: dict[str, int] = {}
            for key, value in node.value:
                line = key.start_mark.line + 1
                if key.tag == "tag:yaml.org,2002:null":
                    raise UserError(
                        f"{path}: the key in line {line} is empty or ~; expected a name. Add one, "
                        "or write it in quotes"
                    )
                if isinstance(key, yaml.ScalarNode):
                    if key.value in first:
                        raise UserError(
                            f"{path}: key '{key.value}' stands in line {first[key.value]} and "
                            f"again in line {line}; expected it once. Remove one of the two"
                        )
                    first[key.value] = line
                parts += [key, value]
        elif isinstance(node, yaml.SequenceNode):
            parts = list(node.value)
        total = 1 + sum(size(part) for part in parts)
        if total > LARGEST_NODES:
            what = "it holds" if len(sizes) > LARGEST_NODES else "its aliases stand for"
            raise UserError(
                f"{path}: {what} more than {LARGEST_NODES} values; expected at most this number. "
                "Remove some values or aliases"
            )
        sizes[id(node)] = total
        return total

    size(node)


RENAMED = "is now called"
T = TypeVar("T")
CLOSED = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True)
"""No other keys, and no value of another type: 7.0 would become "seed-7.0" in names of files."""
closed = with_config(CLOSED)
"""The same for a mapping with fixed keys that stays a mapping (TypedDict)."""


class Block(BaseModel):
    """A block of a YAML file: its keys, their types and their limits."""

    model_config = CLOSED


class Wrong(ValueError):
    """What is wrong with a key; a plain ValueError says it without one.

    Args:
        key: From the place of the validator on; empty: that place itself.
        says: What follows the key in the message: value, expectation, remedy; "{value}" and
            "{kind}" stand for what the file holds and what its model asks for.
    """

    def __init__(self, key: str, says: str) -> None:
        super().__init__(says)
        self.key = key


def refuse(*problems: tuple[Any, str, str]) -> None:
    """Raise the first problem that there is.

    Args:
        problems: Each whether there is it, the key, and what is said of the key, as in `Wrong`.
    """
    for there, key, says in problems:
        if there:
            raise Wrong(key, says)


def _given(value: Any) -> Any:
    refuse((value is None, "", "is {value}; expected {kind}. Correct it in that file."))
    return value


def _unique(entries: tuple[Any, ...]) -> tuple[Any, ...]:
    repeats = any(entry in entries[:index] for index, entry in enumerate(entries))
    refuse((repeats, "", "is {value}; entries must not be repeated. Correct it in that file."))
    return entries


def _filled(entries: dict[str, Any]) -> dict[str, Any]:
    refuse((not entries, "", "is {value}; expected at least 1 entries. Correct it in that file."))
    return entries


MayLack = Annotated[T | SkipJsonSchema[None], BeforeValidator(_given)]
"""What may be left out, but not null."""
Listed = Annotated[tuple[T, ...], Field(strict=False)]
Some = Annotated[tuple[T, ...], Field(strict=False, min_length=1)]
"""A list of at least one entry."""
Unique = Annotated[T, AfterValidator(_unique), Field(json_schema_extra={"uniqueItems": True})]
Filled = Annotated[T, AfterValidator(_filled), Field(json_schema_extra={"minProperties": 1})]
"""At least one of the keys that a mapping may have."""
Name = Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")]


def parsed[K](kind: type[K] | TypeAdapter[K], data: Any, where: str) -> K:
    """What a file holds, as a model.

    Args:
        kind: The model.
        data: What the YAML file holds.
        where: Name of the file for messages.

    Raises:
        UserError: One line per problem: key, value, what was expected, where to mend it.
    """
    _check_values(data, "", where)
    adapter = kind if isinstance(kind, TypeAdapter) else TypeAdapter(kind)
    try:
        return adapter.validate_python(data)
    except ValidationError as error:
        root = adapter.json_schema(schema_generator=SchemaOfFile)
        problems = [dict(problem) for problem in error.errors() if not _follows(dict(problem))]
        lines = {_explain(problem, data, root, where) for problem in problems}
        # A renamed key is also missing under its new name; one message is enough.
        renamed = {line for line in lines if RENAMED in line}
        raise UserError("\n".join(sorted(renamed or lines)[:10])) from None


def _check_values(data: Any, key: str, where: str) -> None:
    """Refuse what no reader sees and no model asks for: hidden characters, boundless numbers."""
    if isinstance(data, Mapping | list):
        for name, value in data.items() if isinstance(data, Mapping) else enumerate(data):
            _check_values(name, key, where)
            _check_values(value, f"{key}.{name}".strip("."), where)
    elif isinstance(data, str) and not (line := data.translate(BREAKS)).isprintable():
        hidden = next(c for c in line if not c.isprintable())
        raise UserError(
            f"{where}: '{key}' is {_shown(data)}, which has the hidden character "
            f"U+{ord(hidden):04X}; expected visible characters only. Remove it in that file."
        )
    elif isinstance(data, int | float) and LARGEST_NUMBER < abs(data) < float("inf"):
        raise UserError(
            f"{where}: '{key}' is {_shown(data)}; expected a number between -{LARGEST_NUMBER:g} "
            f"and {LARGEST_NUMBER:g}. Correct it in that file."
        )


class SchemaOfFile(GenerateJsonSchema):
    """JSON schema of a file, from which messages say what is expected."""

    def dict_schema(self, schema: Any) -> dict[str, Any]:
        """All keys must match; patterns of properties would let others pass."""
        made = super().dict_schema(schema)
        for pattern, values in made.pop("patternProperties", {}).items():
            made |= {"propertyNames": {"pattern": pattern}, "additionalProperties": values}
        return made

    def default_schema(self, schema: Any) -> dict[str, Any]:
        """What is left out says nothing."""
        return self.generate_inner(schema["schema"])

    def field_title_should_be_set(self, schema: Any) -> bool:
        """A key says its name itself."""
        return False


def nearest(name: Any, known: Iterable[str], otherwise: str = "") -> str:
    """A question after the known name that is meant, or what to say where none is near."""
    close = difflib.get_close_matches(name, list(known), n=1) if isinstance(name, str) else []
    return f"did you mean '{close[0]}'?" if close else otherwise


def _follows(problem: dict[str, Any]) -> bool:
    """Whether it only says that something else is wrong: with an entry, or with what may lack."""
    short = problem["type"] == "too_short"
    return problem["type"] == "none_required" or (
        short and len(problem["input"]) >= problem["ctx"]["min_length"]
    )


def _explain(problem: dict[str, Any], data: Any, root: dict[str, Any], where: str) -> str:
    kind, context = problem["type"], problem.get("ctx", {})
    path, above, schema = [], {}, root
    last = len(problem["loc"]) - 1
    for number, part in enumerate(problem["loc"]):
        held = isinstance(data, Mapping) and part in data
        if held or (isinstance(data, list) and isinstance(part, int)):
            data = data[part]
        elif kind != "missing" or number < last:  # no key, but which of several choices was tried
            continue
        path.append(str(part))
        above, schema = schema, _inside(schema, part, root)
    key = ".".join(path)
    if kind == "missing":
        return f"{where}: '{key}' is missing; expected {_kind(schema, root)}. Add it to that file."
    if kind == "value_error":
        wrong = context["error"]
        if not isinstance(wrong, Wrong):
            return f"{where}: {wrong}"
        says = str(wrong).replace("{value}", _shown(data)).replace("{kind}", _kind(schema, root))
        return f"{where}: '{'.'.join([*path, wrong.key]).strip('.')}' {says}"
    if kind in ("extra_forbidden", "invalid_key"):
        known = sorted({name for c in _choices(above, root) for name in c.get("properties", {})})
        hint = nearest(path[-1], known, f"known keys: {', '.join(known)}.")
        if renamed := new_name(where, path[-1], known):
            hint = f"'{path[-1]}' {RENAMED} '{renamed}'."
        return f"{where}: key '{key}' is not known; {hint} Correct or remove it."
    if problem["loc"][-1:] == ("[key]",):
        asked = context.get("pattern", "text")
        return f"{where}: key '{key}' must match {asked}. Correct its name in that file."
    expected = {
        "greater_than_equal": "must be at least {ge}",
        "less_than_equal": "must be at most {le}",
        "greater_than": "must be greater than {gt}",
        "less_than": "must be less than {lt}",
        "finite_number": "expected a finite number",
        "too_short": "expected at least {min_length} entries",
        "too_long": "expected at most {max_length} entries",
        "string_too_short": "expected at least {min_length} characters",
        "string_pattern_mismatch": "must match {pattern}",
    }.get(kind, "expected {kind}")
    limits = {
        key: int(n) if isinstance(n, float) and n % 1 == 0 else n for key, n in context.items()
    }
    expected = expected.format(**limits, kind=_kind(schema, root))
    names = [name for choice in _choices(schema, root) for name in choice.get("enum", ())]
    hint = nearest(data, (name for name in names if isinstance(name, str)))
    return (
        f"{where}: '{key or '(top level)'}' is {_shown(data)}; {expected}."
        f"{hint and f' {hint[0].upper() + hint[1:]}'} Correct it in that file."
    )


def _choices(schema: dict[str, Any], root: dict[str, Any]) -> list[dict[str, Any]]:
    """A schema, or those of which a value may fulfil any; references resolved."""
    while "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    choices = schema.get("anyOf", schema.get("oneOf"))
    if choices is None:
        return [schema]
    return [found for choice in choices for found in _choices(choice, root)]


def _inside(schema: dict[str, Any], part: str | int, root: dict[str, Any]) -> dict[str, Any]:
    """What a schema says of a part of a value."""
    for choice in _choices(schema, root):
        others = choice.get("items" if isinstance(part, int) else "additionalProperties")
        found = choice.get("properties", {}).get(part, others)
        if isinstance(found, dict):
            return found
    return {}


def _kind(schema: dict[str, Any], root: dict[str, Any]) -> str:
    """What a schema asks for, in words."""
    names = {
        "array": "a list",
        "object": "a mapping of keys to values",
        "string": "text",
        "number": "a number",
        "integer": "a whole number",
        "boolean": "true or false",
        "null": "null",
    }
    words = [
        f"one of {choice['enum']}"
        if "enum" in choice
        else repr(choice["const"])
        if "const" in choice
        else names.get(choice.get("type", ""), "a value")
        for choice in _choices(schema, root)
    ]
    return " or ".join(dict.fromkeys(words))


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
