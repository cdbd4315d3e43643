"""eSpeak NG through ctypes: the library that the Python package brings, or the system's.

The library keeps state between utterances and its breathy voices use random numbers of its own, so
the same words come out bit for bit the same only if they are spoken in the same order, with the
same seed, by a fresh process. That is why one job speaks for one speaker, and why a process may
make one `Synthesiser` only.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from whyspiking.datasets.speech.voices import Manner
from whyspiking.errors import UserError

SYNCHRONOUS = 2  # output mode: the callback gets all samples before the call returns
UTF_8 = 1
RATE, PITCH, RANGE = 1, 3, 4
NO_EXIT = 0x8000  # report missing voice data, do not end the process


class Synthesiser:
    """Speaks words with the voices of eSpeak NG.

    Attributes:
        rate_hz: Sampling rate of what it speaks.
        version: Version of the library.
    """

    _made = False

    def __init__(self, seed: int) -> None:
        """Load and start the library.

        Args:
            seed: Of the library's own random numbers.

        Raises:
            UserError: If there is no library, or it does not work.
            RuntimeError: If this process has made one before.
        """
        if Synthesiser._made:
            raise RuntimeError(
                "one process can generate the words of one speaker only, because the library "
                "keeps a state"
            )
        library, data = _find_library()
        try:
            self._library = ctypes.CDLL(library)
        except OSError as error:
            raise UserError(f"eSpeak NG: {library} cannot be loaded ({error}); {REMEDY}") from None
        Synthesiser._made = True
        data_path = str(data).encode() if data else None
        self.rate_hz = int(self._library.espeak_Initialize(SYNCHRONOUS, 0, data_path, NO_EXIT))
        if self.rate_hz <= 0:
            raise UserError(f"eSpeak NG: {library} finds no voices in {data}; {REMEDY}")
        self._library.espeak_Info.restype = ctypes.c_char_p
        self.version = (self._library.espeak_Info(None) or b"unknown").decode().split()[0]
        self._library.espeak_ng_SetRandSeed.argtypes = [ctypes.c_long]
        self._library.espeak_ng_SetRandSeed(seed)
        self._heard: list[NDArray[np.int16]] = []
        # Kept as an attribute: the library calls it as long as it lives.
        self._callback = _CALLBACK(self._hear)
        self._library.espeak_SetSynthCallback(self._callback)

    def say(self, manner: Manner) -> NDArray[np.int16]:
        """Speak one word.

        Args:
            manner: Voice, text, rate, pitch and range are used.

        Returns:
            The wave, (sample,), at `rate_hz`.

        Raises:
            UserError: If the voice is missing or nothing was said.
        """
        self._heard.clear()
        if self._library.espeak_SetVoiceByName(manner.voice.encode()) != 0:
            raise UserError(f"eSpeak NG: it has no voice '{manner.voice}'; {REMEDY}")
        for parameter, value in (
            (RATE, manner.rate),
            (PITCH, manner.pitch),
            (RANGE, manner.pitch_range),
        ):
            self._library.espeak_SetParameter(parameter, int(value), 0)
        text = manner.text.encode("utf-8")
        self._library.espeak_Synth(text, len(text) + 1, 0, 0, 0, UTF_8, None, None)
        self._library.espeak_Synchronize()
        wave = np.concatenate([np.zeros(0, np.int16), *self._heard])
        if not wave.any():
            raise UserError(f"eSpeak NG: it generates no sound for '{manner.text}'; {REMEDY}")
        return wave

    def _hear(self, samples: ctypes._Pointer[ctypes.c_short], n_samples: int, _: int) -> int:
        if n_samples > 0 and samples:
            self._heard.append(np.ctypeslib.as_array(samples, (n_samples,)).copy())
        return 0


_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)

REMEDY = (
    "install the Python package espeakng-loader (it is in requirements.txt: `make environment`) "
    "or the system's eSpeak NG (Debian: libespeak-ng1, espeak-ng-data), version 1.52"
)


def _find_library() -> tuple[str, Path | None]:
    """Find the library and the folder of its voices; None where it knows that itself."""
    try:
        import espeakng_loader
    except ImportError:
        library = ctypes.util.find_library("espeak-ng")
        if library is None:
            raise UserError(f"eSpeak NG: its library is not installed; {REMEDY}") from None
        return library, None
    return str(espeakng_loader.get_library_path()), Path(espeakng_loader.get_data_path())
