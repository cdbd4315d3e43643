"""Compiled libraries: kept, and compiled anew whenever anything they are made of changes."""

from whyspiking.compiler import libraries

CODE = """
#include "one.hpp"
#include "compiler/two.hpp"
extern "C" int one() { return kOne + kTwo; }
"""


def test_a_library_is_kept_under_all_that_it_is_made_of(tmp_path, monkeypatch):
    source, beside = tmp_path / "one.cpp", tmp_path / "one.hpp"
    shared = tmp_path / "shared" / "compiler" / "two.hpp"
    shared.parent.mkdir(parents=True)
    source.write_text(CODE)
    beside.write_text("constexpr int kOne = 1;\n")
    shared.write_text("constexpr int kTwo = 2;\n")
    monkeypatch.setattr(libraries, "COMPILER_FOLDER", shared.parent)
    monkeypatch.setattr(libraries, "FLAGS", ("-shared", "-fPIC"))
    changes = {
        "nothing": lambda: None,
        "source": lambda: source.write_text(f"{CODE}\n"),
        "header beside it": lambda: beside.write_text("constexpr int kOne = 3;\n"),
        "shared header": lambda: shared.write_text("constexpr int kTwo = 3;\n"),
        "flags": lambda: monkeypatch.setattr(libraries, "FLAGS", (*libraries.FLAGS, "-DOTHER")),
        "width": lambda: monkeypatch.setenv("WHYSPIKING_VECTORS", "baseline"),
    }
    found, times = [], []
    for change in ("nothing", *changes):
        changes[change]()
        found.append(libraries.build("one", [source], tmp_path / "cache"))
        times.append(found[0].stat().st_mtime_ns)
    assert found[0] == found[1] and len(set(times)) == 1, "made once and kept"
    assert len(set(found)) == len(changes), "anew after every change"
    assert not list(tmp_path.rglob("*.part"))
