"""The key claim of a talk, and the network of it that comes with the record.

`recording` puts it there, one of every key claim, in the project's own format (network.npz,
network.json):

    results/reference/key_networks/<talk>/<experiment>/<variant>/seed-<n>

`make report FROM=reference` simulates them again (`stages.beside`).
"""

from __future__ import annotations

from pathlib import Path

from whyspiking.declared import claims_file
from whyspiking.declared.claims_file import Claim
from whyspiking.declared.registry import Talk
from whyspiking.records import reference

FOLDER = reference.FOLDER / "key_networks"


def of(talk: Talk) -> Claim:
    """The key claim of a talk."""
    return next(
        claim
        for claim in claims_file.load(talk.folder / "claims.yaml", talk)
        if claim.claim_role == "key"
    )


def network(claim: Claim, run: Path = FOLDER) -> Path | None:
    """Folder of the trained network of a claim with the lowest seed; None where there is none.

    Args:
        claim: The claim.
        run: `results/<scale>`, or what of it comes with the record.
    """
    place = Path(claim.talk, claim.rows["experiment"], claim.rows["variant"])
    found = [path.parent for path in run.glob(f"{place}/seed-*/network.npz")]
    return min(found, key=lambda path: int(path.name.removeprefix("seed-")), default=None)
