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
MOST_NAMED, MOST_LETTERS = 4, 160


def causes(jobs: Iterable[tuple[Job, Any]]) -> list[str]:
    """What changed since finished jobs ended, a line each, and how many run again for it.

    Args:
        jobs: Every job that is to run, with Snakemake's reason.
    """
    counted: Counter[str] = Counter()
    for job, reason in jobs:
        if reason.params_changed:
            place = " ".join(value for _, value in job.wildcards[:2]) or job.rule
            changes = named(str(reason.params_changed))
            # Changed code is the same for many experiments, a changed parameter is not.
            is_code = changes.startswith(CHANGED_CODE)
            counted[changes if is_code else f"{place}: {changes}"] += 1
        if newer := sorted(map(str, reason.updated_input - reason.updated_input_run)):
            counted[f"newer than the results: {', '.join(newer)}"] += 1
    told = [
        f"{what if len(what) <= MOST_LETTERS else what[:MOST_LETTERS] + ' …'}, so "
        f"{words.jobs(n)} run again"
        for what, n in counted.most_common()
    ]
    more = len(told) - MOST_NAMED
    return [*told[:MOST_NAMED], *[f"{more} more changes"][: max(more, 0)]]


def named(reason: str) -> str:
    """A reason of Snakemake with the keys that changed in place of all parameters."""
    return ALL_PARAMS.sub(lambda found: _changes(found[1], found[2]), " ".join(reason.split()))


def _changes(*told: str) -> str:
    """The keys of which the value is another, before and now: `learning_rate 0.005 -> 0.01`."""
    try:
        old, new = (
            # What Snakemake lists is parted by ", ".
            {k: repr(v).replace(", ", ",") for value in values for k, v in _leaves(value)}
            for values in (ast.literal_eval(f"[{text.replace(NOTHING, '')}]") for text in told)
        )
    except (SyntaxError, ValueError):
        return "parameters of the job"
    differing = {
        key: (old.get(key, "not set"), new.get(key, "not set"))
        for key in {**old, **new}
        if old.get(key) != new.get(key)
    }
    if all(DIGEST.fullmatch(value) for values in differing.values() for value in values):
        return CHANGED_CODE + ", ".join(sorted(differing))
    return ", ".join(
        f"{key.removeprefix(PREFIX)} {before} -> {now}"
        for key, (before, now) in differing.items()
        if not (DIGEST.fullmatch(before) and DIGEST.fullmatch(now))
    )


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Everything in nested mappings, with the keys that lead to it."""
    if not isinstance(value, dict) or not value:
        yield path, value
    else:
        for key, part in value.items():
            yield from _leaves(part, f"{path}.{key}".lstrip("."))
