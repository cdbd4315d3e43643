"""Reads the floors of a task into one sentence: what does not decide it, and what does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from whyspiking.talks.ground.protocol import protocol


def sentence(task: str, found: Mapping[str, float]) -> str:
    """What floors say of a task.

    A floor is at chance within the protocol's margin, and decides the task if it comes nearly as
    far as the reference, which is told the whole trial at once; else it tells a part.

    Args:
        task: One of the protocol's.
        found: Floor -> its accuracy, the reference among them.
    """
    said, chance = protocol(), protocol().tasks[task].chance
    best: dict[str, float] = {}
    for name, floor in said.floors.items():
        if name != said.reference:
            best[floor.reads] = max(best.get(floor.reads, 0.0), found[name])
    enough = chance + said.decides["value"] * (found[said.reference] - chance)
    nothing = [reads for reads, share in best.items() if share <= chance + said.margin["value"]]
    told = [
        (f"{reads} ({100 * share:.0f} %)", share >= enough)
        for reads, share in best.items()
        if reads not in nothing
    ]
    parts = [
        f"{_listed(readers)} {verb}"
        for readers, verb in (
            (nothing, "at chance"),
            ([text for text, all_of_it in told if not all_of_it], "above chance"),
            (
                [text for text, all_of_it in told if all_of_it],
                "as good as the reference, which is told the whole trial at once",
            ),
        )
        if readers
    ]
    return f"{'; '.join(parts)} ({100 * found[said.reference]:.0f} %)."


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
