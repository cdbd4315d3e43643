"""What compiled kernels share: `vectors.hpp`, which all that `native` compiles may include."""

from pathlib import Path

FOLDER = Path(__file__).parent
HEADERS = tuple(sorted(FOLDER.glob("*.hpp")))
