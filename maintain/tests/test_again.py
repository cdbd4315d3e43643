"""A part of the record made again: which experiments are drawn, and what counts as the same."""

import json

import numpy as np
import pytest
from made.checkouts import ROOT

from whyspiking.contract import network_files
from whyspiking.contract.types import Network
from whyspiking.errors import UserError
from whyspiking.records import columns, reference, tables
from whyspiking.stages import collect
from whyspiking.verdicts import recorded as recorded_run
from whyspiking.verdicts import reproduction
from whyspiking.verdicts.recorded import AGAIN
from whyspiking_maintain import again, inputs


@pytest.fixture(scope="module")
def config():
    return inputs.config_of()


def test_experiments_are_drawn_by_the_seed(config):
    whole = again.choose(1.0, 3, config)
    half, same, other = (again.choose(0.5, seed, config) for seed in (3, 3, 4))
    assert len(set(whole)) == len(whole) > 90 and len(half) == round(len(whole) / 2)
    assert half == same != other and set(half) < set(whole)
    assert half == [one for one in whole if one in half], "in the order of the talks"
    assert len(again.choose(0.001, 0, config)) == 1
    beside = again.choose(0.5, 3, config, ["ground"])
    assert beside == [one for one in whole if one in half or one[0] == "ground"] != half
    assert again.choose(0, 3, config, ["naud/mnist_deep"]) == [("naud", "mnist_deep")]
    with pytest.raises(UserError, match="talk 'grond' is not known"):
        again.choose(0.5, 3, config, ["grond"])
    with pytest.raises(UserError, match="'naud/mnist_deap' is no experiment of the record"):
        again.choose(0, 3, config, ["naud/mnist_deap"])
    for share in (0.0, -1.0, 1.5):
        with pytest.raises(UserError, match=r"expected a number in \(0, 1\]"):
            again.choose(share, 0, config)


def test_a_run_is_held_against_the_record_number_by_number_and_bit_by_bit(
    config, tmp_path, monkeypatch
):
    recorded = reference.table(ROOT / reference.FOLDER / "naud" / "metrics.csv", columns.METRICS)
    own = recorded[recorded["experiment"] == "mnist_deep"].copy()
    monkeypatch.setattr(collect, "measured", lambda *_: own)
    weights = np.array([0.1, -0.2])
    for run, second in (("first", weights), ("second", np.nextafter(weights, 1))):
        for seed, arrays in enumerate((weights, second)):
            folder = tmp_path / run / "naud" / "mnist_deep" / "learned_3" / f"seed-{seed}"
            network_files.save_network(Network({"w": arrays}, {"engine": "numpy"}), folder)

    def compared():
        places = [("naud", "mnist_deep")]
        second, first = tmp_path / "second", tmp_path / "first"
        return again.compare(places, config, second, first, ROOT / reference.FOLDER)

    table, same, unlike = compared()
    assert (table["state"] == reproduction.IDENTICAL).all() and table["compared"].sum() > 50
    assert (same, unlike) == (1, ["naud/mnist_deep/learned_3/seed-1"])

    changed = (own["variant"] == "linear") & (own["metric"] == "accuracy") & (own["seed"] == 0)
    own.loc[changed, "value"] += 1e-4
    table, _, _ = compared()
    (row,) = table[table["state"] != reproduction.IDENTICAL].to_dict("records")
    assert (row["variant"], row["seed"]) == ("linear", 0) and "accuracy" in row["where"]

    asked = [("naud", "mnist_deep")], tmp_path / "second", ROOT / reference.FOLDER
    resting, _ = again.verdicts(*asked)
    assert len(resting) == 5
    assert again.touched(resting, own[:0]) == 0 < again.touched(resting, own)
    own.loc[own["metric"] == "accuracy", "value"] = 0.5
    compared()
    assert (
        "naud.mnist_deep.above_perturbation: replicated, again inconclusive"
        in again.verdicts(*asked)[1]
    )


