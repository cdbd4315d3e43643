"""Comsa: the networks that the authors released, read, refused, or not measured."""

from dataclasses import replace

import numpy as np
import pytest
from made.comsa_networks import SIZES, small
from made.project import config, params_of, silent

from whyspiking.declared import registry
from whyspiking.errors import UserError
from whyspiking.talks.comsa import model, released
from whyspiking.verdicts import judge


def written(own, arrays):
    """The text of a released file for a small network."""
    n = own.n_pulses
    head = ["pulses_per_layer", own.theta, 3, own.n_input, own.n_hidden, own.n_output, n]
    pulses = [*arrays["input_pulses"], *arrays["hidden_pulses"], *np.arange(n)]
    weights = [*arrays["w_hidden"].T.ravel(), *arrays["w_output"].T.ravel()]
    return " ".join(str(word) for word in [*head, *pulses, *weights])


def test_released_files_are_read_in_order():
    _, arrays, _, _ = small()
    own = params_of("comsa", "released", **SIZES)
    found = released.parse(written(own, arrays), own, "file")
    for name in model.NAMES:
        np.testing.assert_allclose(found[name], arrays[name])


def test_released_files_that_do_not_fit_are_refused():
    _, arrays, _, _ = small()
    own = params_of("comsa", "released", **SIZES)
    text = written(own, arrays)
    for changed, said in (
        (text.replace(" 12 9 3 ", " 9 12 3 "), r"begins with .* 9 12 3 .*expected .* 12 9 3 "),
        (text.replace("pulses_per_layer", "no_pulses"), "begins with 'no_pulses"),
    ):
        with pytest.raises(UserError, match=said):
            released.parse(changed, own, "file")


def test_missing_files_are_not_measured(tmp_path):
    """The jobs run to their end, and the claim says what was missing."""
    from whyspiking.declared import plans
    from whyspiking.stages import collect, simulate, train

    experiment = registry.load_talk("comsa").experiments["released"]
    own = replace(params_of("comsa", "released"), dataset_dir=None)
    place = tmp_path / "smoke" / "comsa" / "released"
    for variant in ("slow", "fast"):
        plan = plans.training(experiment, variant, own)
        train.train(plan, [], place / variant / "seed-0", silent)
    networks = [place / variant / "seed-0" for variant in ("slow", "fast")]
    simulate.simulate(plans.measuring(experiment, own, 1.0), networks, {}, place, silent)
    files = [place / "metrics.csv"], [network / "network.json" for network in networks]
    collect.collect_talk("comsa", *files, config("full"), tmp_path)
    import pandas as pd

    verdicts = pd.read_csv(tmp_path / "verdicts.csv").set_index("claim")
    for name in ("comsa.released_slow.accuracy", "comsa.released_fast.accuracy"):
        assert verdicts.loc[name, "verdict"] == judge.NOT_MEASURED
        assert str(verdicts.loc[name, "note"]).startswith("file not available: comsa_")
    assert "file not available" not in str(verdicts.loc["comsa.mnist_slow.accuracy", "note"])
