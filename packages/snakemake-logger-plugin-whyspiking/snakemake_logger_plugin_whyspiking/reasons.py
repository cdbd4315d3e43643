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
CHANGED_CODE = "changed code: "
NOTHING = "<nothing exclusive>"
# Digest of a source file, among the parameters of a job.
DIGEST = re.compile(r"(not set|'[0-9a-f]{32}')")
# In a plan of training or measuring everything else stands beside these.
PREFIX = "params.values."
MAX_NAMED, MAX_LETTERS = 4, 160


def causes(jobs: Iterable[tuple[Job, Any]]) -> list[str]:
    """What changed since finished jobs ended, a line each, and how many run again for it.

    Args:
        jobs: Every job that is to run, with Snakemake's reason.
    """
    counted: Counter[str] = Counter()
    for job, reason in jobs:
        if reason.params_changed:
            label = " ".join(value for _, value in job.wildcards[:2]) or job.rule
            changes = named(str(reason.params_changed))
            # Changed code is the same for many experiments, a changed parameter is not.
            is_code = changes.startswith(CHANGED_CODE)
            counted[changes if is_code else f"{label}: {changes}"] += 1
        if newer := sorted(map(str, reason.updated_input - reason.updated_input_run)):
            counted[f"newer than the results: {', '.join(newer)}"] += 1
    lines = [
        f"{cause if len(cause) <= MAX_LETTERS else cause[:MAX_LETTERS] + ' …'}, so "
        f"{words.jobs(n)} run again"
        for cause, n in counted.most_common()
    ]
    n_more = len(lines) - MAX_NAMED
    return [*lines[:MAX_NAMED], *[f"{n_more} more changes"][: max(n_more, 0)]]


def named(reason: str) -> str:
    """A reason of Snakemake with the keys that changed in place of all parameters."""
    return ALL_PARAMS.sub(
        lambda match: _compare_parameters(match[1], match[2]), " ".join(reason.split())
    )


def _compare_parameters(*parameter_texts: str) -> str:
    """The keys of which the value is another, before and now: `learning_rate 0.005 -> 0.01`."""
    try:
        old_values, new_values = (
            # What Snakemake lists is parted by ", ".
            {k: repr(v).replace(", ", ",") for value in values for k, v in _list_leaves(value)}
            for values in (
                ast.literal_eval(f"[{text.replace(NOTHING, '')}]") for text in parameter_texts
            )
        )
    except (SyntaxError, ValueError):
        return "parameters of the job"
    differing = {
        key: (old_values.get(key, "not set"), new_values.get(key, "not set"))
        for key in {**old_values, **new_values}
        if old_values.get(key) != new_values.get(key)
    }
    if all(DIGEST.fullmatch(value) for values in differing.values() for value in values):
        return CHANGED_CODE + ", ".join(sorted(differing))
    return ", ".join(
        f"{key.removeprefix(PREFIX)} {old_value} -> {new_value}"
        for key, (old_value, new_value) in differing.items()
        if not (DIGEST.fullmatch(old_value) and DIGEST.fullmatch(new_value))
    )


def _list_leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Everything in nested mappings, with the keys that lead to it."""
    if not isinstance(value, dict) or not value:
        yield path, value
    else:
        for key, child in value.items():
            yield from _list_leaves(child, f"{path}.{key}".lstrip("."))
