"""Files that the authors of four talks released: what is said of one that is missing, or another.

What each of them holds is tested beside its talk.
"""

import hashlib
from dataclasses import replace

import pytest
from made.fulfilled import fulfilled
from made.project import params_of, silent

from whyspiking.contract.randomness import Streams
from whyspiking.errors import UserError
from whyspiking.talks.bohte import released_ecg, released_pixels
from whyspiking.talks.comsa import released as comsa
from whyspiking.talks.goeltz import chip
from whyspiking.talks.goeltz import released as goeltz
from whyspiking.talks.masquelier import released as masquelier

FILES = {
    "bohte/released/spiking": released_ecg.RELEASED.file,
    "bohte/released_smnist/spiking": released_pixels.RELEASED.file,
    "comsa/released/slow": comsa.FILES["slow"],
    "comsa/released/fast": comsa.FILES["fast"],
    "goeltz/released_chip/authors": chip.NETWORK,
    "goeltz/released_yinyang/authors": goeltz.FILES["yinyang"],
    "goeltz/released_mnist/authors": goeltz.FILES["mnist"],
    "masquelier/released/authors": masquelier.FILE,
}
OTHER = b"something else"


@pytest.mark.parametrize("network", FILES)
def test_a_missing_file_is_named_and_another_refused(network, tmp_path):
    (talk, experiment, variant), (file, digest) = network.split("/"), FILES[network]

    def train(folder):
        own = replace(params_of(talk, experiment), originals_dir=folder)
        return fulfilled(own).train(own, variant, Streams(0), {}, silent)

    for folder, why in ((None, f"{file} (data.originals_dir is not set)"),
                        (tmp_path, f"{file} is not in data.originals_dir")):  # fmt: skip
        made = train(folder)
        assert not made.arrays and made.info["unavailable"] == f"file not available: {why}"
    (tmp_path / file).write_bytes(OTHER)
    found = hashlib.sha256(OTHER).hexdigest()
    with pytest.raises(
        UserError, match=f"{file}: the SHA-256 is {found}; expected {digest}. Download"
    ):
        train(tmp_path)
