"""Malformed configs and overlays are refused, each in one telling message.

A message must name the key and the wrong value, say what was expected, and what to do about it.
"""

import os

import pytest
from made.checkouts import ROOT
from made.project import talk_of
from made.refusal_cases import ABSENT, FILES, changed, good_config, refused, refused_at

from whyspiking.declared import config, registry
from whyspiking.declared.config import merge
from whyspiking.declared.renamed_keys import NEW_NAMES

# A rule of the models in `strict_yaml` each: path, value, what the message says of both.
MALFORMED = [
    ("", [], "is []; expected a mapping of keys to values"),
    ("colour", "green", "is not known; known keys: "),
    ("robustness_tests.n_trails", 3, "is not known; did you mean 'n_trials'?"),
    ("battery", {}, "is not known; 'battery' is now called 'robustness_tests'."),
    ("parity", {}, "is not known; 'parity' is now called 'agreement'."),
    *(
        (f"robustness_tests.{old}", 2, f"is not known; '{old}' is now called '{new}'.")
        for old, new in NEW_NAMES["config.yaml"].items()
        if old not in ("battery", "parity")
    ),
    ("robustness_tests.n_trials", ABSENT, "is missing; expected a whole number"),
    ("robustness_tests.n_trials", None, "is None; expected a whole number"),
    ("robustness_tests.n_trials", "7", "is '7'; expected a whole number"),
    ("robustness_tests.n_trials", 1.5, "is 1.5; expected a whole number"),
    ("robustness_tests.n_trials", 7.0, "is 7.0; expected a whole number"),
    ("robustness_tests.n_trials", True, "is True; expected a whole number"),
    ("robustness_tests.n_trials", 0, "is 0; must be at least 1"),
    ("robustness_tests.n_trials", 10**6 + 1, "is 1000001; must be at most 1000000"),
    (
        "robustness_tests.n_trials",
        9 * 10**22,
        "is 90000000000000000000000; expected a number between -1e+15 and 1e+15",
    ),
    ("robustness_tests.jitter.0", "many", "is 'many'; expected a number"),
    ("robustness_tests.jitter.0", 1e-300, "is 1e-300; must be at least 1e-06"),
    ("robustness_tests.jitter", 0.5, "is 0.5; expected a list"),
    ("robustness_tests.jitter", [], "is []; expected at least 1 entries"),
    (
        "robustness_tests.jitter",
        [0.5, 1.0, 0.5],
        "is [0.5, 1.0, 0.5]; entries must not be repeated",
    ),
    ("robustness_tests", None, "is None; expected a mapping of keys to values"),
    ("data", "resources", "is 'resources'; expected a mapping of keys to values"),
    ("data.download", "perhaps", "is 'perhaps'; expected true or false"),
    ("data.mnist_dir", 12.5, "is 12.5; expected text or null"),
    (
        "data.nmnist.source",
        "simulate",
        "is 'simulate'; expected one of ['auto', 'original', 'simulated']. Did you mean",
    ),
    ("data.words.speakers", 13, "is 13; must be at most 12"),
    ("build_folder", 12.5, "is 12.5; expected text"),
    ("results_folder", "../mine", "is '../mine'"),
    ("results_folder", "reference", "is 'reference'; expected a folder without reference results"),
    (
        "results_folder",
        "from_reference",
        "is 'from_reference'; expected a folder without reference results",
    ),
    ("agreement.score_difference", float("nan"), "is nan; expected a finite number"),
    ("agreement.score_difference", float("inf"), "is inf; expected a finite number"),
    ("energy.memory_pj_64bit.dram", 0.0, "is 0.0; must be greater than 0"),
    ("seeds.0", 2**32, "is 4294967296; must be at most 4294967295"),
    ("talks.0", "../goeltz", "is '../goeltz'; must match ^[a-z_]"),
]


@pytest.mark.parametrize(("path", "value", "says"), MALFORMED)
def test_malformed_config(path, value, says, monkeypatch):
    monkeypatch.chdir(ROOT)
    data = changed(good_config(), path, value)
    refused_at(lambda: config.check_config(data), path, says)


# ---- rules between keys, and between keys and the machine ----


def merged(changes):
    """What Snakemake makes of an overlay: mappings are merged, the rest is replaced."""
    values = good_config()
    merge(values, changes)
    return values