def test_documents_tell_how_many_words_and_networks_other_roundings_turn():
    found = json.loads((ROOT / reference.FOLDER / AGAIN).read_text(encoding="utf-8"))
    (later,), verdicts = found["since"], found["verdicts"]
    summary = recorded_run.summarise_repetition(found)
    n_changed, n_energy = summary["n_energy_changed"], summary["n_energy"]
    both = [run["networks"] for run in (found, later)]
    first, second = (f"{x['identical']} of {x['identical'] + len(x['different'])}" for x in both)
    touched = verdicts["touched"] + later["verdicts"]["touched"]
    assert "ground.span_recall/" not in " ".join(found["differing"]), "no claim is counted twice"
    assert (summary["n_touched"], summary["n_energy_missing"]) == (touched, 9)
    (turned,) = verdicts["changed"]
    assert turned.startswith("ground.span_recall.floors: ")
    for file, told in (
        ("README.md", f"of the other {n_energy} verdicts {n_changed} changed"),
        ("docs/known-limits.md", f"Of {n_energy} energy verdicts three changed; nine further"),
        ("docs/verdicts.md", f"numbers of {touched} claims and turned one verdict, of a check"),
        ("docs/digits.md", f"{first} networks and {second}, most"),
    ):
        assert told in " ".join((ROOT / file).read_text(encoding="utf-8").split())


def test_energies_are_compared_again_where_reference_networks_were_made_again(config, tmp_path):
    record = ROOT / reference.FOLDER
    recorded = reference.table(record / "ground" / "metrics.csv", columns.METRICS)
    own = recorded[recorded["experiment"] == "volley_recall_trained"]
    chosen = [("ground", "volley_recall_trained"), ("naud", "mnist_deep")]
    written = tmp_path / "ground" / "volley_recall_trained" / again.MEASURED
    tables.write_metrics(own, written)
    naud = reference.table(record / "naud" / "metrics.csv", columns.METRICS)
    measured = tmp_path / "naud" / "mnist_deep" / again.MEASURED
    tables.write_metrics(naud[naud["experiment"] == "mnist_deep"], measured)
    same = again.energies(chosen, config, tmp_path, record)
    assert len(same) == 4 and all(before == after for before, after in same.values())
    swapped = own["variant"].replace({"lif": "twin", "twin": "lif"})
    tables.write_metrics(own.assign(variant=swapped), written)
    changed = again.energies(chosen, config, tmp_path, record)
    assert changed["Volley recall, compared with non-spiking leaky units"] == ["dearer", "cheaper"]


def test_what_is_asked_for_alone_is_told_beside_what_was_drawn_before(
    config, tmp_path, monkeypatch
):
    """Its words take the place of the earlier ones; a comparison that it has not keeps its own."""
    monkeypatch.chdir(tmp_path)
    for name in again.SHARED:
        (tmp_path / name).mkdir(parents=True)
    kept, turned = "A, beside b", "B, beside c"
    old = {kept: ["dearer", "open"], turned: ["open", "dearer"]}
    before = {"share": 0.5, "verdicts": {"changed": []}, "energies": again._words(old)}
    inputs.write_json(reference.FOLDER / AGAIN, before)
    monkeypatch.setattr(again, "run", lambda *_: None)
    monkeypatch.setattr(inputs, "config_of", lambda: {**config, "build_folder": str(tmp_path)})
    monkeypatch.setattr(again, "compare", lambda *_: (columns.REPRODUCED.table([]), 2, []))
    monkeypatch.setattr(again, "verdicts", lambda *_: ([], ["a.b.c: holds, again fails"]))
    monkeypatch.setattr(again, "energies", lambda *_: {turned: ["open", "open"]})
    again.make(0, 1, ["naud/mnist_deep"])
    found = json.loads((tmp_path / reference.FOLDER / AGAIN).read_text(encoding="utf-8"))
    assert found["share"] == 0.5 and found["verdicts"]["changed"] == ["a.b.c: holds, again fails"]
    assert found["energies"]["changed"] == [f"{kept}: dearer, again open"]
    assert found["energies"]["compared"] == {**old, turned: ["open", "open"]}
    assert [run["experiments"] for run in found["since"]] == [["naud.mnist_deep"]]
