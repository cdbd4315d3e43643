"""Malformed configs, talk files, claims and overlays are refused, each in one telling message.

Most cases are made from the schemas (`malformed`), the others by hand: what no schema can see. A
message must name the key and the wrong value, say what was expected, and what to do about it.
"""

import copy
import json
import re
import shutil
from pathlib import Path

import malformed
import pytest
import yaml

from whyspiking import claims_file, config, registry
from whyspiking.errors import UserError

ROOT = Path(__file__).parents[2]
SCHEMAS = {
    name: yaml.safe_load((ROOT / "workflow" / "schemas" / f"{name}.schema.yaml").read_text())
    for name in ("config", "talk", "claims")
}
EXPECTED = re.compile(
    r"expected|must (be|match|not|begin)|needs|known keys|did you mean|is missing", re.IGNORECASE
)
REMEDY = re.compile(
    r"\b(correct|mend|add|remove|rename|choose|name|write|take|give|copy|restore|save|set|use|"
    r"move|mount|make)\b",
    re.IGNORECASE,
)
TALK = "goeltz"


def good_config():
    values = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    # One talk, so that a case costs milliseconds.
    values["talks"] = [TALK]
    values["seeds_of"] = [{"experiment": "goeltz.mnist", "seeds": [0, 1]}]
    return values


def good_file(name):
    path = registry.FOLDER / TALK / f"{name}.yaml"
    return json.loads(json.dumps(yaml.safe_load(path.read_text())))


def cases(name, data):
    made = list(malformed.mutants(data, SCHEMAS[name]))
    return [pytest.param(mutant, id=mutant.name) for mutant in made]


CONFIGS = cases("config", good_config())
TALKS = cases("talk", good_file("talk"))
CLAIMS = cases("claims", good_file("claims"))


