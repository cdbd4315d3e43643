"""Malformed talk files and claims are refused, each in one telling message.

Cases replace what is read of a file; `test_the_files_before_damage_are_good` reads written files.
"""

import shutil

import pytest
import yaml
from made.checkouts import ROOT
from made.project import talk_of
from made.refusal_cases import (
    ABSENT,
    TALK,
    changed,
    good_config,
    good_file,
    refused,
    refused_at,
)

from whyspiking.declared import claims_file, config, registry


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A registry folder with the files of one talk, to be damaged; its code is the project's."""
    (tmp_path / TALK).mkdir()
    for path in (registry.FOLDER / TALK).glob("*.*"):
        shutil.copy(path, tmp_path / TALK)
    monkeypatch.setattr(registry, "FOLDER", tmp_path)
    return tmp_path / TALK


def test_the_files_before_damage_are_good(folder):
    for name in ("talk", "claims"):
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(good_file(name)))
    assert list(config.check_config(good_config())) == [TALK]


# Rules of the models that configs, in `test_refused_configs`, do not have: path, value, message.
YINYANG = "experiments.yinyang"
MALFORMED_TALK = [
    ("", [], "is []; expected a mapping of keys to values"),
    ("title", "", "is ''; expected at least 5 characters"),
    ("publications", {}, "is {}; expected at least 1 entries"),
    (
        "publications.goeltz2021.doi",
        "https://doi.org/10.1000/a",
        "is 'https://doi.org/10.1000/a'; must",
    ),
    ("publications.goeltz2021.colour", "green", "is not known; known keys: citation, doi"),
    ("publications.goeltz2021.citation", ABSENT, "is missing; expected text"),
    ("characteristic_time.unit", "s", "is 's'; expected 'ms'"),
    ("parameters.theta", None, "is None; expected a mapping of keys to values"),
    ("parameters.theta.source", ABSENT, "is missing; expected text"),
    ("parameters.Not this!", {"value": 1, "source": "code"}, "must match ^[a-z]"),
    ("training_parameters.0", "Not this!", "is 'Not this!'; must match ^[a-z]"),
    ("learning_rules", [], "is []; expected at least 1 entries"),
    ("learning_rules.0.networks.0", "yinyang", "is 'yinyang'; must match ^[a-z0-9_]+/[a-z0-9_]+$"),
    ("learning_rules.0.memory.synapse", "S", "is 'S'; must match ^[0-9NTK */+()-]+$"),
    ("learning_rules.0.signals.0.online", "no", "is 'no'; expected true or false"),
    ("learning_rules.0.check", None, "is None; expected a mapping of keys to values"),
    ("excluded_tasks.sound", "short", "is 'short'; expected at least 20 characters"),
    (f"{YINYANG}.title", ABSENT, "is missing; expected text"),
    (f"{YINYANG}.input_times", None, "is None; expected one of ['constructed'"),
    (f"{YINYANG}.data.data_set", 3, "is 3; expected text"),
    (f"{YINYANG}.robustness_tests", "jitter", "is 'jitter'; expected a list"),
    (f"{YINYANG}.robustness_tests", {}, "is {}; expected at least 1 entries"),
    (f"{YINYANG}.extra_states.hidden", 0.0, "is 0.0; must be greater than 0"),
    (
        f"{YINYANG}.scale_overrides.smoke.n_hidden.reason",
        "",
        "is ''; expected at least 5 characters",
    ),
    (f"{YINYANG}.variants", {}, "is {}; expected at least 1 entries"),
    (f"{YINYANG}.variants.mlp.hidden_layers.0", 0, "is 0; must be at least 1"),
]
MALFORMED_CLAIMS = [
    ("", [], "is []; expected at least 1 entries"),
    ("", {}, "is {}; expected a list"),
    ("0", None, "is None; expected a mapping of keys to values"),
    ("0.claim_role", ABSENT, "is missing; expected one of ['key', 'secondary']"),
    ("0.id", "goeltz.accuracy", "is 'goeltz.accuracy'; must match ^[a-z]"),
    ("0.source.n_seeds", 20.0, "is 20.0; expected a whole number"),
    ("0.source.value", None, "is None; expected a number"),
    ("0.rows.experiment", ABSENT, "is missing; expected text"),
    ("0.rows.engine", "brian", "is 'brian'; expected one of ['jax', "),
    ("0.negative_control", {}, "is {}; expected at least 1 entries"),
    ("0.negative_control.colour", "green", "is not known; known keys: engine, experiment, "),
    ("0.criteria", {}, "is {}; expected at least 1 entries"),
    ("0.criteria.full", "wide", "is 'wide'; expected a list"),
    ("0.criteria.full.criterion", [0.9], "is [0.9]; expected at least 2 entries"),
    ("0.criteria.full.criterion.0", float("nan"), "is nan; expected a finite number"),
    ("0.criteria.full.criterion_reason", ABSENT, "is missing; expected text"),
    ("0.earlier_evaluations.0", "look", "is 'look'; expected a mapping of keys to values"),
    ("0.earlier_evaluations.0.commit", "HEAD", "is 'HEAD'; must match ^[0-9a-f]{7,40}$"),
    ("0.earlier_evaluations.2.reason", "short", "is 'short'; expected at least 10 characters"),
]


