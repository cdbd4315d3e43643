"""What the code never does: run what a file holds, trust a path in an archive, start a shell."""

import ast
import json
import re
import subprocess
from pathlib import Path

from made.checkouts import ROOT, repository

PICKLING = {"pickle", "_pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}
NETWORK = {"requests", "httpx", "aiohttp", "ftplib", "telnetlib", "smtplib", "socket", "http"}
FETCHING = {ROOT / "workflow/whyspiking/datasets/archives.py"}
"""The one place that opens an address."""


def sources() -> dict[Path, str]:
    """Python of the package, the scripts, the benchmarks and the notebooks."""
    found = {}
    for folder in ("workflow", "exchange", "maintain", "article", "packages"):
        for path in (ROOT / folder).rglob("*.py"):
            if "tests" not in path.parts:
                found[path] = path.read_text(encoding="utf-8")
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        found[path] = "\n".join(code)
    return found


SOURCES = sources()
TREES = {path: ast.parse(text) for path, text in SOURCES.items()}


def calls():
    """Every call: file, dotted name as written, node."""
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                yield path, ast.unparse(node.func), node


def given(node: ast.Call, name: str):
    """The literal value of a keyword, None where it is not given."""
    for keyword in node.keywords:
        if keyword.arg == name and isinstance(keyword.value, ast.Constant):
            return keyword.value.value
    return None


def test_there_is_something_to_check():
    assert len(SOURCES) > 150
    assert sum(1 for _ in calls()) > 5000


def imported():
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield path, alias.name.partition(".")[0]
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield path, node.module.partition(".")[0]


def test_nothing_that_unpickles_or_opens_connections_is_imported():
    found = [(str(path), name) for path, name in imported() if name in PICKLING | NETWORK]
    assert not found
    names = {"read_pickle", "to_pickle", "read_hdf", "unpack_archive", "extractall", "urlopen"}
    loads = {"torch.load", "yaml.unsafe_load", "yaml.full_load", "pd.eval", "tempfile.mktemp"}
    assert not [
        (str(path), name)
        for path, name, _ in calls()
        if name.rpartition(".")[2] in names or name in loads
    ]


def test_numpy_reads_and_writes_no_objects():
    seen = 0
    for path, name, node in calls():
        if name in ("np.load", "numpy.load", "np.save", "np.savez", "np.savez_compressed"):
            seen += 1
            assert given(node, "allow_pickle") is False, f"{path}:{node.lineno}"
    assert seen >= 3


def test_matlab_files_are_read_by_the_names_of_their_variables():
    found = [node for _, name, node in calls() if name.rpartition(".")[2] == "loadmat"]
    assert found
    assert all(any(k.arg == "variable_names" for k in node.keywords) for node in found)


def test_yaml_is_read_by_safe_loaders():
    for path, name, node in calls():
        if name == "yaml.load":
            assert "Safe" in ast.unparse(node) or "Loader" in ast.unparse(node), path
        if name in ("yaml.load_all", "yaml.safe_load_all"):
            raise AssertionError(path)
    from whyspiking.declared import strict_yaml

    assert strict_yaml.Loader.__name__ in ("CSafeLoader", "SafeLoader")


def test_no_text_becomes_code_and_no_shell_is_started():
    builtin = {"eval", "exec", "compile", "__import__"}
    shells = {"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"}
    for path, name, node in calls():
        place = f"{path}:{node.lineno}"
        assert name not in builtin, place
        assert name not in shells, place
        if name.startswith("subprocess."):
            assert given(node, "shell") is None, place
            first = node.args[0] if node.args else None
            assert not isinstance(first, ast.Constant | ast.JoinedStr), f"{place}: one long word"


def test_rules_start_no_shell():
    workflow = ROOT / "workflow"
    for path in (workflow / "Snakefile", *(workflow / "rules").glob("*.smk")):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"^\s*(shell|run)\s*:", text, re.MULTILINE), path
        assert not re.search(r"\b(eval|exec)\(", text), path


def test_addresses_are_opened_in_one_place_only():
    places = {
        path for path, name, _ in calls() if name.endswith((".open", "build_opener")) and
        "opener" in name
    }  # fmt: skip
    assert places == FETCHING
    for path, text in SOURCES.items():
        if "w3.org" not in text:
            assert not re.search(r"[\"'](http|ftp)://", text), path


def test_weak_hashes_are_not_used_for_security():
    for path, name, node in calls():
        if name.rpartition(".")[2] in ("md5", "sha1"):
            assert given(node, "usedforsecurity") is False, f"{path}:{node.lineno}"


def test_pages_escape_what_they_are_filled_with():
    """Scripts are no pages: that names cannot become code, test_script.py of nir shows."""
    made = [(path, node) for path, name, node in calls() if name == "jinja2.Environment"]
    found = [node for path, node in made if not str(path).endswith("nir/script.py")]
    assert found and len(found) == len(made) - 1
    assert all(given(node, "autoescape") is True for node in found)


def test_the_tests_that_documents_name_are_there():
    there = {path.name for path in repository("test_*.py", "*/test_*.py")}
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")):
        named = set(re.findall(r"\btest_\w+\.py", path.read_text(encoding="utf-8")))
        assert named <= there, path
        assert named or path.name != "SECURITY.md"


def test_the_script_of_ci_is_sound():
    path = ROOT / ".ci" / "run"
    assert subprocess.run(["bash", "-n", str(path)], check=False).returncode == 0
    assert path.stat().st_mode & 0o111
