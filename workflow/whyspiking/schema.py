"""Check YAML files against the closed schemas, with messages that name key, value and remedy."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from whyspiking.errors import UserError

# The C parser, ten times faster, where PyYAML has it; both are the safe ones.
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
SCHEMAS = Path(__file__).parents[1] / "schemas"


def read_yaml(path: Path) -> Any:
    """Read a YAML file.

    Raises:
        UserError: If the file is missing or not YAML.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; restore it or correct the path") from None
    except yaml.YAMLError as error:
        raise UserError(
            f"{path}: not valid YAML ({' '.join(str(error).split())}); mend it"
        ) from None


def check(data: Any, schema_name: str, where: str) -> None:
    """Check `data` against `schemas/<schema_name>.schema.yaml`.

    Args:
        data: What the YAML file holds.
        schema_name: "config", "talk" or "claims".
        where: Name of the file for messages.

    Raises:
        UserError: One line per problem: key, value, what was expected, where to mend it.
    """
    schema = read_yaml(SCHEMAS / f"{schema_name}.schema.yaml")
    validator = jsonschema.Draft202012Validator(schema)
    problems = sorted(validator.iter_errors(data), key=lambda e: [str(p) for p in e.absolute_path])
    if problems:
        raise UserError("\n".join(_explain(problem, where) for problem in problems[:10]))


def _explain(problem: jsonschema.ValidationError, where: str) -> str:
    key = ".".join(str(part) for part in problem.absolute_path) or "(top level)"
    value = repr(problem.instance)
    value = value if len(value) <= 60 else value[:57] + "..."
    if problem.validator == "additionalProperties" and isinstance(problem.instance, dict):
        schema: Any = problem.schema
        allowed = sorted(schema.get("properties", {}))
        unknown = sorted(str(name) for name in set(problem.instance) - set(allowed))
        hints = []
        for name in unknown:
            close = difflib.get_close_matches(name, allowed, n=1)
            full = name if key == "(top level)" else f"{key}.{name}"
            hint = f"did you mean '{close[0]}'?" if close else f"known keys: {', '.join(allowed)}"
            hints.append(f"{where}: key '{full}' is not known; {hint} Correct or remove it.")
        return "\n".join(hints)
    expected = {
        "type": f"expected {problem.validator_value}",
        "enum": f"expected one of {problem.validator_value}",
        "const": f"expected {problem.validator_value!r}",
        "minimum": f"must be at least {problem.validator_value}",
        "maximum": f"must be at most {problem.validator_value}",
        "exclusiveMinimum": f"must be greater than {problem.validator_value}",
        "exclusiveMaximum": f"must be less than {problem.validator_value}",
        "minItems": f"needs at least {problem.validator_value} entries",
        "uniqueItems": "must not repeat an entry",
        "required": problem.message,
        "pattern": f"must match {problem.validator_value}",
    }.get(str(problem.validator), problem.message)
    return f"{where}: '{key}' is {value}; {expected}. Mend it in that file."
