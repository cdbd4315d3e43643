"""A run as linked data: every reference resolves, every file is what is described, bad places."""

import hashlib
import json
import shutil
import socket

import pytest
from made.checkouts import ROOT

from whyspiking.errors import UserError
from whyspiking.records import finished, reference
from whyspiking_exchange.export import crate
from whyspiking_exchange.export.__main__ import main


@pytest.fixture(scope="module")
def recorded():
    """The crate of the recorded run: entities by identifier."""
    described = crate.describe(ROOT / reference.FOLDER, ROOT).metadata.generate()
    return {entity["@id"]: entity for entity in described["@graph"]}


@pytest.fixture
def project(tmp_path):
    """A project with a run of one talk, as the workflow leaves it."""
    for file in ("CITATION.cff", "README.md", "workflow/Snakefile", "config/config.yaml"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    run = tmp_path / "results" / "default"
    shutil.copytree(ROOT / reference.FOLDER / "naud", run / "naud")
    (run / "naud" / "report.html").write_text("<p>the page of a talk</p>")
    (run / "naud" / "measures.part.csv").write_text("no table of a run")
    shutil.copy(ROOT / reference.FOLDER / "costs.csv", run)
    manifest = json.loads((run / "naud" / "manifest.json").read_text())
    (run / "naud" / "manifest.json").unlink()
    for key in ("date", "talk", "inputs"):
        del manifest[key]
    manifest |= {"scale": "default", "command": "snakemake", "uncommitted_changes": True}
    (run / "manifest.json").write_text(json.dumps(manifest))
    return tmp_path


def references(value):
    """Identifiers that an entity refers to."""
    if isinstance(value, list):
        return [name for item in value for name in references(item)]
    return [value["@id"]] if isinstance(value, dict) else []


def test_the_profiles_find_what_they_demand(recorded):
    root, workflow = recorded["./"], recorded[crate.WORKFLOW]
    assert recorded[crate.NAME]["about"] == {"@id": "./"}
    assert set(references(root["conformsTo"])) == set(crate.PROFILES) <= set(recorded)
    assert references(root["mainEntity"]) == [crate.WORKFLOW]
    assert set(workflow["@type"]) == {"File", "SoftwareSourceCode", "ComputationalWorkflow"}
    assert recorded[workflow["programmingLanguage"]["@id"]]["name"] == "Snakemake"
    assert all(root[key] for key in ("name", "description", "datePublished", "license"))


def test_the_reference_is_one_run_of_one_commit(recorded):
    told = finished.find("reference").manifest
    run = recorded[references(recorded["./"]["mentions"])[0]]
    assert run["endTime"] == told["date"] and told["commit"] in run["description"]
    assert run["instrument"] == {"@id": crate.WORKFLOW} and "make record" in run["description"]
    results = set(references(run["result"]))
    for talk in reference.recorded(ROOT / reference.FOLDER):
        own = reference.FOLDER / talk
        assert {f"{own}/metrics.csv.gz", f"{own}/manifest.json"} <= results
    used = {recorded[name]["name"] for name in references(run["object"])}
    assert used == {"config.yaml", "energy.yaml", "full.yaml", *told["data"]}
    made_with = {recorded[n]["name"] for n in references(run["softwareRequirements"])}
    assert made_with == {"python", *told["versions"]}


def test_a_run_of_all_talks_is_one_and_names_what_was_not_committed(project):
    file = crate.write(project / "results" / "default", project)
    assert file == project / crate.NAME
    told = {e["@id"]: e for e in json.loads(file.read_text(encoding="utf-8"))["@graph"]}
    (name,) = references(told["./"]["mentions"])
    assert "not committed" in told[name]["description"]
    results = references(told[name]["result"])
    assert "results/default/naud/report.html" in results
    assert {"results/default/costs.csv", "results/default/naud/verdicts.csv"} <= set(results)
    assert not [name for name in told if "part" in name]
    for entity in told.values():
        if entity["@type"] == "File":
            content = (project / entity["@id"]).read_bytes()
            assert entity["sha256"] == hashlib.sha256(content).hexdigest()
            assert entity["contentSize"] == str(len(content))


def test_a_run_gives_the_same_crate_again_without_a_network(project, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a connection is opened")

    monkeypatch.setattr(socket, "socket", refuse)
    files = [crate.write(project / "results" / "default", project).read_text() for _ in range(2)]
    assert files[0] == files[1]
    entities = {entity["@id"]: entity for entity in json.loads(files[0])["@graph"]}
    (action,) = references(entities["./"]["mentions"])
    assert entities["./"]["datePublished"] == entities[action]["endTime"]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda p: (p / "workflow" / "Snakefile").unlink(), "not inside a folder with work"),
        (
            lambda p: (p / "results/default/manifest.json").unlink(),
            "contains neither manifest.json",
        ),
        (
            lambda p: (p / "results/default/manifest.json").write_text("{}"),
            "not a file that a finished job wrote",
        ),
        (
            lambda p: (p / "results/default/manifest.json").write_text(
                '{"commit": "", "versions": {}, "scale": "", "config": {"talks": []}}'
            ),
            "manifest.json: config_sha256, data, machine, .* is missing; expected the manifest",
        ),
    ],
)
def test_what_is_no_run_is_refused_and_nothing_written(project, spoil, words):
    spoil(project)
    with pytest.raises(UserError, match=words):
        crate.write(project / "results" / "default", project)
    assert not (project / crate.NAME).exists()


def test_the_command_says_where_it_wrote(project, monkeypatch, capsys):
    monkeypatch.chdir(project)
    assert main(["crate", "results/default"]) == 0
    assert capsys.readouterr().out.strip() == crate.NAME
    assert main(["crate", "results/nowhere"]) == 1
    assert "this folder does not exist" in capsys.readouterr().err
