"""What a manifest tells of a run, and what is nobody's concern."""

import pandas as pd
from made.project import config

from whyspiking.stages import provenance


def test_folders_of_the_user_are_told_as_given(tmp_path):
    made = config("default")
    made["data"] |= dict.fromkeys(("originals_dir", "mnist_dir"), str(tmp_path / "somebody"))
    made["data"]["folder"] = str(tmp_path)
    told = provenance.manifest(made, pd.DataFrame(columns=pd.Index(["rule", "talk"])), 1.0)
    assert "somebody" not in repr(told) and told["config"]["data"]["mnist_dir"] == "given"
