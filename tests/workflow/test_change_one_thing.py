"""docs/running.md, "Change one parameter": what the reader edits and types exists."""

import inspect
import re

import yaml
from made.checkouts import ROOT, finish

from whyspiking.declared import registry
from whyspiking.talks import talk_module

DOCUMENT = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
PAGE = DOCUMENT.partition("## Change one parameter\n")[2].partition("\n## ")[0]
TARGETS = re.findall(r"^snakemake (?!-n)(\S+)", PAGE, re.MULTILINE)


def test_the_value_to_edit_is_the_one_that_the_scale_takes():
    shown = yaml.safe_load(re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[1])
    xor = registry.load_talk("naud").experiments["xor"]
    ((name, published),) = shown["parameters"].items()
    assert xor.published[name] == published["value"]
    assert xor.changes("default")[name]["value"] == shown["scale_overrides"]["full"][name]["value"]
    assert f"edit the **{shown['scale_overrides']['full'][name]['value']}**" in PAGE


def test_what_it_has_typed_is_known_to_snakemake_and_the_figure_to_the_talk(checkout):
    assert len(TARGETS) == 3
    said = finish(checkout, "-n", *TARGETS)
    assert "simulate" in said and "figure 1, naud 1" in said
    figure = re.search(r"figures/naud-([a-z-]+)\.svg", PAGE)[1].replace("-", " ")
    assert f'"{figure}": ' in inspect.getsource(talk_module("naud", "figures"))
    assert all((ROOT / name).is_file() for name in re.findall(r"notebooks/\w+\.ipynb", PAGE))