@pytest.mark.parametrize(("path", "value", "says"), MALFORMED_TALK)
def test_malformed_talk(path, value, says, monkeypatch):
    data = changed(good_file("talk"), path, value)
    monkeypatch.setattr(registry, "read_yaml", lambda _: data)
    refused_at(lambda: registry.load_talk(TALK), path, says)


@pytest.mark.parametrize(("path", "value", "says"), MALFORMED_CLAIMS)
def test_malformed_claims(path, value, says, monkeypatch):
    talk = talk_of(TALK)
    data = changed(good_file("claims"), path, value)
    monkeypatch.setattr(claims_file, "read_yaml", lambda _: data)
    refused_at(lambda: claims_file.load(talk.folder / "claims.yaml", talk), path, says)


# ---- rules between keys ----


def yinyang(data):
    return data["experiments"]["yinyang"]


def shared(data):
    return data["experiments"]["shared_yinyang"]


def variant(data, name, **changes):
    data["experiments"]["substrates"]["variants"][name].update(changes)


TALK_DAMAGE = {
    "negative time constant": (
        lambda d: d["parameters"]["tau_s_ms"].update(value=-1.0), "parameters.tau_s_ms", "-1.0",
    ),
    "time constant in words": (
        lambda d: d["parameters"]["tau_s_ms"].update(value="one"), "parameters.tau_s_ms", "one",
    ),
    "fraction above 1": (
        lambda d: d["parameters"]["missing_hidden"].update(value=1.5), "parameters.missing_hidden",
        "is 1.5; expected a number from 0 to 1",
    ),
    "scale with a fraction above 1": (
        lambda d: yinyang(d)["scale_overrides"]["smoke"].update(
            missing_hidden={"value": 2, "reason": "made up"}
        ),
        "missing_hidden", "is 2; expected a number from 0 to 1",
    ),
    "word that is not permitted": (
        lambda d: d["parameters"]["schedule"].update(value="linear"), "parameters.schedule",
        "expected one of step, cosine",
    ),
    "labelled steps of no number": (
        lambda d: yinyang(d).update(task_type="labelling"), "yinyang.n_labelled", "is missing",
    ),
    "half a neuron": (
        lambda d: yinyang(d)["parameters"]["n_hidden"].update(value=1.5), "n_hidden", "1.5",
    ),
    "no neurons": (
        lambda d: yinyang(d)["parameters"]["n_hidden"].update(value=0), "n_hidden", "0",
    ),
    "switch for a size": (
        lambda d: yinyang(d)["parameters"]["n_hidden"].update(value=True), "n_hidden", "True",
    ),
    "number as text": (
        lambda d: yinyang(d)["parameters"]["learning_rate"].update(value="1e-3"),
        "learning_rate", "1e-3",
    ),
    "infinite number": (
        lambda d: d["parameters"]["theta"].update(value=float("inf")), "theta", "inf",
    ),
    "scaled parameter that is not published": (
        lambda d: yinyang(d)["scale_overrides"]["smoke"].update(
            n_hiden={"value": 3, "reason": "quick enough"}
        ),
        "n_hiden", "n_hidden",
    ),
    "scaled to another kind": (
        lambda d: yinyang(d)["scale_overrides"]["smoke"]["schedule"].update(value=3),
        "schedule", "3",
    ),
    "control of unknown size": (
        lambda d: yinyang(d)["variants"]["mlp"].update(hidden_layers=["n_hiden"]),
        "yinyang.variants.mlp", "n_hiden",
    ),
    "control without layers": (
        lambda d: yinyang(d)["variants"]["mlp"].pop("hidden_layers"),
        "yinyang.variants.mlp", "hidden_layers",
    ),
    "layers of no control": (
        lambda d: yinyang(d)["variants"]["spiking"].update(hidden_layers=[3]),
        "yinyang.variants.spiking.hidden_layers", "network: relu",
    ),
    "control that is trained for unknown long": (
        lambda d: yinyang(d)["parameters"].pop("control_epochs") and
        yinyang(d)["scale_overrides"]["smoke"].pop("control_epochs"),
        "yinyang.variants.mlp", "control_epochs",
    ),
    "spiking network that is a ReLU network": (
        lambda d: yinyang(d)["variants"]["spiking"].update(network="relu", hidden_layers=[]),
        "yinyang.variants.spiking", "control",
    ),
    "another network that is trained further": (
        lambda d: variant(d, "adapted", **{"network": "substrates/ideal"}),
        "adapted.starts_from", "substrates/ideal",
    ),
    "another network that does not exist": (
        lambda d: variant(d, "ideal", network="yinyang/spikin"),
        "ideal.network", "yinyang/spiking",
    ),
    "layers of another network": (
        lambda d: variant(d, "ideal", **{"network": "yinyang/mlp", "hidden_layers": [3]}),
        "substrates.variants.ideal.hidden_layers", "network: relu",
    ),
    "control of no kind": (
        lambda d: yinyang(d)["variants"]["mlp"].update({"network": "rely"}), "mlp.network", "relu",
    ),
    "parent that does not exist": (
        lambda d: variant(d, "adapted", starts_from=["yinyang/spikin"]),
        "adapted.starts_from", "yinyang/spiking",
    ),
    "parent of another experiment": (
        lambda d: variant(d, "adapted", starts_from=["ying/spiking"]), "starts_from", "ying",
    ),
    "parents in a circle": (
        lambda d: (
            variant(d, "adapted", starts_from=["substrates/ideal"]),
            variant(d, "ideal", starts_from=["substrates/adapted"]),
        ),
        "starts_from", "itself",
    ),
    "unknown perturbation": (
        lambda d: yinyang(d).update(robustness_tests=["shufle"]), "robustness_tests", "shuffle",
    ),
    "battery of what does not spike": (
        lambda d: yinyang(d).update(robustness_tests={"mlp": ["shuffle"]}),
        "yinyang.robustness_tests", "mlp",
    ),
    "unknown perturbation of one variant": (
        lambda d: yinyang(d).update(robustness_tests={"spiking": ["shufle"]}),
        "yinyang.robustness_tests.spiking", "shuffle",
    ),
    "perturbed spikes of which nobody says what their times are": (
        lambda d: yinyang(d).pop("input_times"), "yinyang.input_times", "constructed",
    ),
    "spikes to perturb where no network has any": (
        lambda d: yinyang(d)["variants"]["spiking"].update(variant_role="rate"),
        "yinyang", "'spiking'",
    ),
    "shared task that does not exist": (
        lambda d: shared(d)["data"].update(data_set="yingyang"),
        "shared_yinyang.data.data_set", "yinyang",
    ),
    "shared task of another size": (
        lambda d: shared(d)["parameters"].update(n_hidden={"value": 120, "source": "code"}),
        "shared_yinyang.parameters.n_hidden", "Remove it",
    ),
    "shared task that was not tuned": (
        lambda d: shared(d)["shared_task"].pop("tuning_grids"),
        "shared_yinyang.shared_task.tuning_grids", "is missing",
    ),
    "shared task that was tuned more than others": (
        lambda d: shared(d)["shared_task"]["tuning_grids"]["spiking"].update(
            learning_rate=[0.02, *(1e-4 * k for k in range(1, 50))]
        ),
        "tuning_grids.spiking", "one of 6, 8, 16",
    ),
    "setting that was not tried": (
        lambda d: shared(d)["parameters"]["learning_rate"].update(value=0.7),
        "tuning_grids.spiking.learning_rate", "0.7",
    ),
    "shared task with a result and a reason": (
        lambda d: d.update(excluded_tasks={"yinyang": "no reason that would be one"}),
        "excluded_tasks", "yinyang",
    ),
    "reason for a task that does not exist": (
        lambda d: d.update(excluded_tasks={"xor": "one spike a neuron, no state beyond it"}),
        "excluded_tasks", "randman",
    ),
    "threshold without a value": (
        lambda d: d["parameters"]["theta"].update(value=None), "parameters.theta", "None",
    ),
    "list of thresholds": (
        lambda d: d["parameters"]["theta"].update(value=[1.0, 2.0]),
        "parameters.theta", "[1.0, 2.0]",
    ),
    "more neurons than memory": (
        lambda d: yinyang(d)["parameters"]["n_hidden"].update(value=10**9),
        "n_hidden", "1000000000",
    ),
    "unit of nobody": (
        lambda d: d["parameters"]["tau_s_ms"].update(unit="furlong"), "tau_s_ms.unit", "furlong",
    ),
    "unit against the name": (
        lambda d: d["parameters"]["tau_s_ms"].update(unit="s"), "tau_s_ms", "unit s",
    ),
    "time constant without bounds": (
        lambda d: d["characteristic_time"].update(value=1e300),
        "characteristic_time.value", "1e+300",
    ),
    "training with what there is not": (
        lambda d: d["training_parameters"].append("learning_rat"),
        "training_parameters", "learning_rate",
    ),
    "title turned around": (lambda d: d.update(title="Title \u202e eltit"), "title", "U+202E"),
    "data that fit nothing": (
        lambda d: yinyang(d)["data"].update(equal={"n_input": "pool"}),
        "n_input", "data.yinyang.pool",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", TALK_DAMAGE)
def test_damaged_talk(case, monkeypatch):
    monkeypatch.chdir(ROOT)
    change, key, value = TALK_DAMAGE[case]
    data = good_file("talk")
    change(data)
    monkeypatch.setattr(registry, "read_yaml", lambda _: data)
    monkeypatch.setattr(registry, "available", lambda: [TALK])
    refused(lambda: config.check_config({**good_config(), "seeds_of": []}), key, value)


def claim(**changes):
    def change(entries):
        entries[0].update(changes)

    return change


def place(name, **changes):
    def change(entries):
        entries[0][name] = {**entries[0].get(name, {}), **changes}

    return change


SOURCE = {"publication": "goeltz2021", "source_location": "Table 1"}
CLAIM_DAMAGE = {
    "another talk's claim": (
        claim(id="comsa.yinyang.accuracy"), "comsa.yinyang.accuracy", "goeltz",
    ),
    "unknown metric": (claim(metric="acuracy"), "metric", "accuracy"),
    "unknown paper": (
        claim(
            source={**SOURCE, "publication": "goeltz2012"}, also_measured=[], published_error=False
        ),
        "source.publication", "goeltz2021",
    ),
    "unknown experiment": (place("rows", experiment="yinyan"), "rows.experiment", "yinyang"),
    "unknown variant": (place("rows", variant="spikin"), "rows.variant", "spiking"),
    "unknown perturbation": (
        place("rows", perturbation="shufle"), "rows.perturbation", "shuffle",
    ),
    "perturbation that is not measured": (
        place("rows", perturbation="insert", strength=0.1), "rows.perturbation", "insert",
    ),
    "unknown location": (place("rows", location="inptu"), "rows.location", "input"),
    "control of another experiment": (
        place("negative_control", experiment="substrate"),
        "negative_control.experiment", "substrates",
    ),
    "unknown control": (
        place("negative_control", variant="liner"), "negative_control.variant", "linear",
    ),
    "claim as its own control": (
        claim(negative_control={"variant": "spiking"}), "negative_control", "spiking",
    ),
    "no control for the key claim": (
        lambda entries: entries[0].pop("negative_control"), "negative_control", "key",
    ),
    "required claim that is not about a fraction of networks": (
        claim(requires=["goeltz.yinyang.every_seed"]), "requires", "goeltz.yinyang.every_seed",
    ),
    "band upside down": (claim(criteria={"full": [0.97, 0.95]}), "criteria.full", "[0.97, 0.95]"),
    "band without its edge": (
        claim(criteria={"full": [None, 0.95]}), "criteria.full", "both limits",
    ),
    "band of three numbers": (
        claim(criteria={"full": [0.9, 1.0, 1.1]}), "criteria.full", "[0.9, 1.0, 1.1]",
    ),
    "band at smoke scale": (claim(criteria={"smoke": [0.9, 1.0]}), "criteria.smoke", "known keys"),
    "difference from nothing": (claim(test_type="difference"), "compared_with", "difference"),
    "versus without a use": (claim(compared_with={"variant": "mlp"}), "compared_with", "range"),
    "difference from itself": (
        claim(test_type="difference", compared_with={"variant": "spiking"}),
        "compared_with", "spiking",
    ),
    "spread of nothing": (
        claim(source={**SOURCE, "standard_deviation": 0.1}),
        "source.standard_deviation", "0.1",
    ),
    "band in per cent": (claim(criteria={"full": [0.9, 95]}), "criteria.full", "95"),
    "band below any share": (claim(criteria={"full": [-0.1, None]}), "criteria.full", "-0.1"),
    "published error without a spread": (
        claim(source={**SOURCE, "value": 0.959}),
        "published_error", "standard_deviation",
    ),
    "published in per cent": (
        claim(source={**SOURCE, "value": 97.0}, also_measured=[], published_error=False),
        "source", "97",
    ),
    "level that is not measured": (
        place("rows", perturbation="jitter", location="input", strength=0.3),
        "rows.strength", "0.3",
    ),
    "level of no perturbation": (place("rows", strength=0.3), "rows.strength", "0.3"),
    "an id twice": (lambda entries: entries.append(dict(entries[0])), "id", "2 times"),
    "check as the key claim": (claim(origin="check"), "origin", "ours"),
    "two key claims": (
        lambda entries: entries[1].update(
            claim_role="key", origin="talk", negative_control={"variant": "linear"}
        ),
        "key", "2 claims",
    ),
    "no key claim": (claim(claim_role="secondary"), "key", "0 claims"),
}  # fmt: skip


@pytest.mark.parametrize("case", CLAIM_DAMAGE)
def test_damaged_claims(case, monkeypatch):
    monkeypatch.chdir(ROOT)
    change, key, value = CLAIM_DAMAGE[case]
    entries = good_file("claims")
    change(entries)
    monkeypatch.setattr(claims_file, "read_yaml", lambda _: entries)
    monkeypatch.setattr(registry, "load_talk", talk_of)
    refused(lambda: config.check_config({**good_config(), "seeds_of": []}), key, value)


# ---- files as such ----


def test_missing_files_are_refused(folder, tmp_path):
    refused(lambda: config.check_files([tmp_path / "none.yaml"]), "none.yaml")
    refused(lambda: config.check_files([tmp_path]), tmp_path.name)
    (folder / "claims.yaml").unlink()
    talk = registry.load_talk(TALK)
    refused(lambda: claims_file.load(folder / "claims.yaml", talk), "claims.yaml")
