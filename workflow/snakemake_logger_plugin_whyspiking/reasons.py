"""Why finished jobs run again: the keys and files that changed, out of what Snakemake says."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from snakemake_logger_plugin_whyspiking import words
from snakemake_logger_plugin_whyspiking.estimate import Job

# What Snakemake says of changed parameters: those of the job before and now, as Python spells them.
ALL_PARAMS = re.compile(
    r"Union of exclusive params .*?: before: (.*?) now: (.*?) ?(?=; Software environment|$)"
)
NOTHING = "<nothing exclusive>"
# In a plan of training or measuring everything else stands beside these.
PREFIX = "params.values."
GONE = object()
# More changes than this are counted, in a run and in a job.
MOST_NAMED = 4


def causes(jobs: Iterable[tuple[Job, Any]]) -> list[str]:
    """What changed since finished jobs ended, a line each, and how many run again for it.

    Args:
        jobs: Every job that is to run, with Snakemake's reason.
    """
    counted: Counter[str] = Counter()
    for job, reason in jobs:
        place = " ".join(value for _, value in job.wildcards[:2]) or job.rule
        if reason.params_changed:
            counted[f"{place}: {named(str(reason.params_changed))}"] += 1
        newer = sorted(map(str, reason.updated_input - reason.updated_input_run))
        if newer:
            counted[f"newer than the results: {_some(newer)}"] += 1
    told = [f"{what}, so {words.jobs(n)} run again" for what, n in counted.most_common()]
    more = len(told) - MOST_NAMED
    return [*told[:MOST_NAMED], *([f"and {more} changes more"] if more > 0 else ())]


def named(reason: str) -> str:
    """A reason of Snakemake with the keys that changed in place of all parameters."""
    return ALL_PARAMS.sub(lambda found: _changes(found[1], found[2]), " ".join(reason.split()))


def _changes(before: str, now: str) -> str:
    """The keys of which the value is another, with both: `learning_rate 0.005 -> 0.01`."""
    try:
        old, new = (
            dict(leaf for value in ast.literal_eval(f"[{text}]") for leaf in _leaves(value))
            for text in (before.replace(NOTHING, ""), now.replace(NOTHING, ""))
        )
    except (SyntaxError, ValueError):
        return "parameters of the job"
    keys = [key for key in {**old, **new} if old.get(key, GONE) != new.get(key, GONE)]
    shown = [
        f"{key.removeprefix(PREFIX)} {_spelt(old, key)} -> {_spelt(new, key)}".strip()
        for key in keys
    ]
    return _some(shown) or "order of parameters"


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Everything in nested mappings, with the keys that lead to it."""
    if isinstance(value, dict) and value:
        for key, part in value.items():
            yield from _leaves(part, f"{path}.{key}".lstrip("."))
    else:
        yield path, value


def _spelt(values: dict[str, Any], key: str) -> str:
    if key not in values:
        return "not told"
    text = repr(values[key]).replace(", ", ",")  # what Snakemake lists is parted by ", "
    return text if len(text) <= 40 else f"{text[:39]}…"


def _some(names: list[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
