"""Parameters of an experiment as published, and what scales change of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, NotRequired, TypedDict

from pydantic import AfterValidator, Field

from whyspiking.declared.strict_yaml import Name, closed, refuse

ONE_NUMBER = ("tau_", "theta", "v_", "dt")
"""Names of parameters that are one number each begin so, unless they end in an s of the plural."""
LARGEST_SIZE = 10_000_000
"""Of a layer, a data set or a training: more fits no memory."""
# fmt: off
Unit = Literal[
    "ms", "s", "1/s", "1/s2", "1/ms", "Hz", "steps", "frames", "ticks", "time unit",
    "per time unit", "tau", "tau_s", "V", "mV", "mV s", "mV s2", "mV ms", "A", "nA", "pA", "pA ms",
    "F", "pF", "S", "nS", "nS/mV", "pJ", "px", "rad", "deg", "bit", "sd", "layers", "channels",
    "bands", "images", "digits", "samples", "trials", "spikes/step",
]
# fmt: on


@closed
class Parameter(TypedDict):
    """A parameter as published, and where.

    Attributes:
        value: A number, a text or a list.
        unit: Of the value; none where it is a count or a share.
        source: Where it stands: figure, table, file of the code; or `ours`, with the reason.
        permitted: The values that the code knows; a parameter whose value is a text has them.
        range: The smallest and the largest value that make sense, if not all numbers do: [0, 1] of
            a probability or a fraction.
    """

    value: Any
    unit: NotRequired[Unit]
    source: Annotated[str, Field(min_length=3)]
    permitted: NotRequired[Annotated[list[Any], Field(min_length=1)]]
    range: NotRequired[Annotated[tuple[float, float], Field(strict=False)]]


@closed
class Change(TypedDict):
    """What a smaller scale changes, and why.

    Attributes:
        value: In place of the published one.
        reason: Why.
    """

    value: Any
    reason: Annotated[str, Field(min_length=5)]


def check_numbers(entries: dict[str, Any]) -> dict[str, Any]:
    """Time constants, durations and sizes are positive, sizes whole; the rest is as declared."""
    for name, entry in entries.items():
        whole = name.startswith(("n_", "batch", "epochs"))
        positive = whole or name.startswith(("tau_", "dt")) or name.endswith("_ms")
        unit = f" {entry['unit']}" if "unit" in entry else ""
        listed = isinstance(entry["value"], list)
        one = name.startswith(ONE_NUMBER)
        plural = name.removesuffix("_ms").endswith("s")
        refuse(
            (
                listed and one and not plural,
                name,
                f"is the list {entry['value']}; expected one number. Correct it there.",
            ),
            (
                name.endswith("_ms") and entry.get("unit", "ms") != "ms",
                name,
                f"has the unit{unit}; expected ms, because its name ends in _ms. Correct one "
                "of them.",
            ),
        )
        for value in entry["value"] if listed else [entry["value"]]:
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            fits = isinstance(value, int) if whole else is_number or not one
            refuse(
                (
                    isinstance(value, str) and _is_number(value),
                    name,
                    f"is the text '{value}'; expected a number. Write it without quotes, and an "
                    "exponent with a dot before it: 1.0e-3.",
                ),
                (
                    any(isinstance(x, float) and not math.isfinite(x) for x in _list_parts(value)),
                    name,
                    f"is {value}; expected a finite number. Correct it in that file.",
                ),
                (
                    value is None or not fits or (whole and not is_number),
                    name,
                    f"is {value!r}; it must be a "
                    f"{'positive ' if positive else ''}{'whole ' if whole else ''}number. Correct "
                    "it there.",
                ),
                (
                    positive and isinstance(value, int | float) and value <= 0,
                    name,
                    f"is {value}{unit}; it must be positive. Correct it there.",
                ),
                (
                    whole and isinstance(value, int) and value > LARGEST_SIZE,
                    name,
                    f"is {value}; expected at most {LARGEST_SIZE}. Correct it there.",
                ),
            )
        check_permitted(name, entry["value"], entry)
    return entries


def check_permitted(name: str, value: Any, declared: Mapping[str, Any]) -> None:
    """Check that a value is one of the permitted ones, or that its numbers lie in the range.

    Args:
        name: The parameter, for the message.
        value: The value of the parameter, or one in place of it.
        declared: The parameter as declared; a change by a scale declares neither.

    Raises:
        Wrong: If it is not.
    """
    permitted = declared.get("permitted")
    low, high = declared.get("range", (-math.inf, math.inf))
    numbers = [x for x in _list_parts(value) if isinstance(x, int | float)]
    refuse(
        (
            permitted is not None and value not in permitted,
            name,
            f"is {value!r}; expected one of {', '.join(map(str, permitted or ()))}. Correct it "
            "there.",
        ),
        (
            not all(low <= number <= high for number in numbers),
            name,
            f"is {value}; expected {'numbers' if isinstance(value, list) else 'a number'} from "
            f"{low:g} to {high:g}. Correct it there.",
        ),
    )


def _list_parts(value: Any) -> Iterator[Any]:
    """The values in nested lists and mappings; a single value itself."""
    if not isinstance(value, list | dict):
        yield value
        return
    for part in value.values() if isinstance(value, dict) else value:
        yield from _list_parts(part)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


Parameters = Annotated[dict[Name, Parameter], AfterValidator(check_numbers)]
Changes = Annotated[dict[str, Change], AfterValidator(check_numbers)]


@closed
class Scaled(TypedDict, total=False):
    """What scales change of what was published, which scale paper has; default is as full.

    Attributes:
        full: At scales full and default.
        smoke: At scale smoke.
    """

    full: Changes
    smoke: Changes
