"""docs/running.md, "Change one parameter": what the reader edits and types exists."""

import inspect
import re
import shlex

import yaml
from made.checkouts import ROOT, finish

from whyspiking.declared import registry
from whyspiking.talks import talk_module

DOCUMENT = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
PAGE = DOCUMENT.partition("## Change one parameter\n")[2].partition("\n## ")[0]
COMMANDS = re.findall(r"^(snakemake [^#\n]*)", PAGE, re.MULTILINE)


def test_the_shown_parameters_can_be_changed(checkout):
    shown = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[1]
    goeltz = registry.load_talk("goeltz").experiments["yinyang"]
    for key, value in yaml.safe_load(shown)["set"].items():
        assert goeltz.published[key.rpartition(".")[2]] != value
    (checkout / "mine.yaml").write_text(shown)
    said = finish(checkout, "-n", "goeltz", "--configfile", "mine.yaml")
    assert "goeltz.yinyang.n_hidden" in said and "goeltz.yinyang/mlp.control_epochs" in said


def test_what_it_has_typed_is_known_to_snakemake_and_the_figure_to_the_talk(checkout):
    assert len(COMMANDS) == 3
    for command in COMMANDS:
        said = finish(checkout, "-n", *shlex.split(command)[1:])
        assert "goeltz.yinyang.n_hidden" in said and "train" in said
    figure = re.search(r"results/mine/goeltz/figures/goeltz-([a-z-]+)\.svg", PAGE)
    assert "figure 1" in finish(checkout, "-n", figure[0], "--config", "results_folder=mine")
    title = figure[1].replace("-", " ")
    assert f'"{title}": ' in inspect.getsource(talk_module("goeltz", "figures"))
    assert all((ROOT / name).is_file() for name in re.findall(r"notebooks/\w+\.ipynb", PAGE))
