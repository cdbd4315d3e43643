"""Contrasts between the networks of made-up talks, as the stage `collect` asks for them."""

from whyspiking.verdicts import contrasts
from whyspiking.verdicts.described import described


def crossed(table, talk, energy_config):
    """Rows of `cross_rows`."""
    metrics = described(table, {talk.name: talk})
    return contrasts.cross_rows(metrics, talk, {"energy": energy_config}).to_dict("records")
