"""The commands of docs/cluster.md, as Snakemake reads them."""

import re
import shlex

from made.checkouts import ROOT
from snakemake.cli import get_argument_parser


def test_the_documented_command_works_as_it_stands_and_with_the_resources_of_a_site():
    """A word to be replaced would be taken for a name; targets come first, or after two dashes."""
    page = (ROOT / "docs/cluster.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```bash\nsource .venv/bin/activate\nuv .*\nsnakemake (.*)\n```", page)
    target, *options = shlex.split(shown)
    assert "=" not in shown
    for more in ([], shlex.split(re.findall(r"`(--default-resources .*?)`", page)[0])):
        for words in ([target, *options, *more], [*options, *more, "--", target]):
            given = get_argument_parser().parse_args(words)
            assert given.targets == ["goeltz"]
            assert {"slurm_partition", "runtime"} <= set(given.default_resources or ()) or not more