OVERLAYS = {
    "unknown talk": ({"talks": ["goltz"]}, "goltz", "goeltz"),
    "all and others": ({"talks": ["all", "goeltz"]}, "talks", "all"),
    "unknown experiment": (
        {"seeds_of": [{"experiment": "goeltz.yinyan", "seeds": [0]}]}, "seeds_of", "goeltz.yinyang",
    ),
    "experiment of no talk": (
        {"seeds_of": [{"experiment": "nobody.nothing", "seeds": [0]}]},
        "seeds_of", "nobody.nothing",
    ),
    "an experiment twice": (
        {"seeds_of": [{"experiment": "goeltz.few_spikes", "seeds": [s]} for s in (0, 1)]},
        "seeds_of", "goeltz.few_spikes",
    ),
    "seeds without parents": (
        {"scale": "full", "seeds_of": [{"experiment": "goeltz.few_spikes", "seeds": [70]}]},
        "seeds_of", "[70]",
    ),
    "operation that no cost model uses": (
        {"energy": {"operations_pj": {"add_int9": 1.0}}}, "energy.operations_pj", "add_int9",
    ),
    "memory that no cost model uses": (
        {"energy": {"memory_pj_64bit": {"sram_9kb": 1.0}}}, "energy.memory_pj_64bit", "sram_9kb",
    ),
    "folder with a wildcard": ({"data": {"folder": "data/{talk}"}}, "data.folder", "{talk}"),
    "missing folder": ({"data": {"mnist_dir": "nowhere"}}, "data.mnist_dir", "nowhere"),
    "file for a folder": ({"data": {"folder": "README.md"}}, "README.md", "is a file"),
    "file below a file": ({"build_folder": "README.md/build"}, "README.md", "is a file"),
    "frames that no talk expects": (
        {"talks": ["neftci"], "seeds_of": [], "data": {"nmnist": {"dt_ms": 9.0}}},
        "data.nmnist.dt_ms", "9.0",
    ),
    "fewer words than a talk classifies": (
        {"talks": ["masquelier"], "scale": "full", "seeds_of": [], "data": {"words": {"words": 5}}},
        "data.words.words", "5",
    ),
    "original recordings that are not there": (
        {"data": {"nmnist": {"source": "original"}}}, "data.nmnist.source", "original",
    ),
    "a folder that is a command": (
        {"build_folder": "resources/b;touch X;"}, "build_folder", "touch X",
    ),
    "a zero byte in a folder": ({"build_folder": "a\0b"}, "build_folder", "U+0000"),
    "a folder turned around": ({"build_folder": "a\u202eb"}, "build_folder", "U+202E"),
    "a long name of a folder": ({"build_folder": 5000 * "a"}, "aaaa", "File name too long"),
    "a long name of a folder that is read": (
        {"data": {"originals_dir": 5000 * "a"}}, "data.originals_dir", "exists",
    ),
    **{
        f"data in {folder}": ({"data": {"folder": folder}}, "data.folder", "separate folder")
        for folder in (".git", "results/smoke/goeltz", "/sys/x", "..")
    },
    **{
        f"programs in {folder}": ({"build_folder": folder}, "build_folder", "separate folder")
        for folder in ("workflow", "resources/data/in")
    },
    "programs beside everything": ({"build_folder": "."}, "data.folder", "separate folder"),
    "one folder for both": ({"build_folder": "resources/data"}, "data.folder", "separate folder"),
    "more than a hundred seeds": ({"seeds": [*range(101)]}, "seeds", "at most 100"),
    "a job for each recording": ({"data": {"nmnist": {"shard": 1}}}, "data.nmnist.shard", "jobs"),
    "a number of 400 digits": ({"seeds": [10**400]}, "seeds.0", "1e+15"),
}  # fmt: skip


