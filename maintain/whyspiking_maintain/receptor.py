"""Measures the recorded trains that biology.yaml states, by the functions that measure ours.

    python -m whyspiking_maintain.receptor [FOLDER OR WHEEL]

prints their values as they stand in `verdicts/biology.yaml`; without an argument the files are
those of an installed nitime.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from whyspiking.contract.spikes import Spikes
from whyspiking.errors import UserError
from whyspiking.measures.activity import activity
from whyspiking.measures.population import population
from whyspiking.verdicts.biology import stated
from whyspiking_maintain import receptor_trains as receptor


def measured(trains: Sequence[Spikes]) -> dict[str, list[float]]:
    """Every metric of one neuron that is defined for all trains -> its values, by glossary name."""
    by_metric: dict[str, list[float]] = {}
    for spikes in trains:
        own = activity(spikes)
        # What the table of metrics calls `rate` is over hidden neurons, here one.
        own["rate"] = own.pop("rate_hz")
        del own["active_share"]
        own |= population(spikes, np.random.default_rng(0))
        for name, value in own.items():
            by_metric.setdefault(name, []).append(float(value))
    return {name: values for name, values in by_metric.items() if np.isfinite(values).all()}


def main(arguments: Sequence[str]) -> int:
    """Print the values of all recorded trains; 0, or 1 where the files are not there."""
    (entry,) = stated().recorded
    place = Path(arguments[0]) if arguments else receptor.find()
    try:
        if place is None:
            raise UserError(f"no recorded trains: nitime is not installed; {receptor.REMEDY}")
        trains = receptor.trains(place, entry.files, entry.duration_ms)
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"spikes: {[len(spikes) for spikes in trains]}")
    for name, values in measured(trains).items():
        print(f"{name}: [{', '.join(f'{value:.5g}' for value in values)}]")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
