"""The protocol of key claims: in step with claims and config, and large enough for its verdicts."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from made.checkouts import ROOT
from scipy import stats

from whyspiking.declared import claims_file, registry
from whyspiking.declared.config import at_scale
from whyspiking.verdicts import judge
from whyspiking.verdicts.rule import Criterion
from whyspiking.verdicts.sample import Sample

PROTOCOL = Path(judge.__file__).with_name("protocol.yaml")
ENTRIES = {entry["claim"]: entry for entry in yaml.safe_load(PROTOCOL.read_text(encoding="utf-8"))}


@pytest.fixture(scope="module")
def talks():
    return [registry.load_talk(name) for name in registry.available()]


@pytest.fixture(scope="module")
def keys(talks):
    claims = [c for t in talks if t.counted for c in claims_file.load(t.folder / "claims.yaml", t)]
    return {claim.id: claim for claim in claims if claim.claim_role == "key"}


def test_every_key_claim_has_its_band_and_seeds_there(keys, talks):
    assert set(ENTRIES) == set(keys)
    by_name = {talk.name: talk for talk in talks}
    at_full = at_scale("full", ROOT / "config")
    for name, claim in keys.items():
        entry, band = ENTRIES[name], claim.band("full")
        for told, edge in zip(entry["criterion"], (band.low, band.high), strict=True):
            assert told == edge or (told is None and abs(edge) in (np.inf, 0.0, 1.0)), name
        experiment = by_name[claim.talk].experiments[claim.rows["experiment"]]
        recorded, planned = registry.seeds(experiment, at_full, claim.rows["variant"]), fixed(entry)
        assert recorded == planned or (
            claim.planned_networks == len(planned) and {*recorded} < {*planned}
        ), name


def fixed(entry):
    return list(range(entry["seeds"]["first"], entry["seeds"]["last"] + 1))


@pytest.mark.parametrize("name", sorted(ENTRIES))
def test_its_verdict_returns_as_often_as_it_says(name, keys):
    """Drawn from what was known, in at least 95 of 100 repetitions, or the entry says why not."""
    entry, claim = ENTRIES[name], keys[name]
    if entry["known_result"] is None:
        assert "reproducibility" not in entry
        return
    n = len(fixed(entry))
    mean, spread = entry["known_result"]["mean"], entry["known_result"].get("standard_deviation")
    even = stats.norm.ppf((np.arange(n) + 0.5) / n)
    values = mean + (spread or 0) * (even - even.mean()) / even.std(ddof=1)
    if claim.test_type == "share":
        values = (np.arange(n) < round(mean * n)).astype(float)
    share = claim.metric in judge.PROPORTIONS
    transform = "log" if claim.test_type == "ratio" else "logit" if share else "none"
    known = Sample(values, np.full(n, 1000.0 * claim.scored_per_trial), transform)
    if claim.published_error:
        known = judge.with_published_error(known, claim.source)
    chance = known.returns(Criterion(claim.test_type, claim.band("full"), claim.null))
    assert chance == pytest.approx(entry["reproducibility"], abs=0.03)
    assert chance >= 0.95 or entry["why_below_95_percent"]