def refused(run, key, value=malformed.ABSENT):
    """Run what must be refused, and check the message."""
    with pytest.raises(UserError) as caught:
        run()
    text = str(caught.value)
    assert key in text, text
    if value is not malformed.ABSENT:
        shown = repr(value)
        shown = shown if len(shown) <= 60 else shown[:57]
        assert shown in text or str(value) in text, text
    assert EXPECTED.search(text), text
    assert REMEDY.search(text), text
    return text


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A registry folder with one talk, to be damaged; its code is that of the project."""
    shutil.copytree(registry.FOLDER / TALK, tmp_path / TALK)
    monkeypatch.setattr(registry, "FOLDER", tmp_path)
    return tmp_path / TALK


def written(path, data):
    path.write_text(yaml.dump(data, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper)))


def test_the_files_before_damage_are_good(folder):
    for name in ("talk", "claims"):
        written(folder / f"{name}.yaml", good_file(name))
    assert list(config.check_config(good_config())) == [TALK]


def test_there_are_hundreds_of_cases():
    assert len(CONFIGS) >= 300
    assert len(TALKS) >= 100
    assert len(CLAIMS) >= 80


@pytest.mark.parametrize("mutant", CONFIGS)
def test_malformed_config(mutant, monkeypatch):
    monkeypatch.chdir(ROOT)
    refused(lambda: config.check_config(mutant.data), mutant.key, mutant.value)


@pytest.mark.parametrize("mutant", TALKS)
def test_malformed_talk(mutant, folder):
    written(folder / "talk.yaml", mutant.data)
    refused(lambda: registry.load_talk(TALK), mutant.key, mutant.value)


@pytest.mark.parametrize("mutant", CLAIMS)
def test_malformed_claims(mutant, folder):
    written(folder / "claims.yaml", mutant.data)
    talk = registry.load_talk(TALK)
    refused(lambda: claims_file.load(folder / "claims.yaml", talk), mutant.key, mutant.value)


# ---- by hand: what no schema can see ----


def merged(changes):
    """What Snakemake makes of an overlay: mappings are merged, the rest is replaced."""
    values = good_config()

    def merge(into, own):
        for key, value in own.items():
            if isinstance(value, dict) and isinstance(into.get(key), dict):
                merge(into[key], value)
            else:
                into[key] = value

    merge(values, changes)
    return values


def model(**changes):
    entries = copy.deepcopy(good_config()["energy"]["models"])
    entries[0].update(changes)
    return {"energy": {"models": entries}}


def axis(**changes):
    entries = copy.deepcopy(good_config()["axes"])
    entries[0].update(changes)
    return {"axes": entries}


def setting(**changes):
    change = {"factor": "one", "settings": [{"label": "a", "set": changes}]}
    return {"energy": {"sensitivity": {"changes": [change]}}}


OVERLAYS = {
    "unknown talk": ({"talks": ["goltz"]}, "goltz", "goeltz"),
    "all and others": ({"talks": ["all", "goeltz"]}, "talks", "all"),
    "a path for a talk": ({"talks": ["../goeltz"]}, "talks", "../goeltz"),
    "unknown experiment": (
        {"seeds_of": [{"experiment": "goeltz.yinyan", "seeds": [0]}]}, "seeds_of", "goeltz.yinyang",
    ),
    "experiment of no talk": (
        {"seeds_of": [{"experiment": "nobody.nothing", "seeds": [0]}]},
        "seeds_of", "nobody.nothing",
    ),
    "an experiment twice": (
        {"seeds_of": [{"experiment": "goeltz.mnist", "seeds": [s]} for s in (0, 1)]},
        "seeds_of", "goeltz.mnist",
    ),
    "seeds without parents": (
        {"seeds_of": [{"experiment": "goeltz.distortion", "seeds": [7]}]}, "seeds_of", "[7]",
    ),
    "operation that has no price": (model(mult="mult_int9"), "energy.models.0.mult", "mult_int9"),
    "addition that has no price": (model(add="sub_int8"), "energy.models.0.add", "sub_int8"),
    "memory that has no price": (
        model(weight_memory="sram_9kb"), "energy.models.0.weight_memory", "sram_9kb",
    ),
    "membrane that has no price": (
        model(membrane_memory="tape"), "energy.models.0.membrane_memory", "tape",
    ),
    "a cost model twice": (model(id="ops_int32"), "energy.models", "ops_int32"),
    "no such base model": (
        {"energy": {"sensitivity": {"base": "mem_ner"}}}, "energy.sensitivity.base", "mem_near",
    ),
    "unknown assumption": (setting(colour="green"), "colour", "known"),
    "assumption without a price": (setting(mult="mult_int9"), "mult", "mult_int9"),
    "assumption out of range": (setting(kappa=2), "kappa", "2"),
    "axis of an unknown metric": (axis(metric="acuracy"), "axes.0.metric", "acuracy"),
    "axis of an unknown perturbation": (
        axis(where={"variant": "spiking", "perturbation": "shufle"}),
        "axes.0.where.perturbation", "shuffle",
    ),
    "axis of an unknown column": (axis(where={"colour": "green"}), "colour", "known"),
    "axis against an unknown column": (axis(versus={"varient": "mlp"}), "varient", "variant"),
    "folder with a wildcard": ({"data": {"folder": "data/{talk}"}}, "data.folder", "{talk}"),
    "build folder with a quote": ({"build_folder": "it's"}, "build_folder", "it's"),
    "missing folder": ({"data": {"mnist_dir": "nowhere"}}, "data.mnist_dir", "nowhere"),
    "file for a folder": ({"data": {"folder": "README.md"}}, "README.md", "is a file"),
    "file below a file": ({"build_folder": "README.md/build"}, "README.md", "is a file"),
    "block replaced by a word": ({"data": "resources"}, "data", "resources"),
    "block emptied": ({"battery": None}, "battery", "None"),
    "frames that no talk expects": (
        {"talks": ["neftci"], "seeds_of": [], "data": {"nmnist": {"dt_ms": 9.0}}},
        "data.nmnist.dt_ms", "9.0",
    ),
    "squares that no talk expects": (
        {"talks": ["neftci"], "seeds_of": [], "data": {"nmnist": {"pool": 3}}},
        "data.nmnist.pool", "3",
    ),
    "fewer words than a talk classifies": (
        {"talks": ["masquelier"], "seeds_of": [], "data": {"words": {"words": 5}}},
        "data.words.words", "5",
    ),
    "original recordings that are not there": (
        {"data": {"nmnist": {"source": "original"}}}, "data.nmnist.source", "original",
    ),
    "seed beyond 32 bits": ({"seeds": [2**40]}, "seeds.0", str(2**40)),
    "true for a number": ({"battery": {"draws": True}}, "battery.draws", "True"),
    "text for a number": ({"seeds": ["7"]}, "seeds.0", "'7'"),
}  # fmt: skip


@pytest.mark.parametrize("case", OVERLAYS)
def test_malformed_overlay(case, monkeypatch):
    monkeypatch.chdir(ROOT)
    changes, key, value = OVERLAYS[case]
    text = refused(lambda: config.check_config(merged(changes)), key)
    assert value in text, text


def talk_with(change):
    data = good_file("talk")
    change(data)
    return data


def yinyang(data):
    return data["experiments"]["yinyang"]


def variant(data, name, **changes):
    data["experiments"]["distortion"]["variants"][name].update(changes)


TALK_DAMAGE = {
    "name of another folder": (lambda d: d.update(talk="comsa"), "talk", "comsa"),
    "negative time constant": (
        lambda d: d["parameters"]["tau_s_ms"].update(value=-1.0), "parameters.tau_s_ms", "-1.0",
    ),
    "time constant in words": (
        lambda d: d["parameters"]["tau_s_ms"].update(value="one"), "parameters.tau_s_ms", "one",
    ),
    "half a neuron": (
        lambda d: yinyang(d)["parameters"]["n_hidden"].update(value=1.5), "n_hidden", "1.5",
    ),
    "no neurons": (
        lambda d: yinyang(d)["parameters"]["n_hidden"].update(value=0), "n_hidden", "0",
    ),
    "neurons in words": (
        lambda d: yinyang(d)["parameters"]["n_hidden"].update(value="many"), "n_hidden", "many",
    ),
    "no neurons at all": (
        lambda d: yinyang(d)["parameters"]["n_hidden"].update(value=None), "n_hidden", "None",
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
    "no number": (
        lambda d: d["parameters"]["theta"].update(value=float("nan")), "theta", "nan",
    ),
    "scaled parameter that is not published": (
        lambda d: yinyang(d)["scaled"]["smoke"].update(n_hiden={"value": 3, "why": "quick enough"}),
        "n_hiden", "n_hidden",
    ),
    "scaled to another kind": (
        lambda d: yinyang(d)["scaled"]["smoke"]["schedule"].update(value=3), "schedule", "3",
    ),
    "list scaled to a number": (
        lambda d: yinyang(d)["scaled"]["smoke"].update(
            bias_times={"value": 0.9, "why": "quick enough"}
        ),
        "bias_times", "0.9",
    ),
    "parent that does not exist": (
        lambda d: variant(d, "retrained", starts_from=["yinyang/spikin"]),
        "retrained.starts_from", "yinyang/spiking",
    ),
    "parent of another experiment": (
        lambda d: variant(d, "retrained", starts_from=["ying/spiking"]), "starts_from", "ying",
    ),
    "its own parent": (
        lambda d: variant(d, "retrained", starts_from=["distortion/retrained"]),
        "retrained.starts_from", "itself",
    ),
    "parents in a circle": (
        lambda d: (
            variant(d, "retrained", starts_from=["distortion/unadapted"]),
            variant(d, "unadapted", starts_from=["distortion/retrained"]),
        ),
        "starts_from", "itself",
    ),
    "unknown perturbation": (
        lambda d: yinyang(d).update(battery=["shufle"]), "battery", "shuffle",
    ),
    "spikes that are not simulated": (
        lambda d: yinyang(d).update(simulated=False), "yinyang", "simulated: false",
    ),
    "data that fit nothing": (
        lambda d: yinyang(d)["data"].update(equal={"n_input": "pool"}),
        "n_input", "data.yinyang.pool",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", TALK_DAMAGE)
def test_damaged_talk(case, folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    change, key, value = TALK_DAMAGE[case]
    written(folder / "talk.yaml", talk_with(change))
    text = refused(lambda: config.check_config({**good_config(), "seeds_of": []}), key)
    assert value in text, text


def claim(**changes):
    def change(entries):
        entries[0].update(changes)

    return change


def place(name, **changes):
    def change(entries):
        entries[0][name] = {**entries[0].get(name, {}), **changes}

    return change


CLAIM_DAMAGE = {
    "another talk's claim": (
        claim(id="comsa.yinyang.accuracy"), "comsa.yinyang.accuracy", "goeltz",
    ),
    "unknown metric": (claim(metric="acuracy"), "metric", "accuracy"),
    "unknown paper": (
        claim(source={"paper": "goeltz2012", "where": "Table 1"}), "source.paper", "goeltz2021",
    ),
    "unknown experiment": (place("where", experiment="yinyan"), "where.experiment", "yinyang"),
    "unknown variant": (place("where", variant="spikin"), "where.variant", "spiking"),
    "unknown perturbation": (
        place("where", perturbation="shufle"), "where.perturbation", "shuffle",
    ),
    "perturbation that is not measured": (
        place("where", perturbation="insert", strength=0.1), "where.perturbation", "insert",
    ),
    "unknown locus": (place("where", locus="inptu"), "where.locus", "input"),
    "control of another experiment": (
        place("negative_control", experiment="mnst"), "negative_control.experiment", "mnist",
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
    "band upside down": (claim(accept={"default": [0.97, 0.95]}), "accept.default", "[0.97, 0.95]"),
    "band without its edge": (
        claim(accept={"default": [None, 0.95]}), "accept.default", "lower edge",
    ),
    "band of one number": (claim(accept={"default": [0.9]}), "accept.default", "[0.9]"),
    "band of three numbers": (
        claim(accept={"default": [0.9, 1.0, 1.1]}), "accept.default", "[0.9, 1.0, 1.1]",
    ),
    "band in words": (claim(accept={"default": ["low", "high"]}), "accept.default", "low"),
    "band without a reason": (
        claim(accept={"default": {"band": [0.9, 1.0]}}), "accept.default.why", "missing",
    ),
    "band at smoke scale": (claim(accept={"smoke": [0.9, 1.0]}), "accept.smoke", "known keys"),
    "difference from nothing": (claim(test="difference"), "versus", "difference"),
    "versus without a use": (claim(versus={"variant": "mlp"}), "versus", "value"),
    "difference from itself": (
        claim(test="difference", versus={"variant": "spiking"}), "versus", "spiking",
    ),
    "spread of nothing": (
        claim(published={"value": None, "spread": 0.1}), "published.spread", "0.1",
    ),
    "an id twice": (lambda entries: entries.append(dict(entries[0])), "id", "2 times"),
    "two key claims": (lambda entries: entries[1].update(
        role="key", negative_control={"variant": "linear"}), "key", "2 claims"),
    "no key claim": (claim(role="secondary"), "key", "0 claims"),
}  # fmt: skip


@pytest.mark.parametrize("case", CLAIM_DAMAGE)
def test_damaged_claims(case, folder):
    change, key, value = CLAIM_DAMAGE[case]
    entries = good_file("claims")
    change(entries)
    written(folder / "claims.yaml", entries)
    talk = registry.load_talk(TALK)
    text = refused(lambda: claims_file.load(folder / "claims.yaml", talk), key)
    assert value in text, text


# ---- files as such ----

FILES = {
    "syntax error": (b"scale: [smoke\n", "not valid YAML"),
    "tabs": (b"scale:\tsmoke\n\ttalks: a\n", "not valid YAML"),
    "nothing": (b"", "is empty"),
    "comments only": (b"# scale: smoke\n", "is empty"),
    "a list": (b"- scale\n- smoke\n", "a list"),
    "a word": (b"smoke\n", "'smoke'"),
    "Latin-1": ("scale: smöke\n".encode("latin-1"), "0xf6"),
    "UTF-16": ("scale: smoke\n".encode("utf-16"), "UTF-8"),
    "noise": (bytes(range(128, 256)), "0x80"),
    "a zero byte": (b"scale: smo\0ke\n", "not valid YAML"),
    "a key twice": (b"scale: smoke\nseeds: [0]\nscale: paper\n", "'scale'"),
    "a nested key twice": (b"data:\n  words: {words: 3, words: 4}\n", "'words'"),
    "a Python object": (b"scale: !!python/object/apply:os.getcwd []\n", "not valid YAML"),
    "an unknown tag": (b"scale: !secret smoke\n", "not valid YAML"),
    "an alias of nothing": (b"scale: *smoke\n", "not valid YAML"),
    "two documents": (b"scale: smoke\n---\nscale: paper\n", "not valid YAML"),
    "an impossible date": (b"scale: 2020-13-45\n", "not valid YAML"),
    "a deep nest": (b"[" * 5000 + b"]" * 5000, "not valid YAML"),
    "aliases that explode": (
        b"a: &a [x, x, x, x, x, x, x, x, x, x]\n"
        + b"".join(b"%c: &%c [%s]\n" % (i + 1, i + 1, b", ".join([b"*%c" % i] * 10))
                   for i in range(97, 106)),
        "aliases",
    ),
    "an alias of itself": (b"a: &a [*a]\n", "aliases"),
    "too much": (b"# padding\n" * 200_000, "bytes"),
}  # fmt: skip


@pytest.mark.parametrize("case", FILES)
def test_file_that_is_no_config(case, tmp_path):
    content, value = FILES[case]
    path = tmp_path / "overlay.yaml"
    path.write_bytes(content)
    text = refused(lambda: config.check_files([path]), "overlay.yaml")
    assert value in text, text


@pytest.mark.parametrize("name", ["talk.yaml", "claims.yaml"])
@pytest.mark.parametrize("case", ["syntax error", "Latin-1", "a key twice", "a Python object"])
def test_file_that_is_no_talk_file(name, case, folder):
    content, value = FILES[case]
    (folder / name).write_bytes(content)

    def load():
        claims_file.load(folder / "claims.yaml", registry.load_talk(TALK))

    text = refused(load, name)
    assert value in text, text


def test_missing_files_are_refused(folder, tmp_path):
    refused(lambda: config.check_files([tmp_path / "none.yaml"]), "none.yaml")
    refused(lambda: config.check_files([tmp_path]), tmp_path.name)
    (folder / "claims.yaml").unlink()
    talk = registry.load_talk(TALK)
    refused(lambda: claims_file.load(folder / "claims.yaml", talk), "claims.yaml")


def test_merge_keys_are_no_repetition(tmp_path):
    """Talk files share parameters by anchors and `<<`: an own key may override a merged one."""
    path = tmp_path / "good.yaml"
    path.write_text("a: &a {x: 1, y: 2}\nb: {<<: *a, x: 3}\nc: {<<: *a, x: 4}\n")
    config.check_files([path])