@pytest.mark.parametrize("case", OVERLAYS)
def test_malformed_overlay(case, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(
        registry, "load_talk", talk_of
    )  # of all talks: it takes a fifth of a second
    changes, key, value = OVERLAYS[case]
    refused(lambda: config.check_config(merged(changes)), key, value)


WRITTEN = {
    "seeds": (["0", "12"], [0, 12]),
    "data": ({"download": "true", "mnist_dir": "null"}, {"download": True, "mnist_dir": None}),
    "talks": (["goeltz"], ["goeltz"]),
    "sixty": (["1:30", "010"], ["1:30", "010"]),
    "words": ("scale: [", "scale: ["),
    "number": (0.5, 0.5),
}


def test_what_the_command_line_tells_is_read_as_a_file_would_be():
    """Snakemake parses `--config seeds=[0]`, but not the numbers within."""
    told = {key: given for key, (given, _) in WRITTEN.items()}
    assert config.as_written(told) == {key: read for key, (_, read) in WRITTEN.items()}


def test_seeds_of_the_command_line_replace_those_of_experiments():
    entries = [
        {"experiment": "goeltz.yinyang", "seeds": [20, 21]},
        {"experiment": "goeltz.yinyang/spiking", "seeds": [20]},
        {"experiment": "goeltz.few_spikes", "seeds": []},
        {"experiment": "goeltz.substrates", "seeds": []},
        {"experiment": "goeltz.substrates/ideal", "seeds": [0]},
    ]

    def replaced(**command_line):
        values = merged({"seeds_of": entries, **command_line})
        return config.use_seeds_of_command_line(values, command_line), values

    line, values = replaced(seeds=[7, 8])
    for part in ("[7, 8]", "2 experiments", "all shared tasks"):
        assert part in line
    assert values["seeds_of"] == [
        {"experiment": "goeltz.few_spikes", "seeds": []},
        {"experiment": "goeltz.substrates", "seeds": []},
        {"experiment": "goeltz.substrates/ideal", "seeds": [7, 8]},
    ], "what is left out stays left out"
    assert values["shared"]["seeds"] == [7, 8]
    line, values = replaced(seeds=[7], shared={"seeds": [9]}, seeds_of=entries[:1])
    assert line == "", "the command line says all of it"
    assert values["shared"]["seeds"] == [9] and values["seeds_of"] == entries[:1]
    assert replaced(scale="smoke")[0] == ""
    # As where the workflow is a module, with a configuration that the command line does not change.
    values = merged({"seeds_of": entries})
    assert config.use_seeds_of_command_line(values, {"seeds": [7]}) == ""
    assert values["seeds_of"] == entries


TWICE = {
    "a key": (["seeds=[0]", "seeds=[1]"], "'seeds' is given twice"),
    "a key within": (["data={folder: a, folder: b}"], "key 'folder' stands in line 1 and again"),
    "no YAML": (["talks=[goeltz"], "--config talks: the file is not valid YAML"),
}


@pytest.mark.parametrize("case", TWICE)
def test_what_the_command_line_tells_twice_is_refused(case):
    """Snakemake would take the last one."""
    config.check_words(["snakemake", "-C", "seeds=[0]", "data={folder: a}", "-n", "seeds=[1]"])
    told, match = TWICE[case]
    refused(lambda: config.check_words(["snakemake", "-n", "--config", *told]), match)


def test_a_link_to_itself_is_no_folder_and_a_pipe_no_config(tmp_path, monkeypatch):
    """Reading a pipe waits for ever."""
    monkeypatch.chdir(tmp_path)
    os.mkfifo("overlay.yaml")
    refused(lambda: config.check_files(["overlay.yaml"]), "overlay.yaml: this is not a file")
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "default").symlink_to("default")
    refused(lambda: config.check_config(good_config()), "'results/default' is a link that leads")


@pytest.mark.parametrize("brace", "{}")
def test_a_project_below_braces_is_refused(brace, tmp_path, monkeypatch):
    folder = tmp_path / f"a{brace}b"
    folder.mkdir()
    monkeypatch.chdir(folder)
    refused(lambda: config.check_config(good_config()), str(folder))


def test_a_folder_of_another_user_is_refused(tmp_path, monkeypatch):
    """Snakemake would end in a traceback for its own."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".snakemake").mkdir()
    monkeypatch.setattr(os, "access", lambda path, mode: path.name != ".snakemake")
    refused(lambda: config.check_config(good_config()), "'.snakemake' is not writable")


# ---- files as such ----


@pytest.mark.parametrize("case", FILES)
def test_file_that_is_no_config(case, tmp_path):
    content, value = FILES[case]
    path = tmp_path / "overlay.yaml"
    path.write_bytes(content)
    refused(lambda: config.check_files([path]), "overlay.yaml", value)


def test_merge_keys_are_no_repetition(tmp_path):
    """Talk files share parameters by anchors and `<<`: an own key may override a merged one."""
    path = tmp_path / "good.yaml"
    path.write_text("a: &a {x: 1, y: 2}\nb: {<<: *a, x: 3}\nc: {<<: *a, x: 4}\n")
    config.check_files([path])
