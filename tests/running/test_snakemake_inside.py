"""What is taken of Snakemake is there; a job that outlives its run notes what it was made of."""

import json
from importlib import metadata

from made import scenes
from made.checkouts import ROOT

SNAKEFILE = """
from whyspiking.running import snakemake_inside

if not snakemake_inside.is_main(workflow):
    snakemake_inside.note_recipes()


configfile: "config.yaml"


rule train:
    output: "network"
    params: plan={"rate": config["rate"]}
    script: "train.py"
"""


def test_a_network_that_outlived_its_run_is_trained_again_where_the_recipe_changes(tmp_path):
    scenes.shutil.copytree(ROOT / "profiles", tmp_path / "profiles")
    (tmp_path / "workflow").symlink_to(ROOT / "workflow")
    (tmp_path / "config.yaml").write_text("rate: 1")
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    (tmp_path / "train.py").write_text(
        "open(snakemake.output[0], 'w').write(str(snakemake.params.plan['rate']))"
    )
    # As Snakemake starts a job on a node; its own process may be gone before the job has ended.
    scenes.finish(
        tmp_path,
        *("--mode", "remote", "--target-jobs", "train:", "--force", "--no-hooks"),
        *("--nolock", "--cores", "1"),
    )
    assert (tmp_path / "network").read_text() == "1"
    assert "Nothing to be done" in scenes.snakemake(tmp_path, "-n")[1]
    (tmp_path / "config.yaml").write_text("rate: 2")
    assert "rate 1 -> 2" in scenes.snakemake(tmp_path, "-n")[1]


LOOKING = """
import json
from pathlib import Path
from whyspiking.running import snakemake_inside as inside


configfile: "config.yaml"


FOUND = {
    "is_main": inside.is_main(workflow),
    "is_module": inside.is_module(workflow),
    "config_files": inside.config_files(workflow),
    "command_config": inside.command_config(workflow),
}


onstart:
    FOUND["is_local"] = inside.is_local(workflow)
    FOUND["due"] = [job.rule.name for job in inside.due(workflow)]
    FOUND["was_killed"] = inside.was_killed(workflow)
    FOUND["limited"] = workflow.scheduler.job_rate_limiter is not None
    inside.drop_rate_limit(workflow)
    inside.start_no_more(workflow)
    Path("found").write_text(json.dumps(FOUND))


rule train:
    output: "network"
    shell: "touch network"
"""


def test_all_that_is_taken_of_snakemake_is_in_the_pinned_version(tmp_path):
    pinned = f"\nsnakemake=={metadata.version('snakemake')} "
    assert pinned in (ROOT / "requirements.txt").read_text()
    (tmp_path / "workflow").symlink_to(ROOT / "workflow")
    (tmp_path / "config.yaml").write_text("rate: 1")
    (tmp_path / "Snakefile").write_text(LOOKING)
    scenes.snakemake(tmp_path, "--cores", "1", "--config", "rate=2")
    assert json.loads((tmp_path / "found").read_text()) == {
        "is_main": True,
        "is_module": False,
        "config_files": ["config.yaml"],
        "command_config": {"rate": 2},
        "is_local": True,
        "due": ["train"],
        "was_killed": False,
        "limited": True,
    }
    assert not (tmp_path / "network").exists(), "no job starts any more"
