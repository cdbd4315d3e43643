"""Fashion-MNIST: four files in the format of MNIST, checked byte for byte; nothing is downloaded.

They are read from `data.fashion_dir`, or from where Debian's package dataset-fashion-mnist puts
them. Splits are made as those of MNIST: `mnist.samples`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from whyspiking.contract.data_folders import FASHION, fashion_dir
from whyspiking.datasets import published
from whyspiking.datasets.archives import Refused
from whyspiking.errors import UserError

FILES = {
    "train-images-idx3-ubyte": (
        47040016,
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    ),
    "train-labels-idx1-ubyte": (
        60008,
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    ),
    "t10k-images-idx3-ubyte": (
        7840016,
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    ),
    "t10k-labels-idx1-ubyte": (
        10008,
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
}
"""Name -> (bytes, SHA-256) of the published files, unzipped (zalandoresearch/fashion-mnist)."""


def fetch(config_data: Mapping[str, Any]) -> Path:
    """Make sure that the four files lie, checked, in `<data.folder>/fashion`.

    Args:
        config_data: The `data` block of the config: folder, fashion_dir.

    Raises:
        UserError: If they are not where they are looked for, or are others.
    """
    source, folder = fashion_dir(config_data), Path(config_data["folder"]) / FASHION
    try:
        contents = published.from_folder(source, FILES)
        published.check(contents, FILES)
    except Refused as reason:
        raise UserError(
            f"Fashion-MNIST: {source}: {reason}; expected its four files, raw or .gz. Install "
            "Debian's package dataset-fashion-mnist, or put the files of "
            "zalandoresearch/fashion-mnist into a folder and set 'data.fashion_dir' to it"
        ) from None
    published.keep(contents, folder)
    return folder
