"""Controls get what the networks get that claims hold against them: passes, samples, settings.

A claim that compares with less says so in its words.
"""

import math
import re

import pytest

from whyspiking.declared import registry
from whyspiking.declared.claims_file import load
from whyspiking.declared.shared_tasks import settings

EFFORT = ("epochs", "n_train", "updates", "iterations", "presentations")
"""Parameters that say how long or on how much a network is trained."""
TOLD = re.compile(r"\b(epochs?|presentations|samples|iterations|settings)\b")


def effort(experiment, variant, scale):
    """How much training one network gets, by name; tried settings among them."""
    values = {
        **experiment.published,
        **{k: c["value"] for k, c in experiment.changes(scale).items()},
    }
    values = experiment.values_of(variant, values)
    described = experiment.variants[variant]
    layers = described.layers
    found = {name: values[name] for name in EFFORT if isinstance(values.get(name), int | float)}
    if layers and layers["is"] == "relu":
        # A linear classifier is convex and converges: its passes are no handicap.
        found = {k: v for k, v in found.items() if k == "n_train"}
        found["epochs"] = values["control_epochs"] if layers["hidden"] else math.inf
    tried = experiment.tuned.get(variant)
    if tried:
        found["settings"] = len(settings(tried))
    return found


def compared(talk, claim):
    """The network of a claim and what it is held against, where both are trained here."""
    if claim.compared_with is None:
        return None
    places = [(talk.experiments[experiment], variant) for experiment, variant in claim.networks[:2]]
    if any(e.variants[v].as_is or (e.control(v) or {}).get("is") == "random" for e, v in places):
        return None
    return places


@pytest.mark.parametrize("scale", ["full", "paper"])
@pytest.mark.parametrize("name", registry.available())
def test_no_comparison_is_trained_less_than_the_network_unless_the_claim_says_so(name, scale):
    talk = registry.load_talk(name)
    short = []
    for claim in load(talk.folder / "claims.yaml", talk):
        places = compared(talk, claim)
        if places is None or claim.band(scale) is None or TOLD.search(claim.statement):
            continue
        ours, other = (effort(*place, scale) for place in places)
        less = {k: (ours[k], other[k]) for k in ours.keys() & other.keys() if other[k] < ours[k]}
        if less:
            short.append(f"{claim.id}: {less}")
    assert not short, "\n".join(short)
