"""What workflow catalogs and archives ask for: layout, use as a module, metadata that agree."""

import json
import re
import shutil
import tomllib

import yaml
from made.checkouts import ROOT, finish, only

DEPLOYED = """
configfile: "config/config.yaml"


module whyspiking:
    snakefile:
        "{snakefile}"
    config:
        config


use rule * from whyspiking
"""
"""As `snakedeploy deploy-workflow` writes it into a folder of the user's."""


def test_the_workflow_runs_as_a_module_from_a_folder_of_its_user(tmp_path):
    shutil.copytree(ROOT / "config", tmp_path / "config")
    only(tmp_path, "goeltz")
    text = DEPLOYED.format(snakefile=ROOT / "workflow" / "Snakefile")
    (tmp_path / "workflow").mkdir()
    (tmp_path / "workflow" / "Snakefile").write_text(text)
    said = finish(tmp_path, "--configfile", "config/smoke.yaml", "--dry-run", "--quiet", "rules")
    jobs = dict(re.findall(r"^(\w+) +(\d+)$", said, re.MULTILINE))
    assert {kind: jobs.get(kind) for kind in ("collect", "page", "all", "slides")} == {
        "collect": "1", "page": "1", "all": "1", "slides": "1"
    }, said  # fmt: skip
    assert int(jobs["train"]) > 3


def test_archives_are_told_the_same_by_all_files():
    zenodo = json.loads((ROOT / ".zenodo.json").read_text(encoding="utf-8"))
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for ours, theirs in (("title", "title"), ("description", "abstract"), ("keywords", "keywords")):
        assert zenodo[ours] == citation[theirs], ours
    assert [creator["name"] for creator in zenodo["creators"]] == [
        author["name"] for author in citation["authors"]
    ]
    assert zenodo["license"] == citation["license"] == project["license"]
    assert zenodo["upload_type"] == citation["type"] == "software"
    assert zenodo["version"] == str(citation["version"]) == project["version"]
