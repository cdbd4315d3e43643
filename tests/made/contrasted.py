"""Contrasts between the networks of made-up talks, as the stage `collect` asks for them."""

from whyspiking.verdicts import contrasts
from whyspiking.verdicts.described import described


def crossed(table, talk):
    """Rows of `cross_rows`."""
    metrics = described(table, {talk.name: talk})
    return contrasts.cross_rows(metrics, talk).to_dict("records")
