"""A job that outlives its run notes what it was made of, so that a change of it runs it again."""

from made import scenes
from made.checkouts import ROOT

SNAKEFILE = """
from whyspiking.running import job_records

if not workflow.is_main_process:
    job_records.keep()


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
