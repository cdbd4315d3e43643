"""Settings shared by all tests, and the widths of vectors that kernels are tested at."""

import functools
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from whyspiking import arithmetic

arithmetic.set_variables()  # before anything loads numpy

from made.checkouts import ROOT, copy_workflow, finish, use_builds
from made.once import once

MACROS = {"baseline": None, "avx2": "__AVX2__", "native": "__AVX512F__"}
"""What compilers define where a choice of `arithmetic.MARCH` is in use, and in no narrower one."""


def _keep_programs() -> None:
    """Keep what XLA compiles for the next test run: the same programs give the same bits.

    Apart from what runs of the workflow keep. A worker has a folder of its own, since JAX does not
    write its files at once; what was compiled for other instructions lies elsewhere.
    """
    made_for = f"{arithmetic.target()} {arithmetic.processor()}"
    kind = hashlib.sha256(made_for.encode()).hexdigest()[:12]
    worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
    os.environ["JAX_COMPILATION_CACHE_DIR"] = str(ROOT / ".pytest_cache" / "jax" / kind / worker)
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"


_keep_programs()


@pytest.fixture(params=MACROS)
def vectors(request, monkeypatch) -> Iterator[str]:
    """Kernels compiled for vectors of one width: each that the processor has, in turn.

    Runs use AVX2. The others are compiled for tests only: the same code, optimised less.
    """
    from whyspiking.compiler import libraries

    width = request.param
    wider = [MACROS[name] for name in list(MACROS)[list(MACROS).index(width) + 1 :]]
    if width not in arithmetic.able():
        pytest.skip(f"this processor has no instructions of the kind {width}")
    if width != arithmetic.vectors():
        monkeypatch.setattr(libraries, "FLAGS", ("-O1", *libraries.FLAGS[1:]))
    monkeypatch.setenv(arithmetic.VARIABLE, width)
    defined = _macros((*libraries.FLAGS, arithmetic.compiler_flag()))
    if MACROS[width] and MACROS[width] not in defined:
        pytest.skip(f"this processor has no vectors of the kind {width}")
    assert not defined.intersection(wider)
    _forget_libraries()
    yield width
    _forget_libraries()


@functools.cache
def _macros(flags: tuple[str, ...]) -> set[str]:
    from whyspiking.compiler import toolchain

    command = [*toolchain.compiler(), *flags, "-dM", "-E", "-x", "c++", os.devnull]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {line.split()[1] for line in done.stdout.splitlines()}


def _forget_libraries() -> None:
    for name, module in list(sys.modules.items()):
        if name.startswith("whyspiking."):
            for own in ("library", "_library", "registered"):
                if hasattr(found := getattr(module, own, None), "cache_clear"):
                    found.cache_clear()


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The folder of all workers of this test run: `made.once` makes there what they share."""
    own = tmp_path_factory.getbasetemp()
    folder = (own if worker_id == "master" else own.parent) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def builds() -> Path:
    """Where test runs keep the programs that Brian2 makes, for the next one as well.

    As in a run of the workflow a program is named by the digest of all that it is made of.
    """
    folder = ROOT / ".pytest_cache" / "builds"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def smoke_run(shared: Path, builds: Path) -> Path:
    """A finished smoke run of the whole workflow, apart from what the checkout holds but MNIST."""

    def make(folder: Path) -> None:
        copy_workflow(folder)
        data = Path("resources", "data", "mnist")
        use_builds(folder, builds)
        if (ROOT / data / "meta.json").is_file():
            shutil.copytree(ROOT / data, folder / data)
        finish(folder, "--configfile", "config/smoke.yaml")

    return once(shared / "smoke-run", make)
