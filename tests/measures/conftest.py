"""What several core tests share."""

from pathlib import Path
from typing import Any

import pytest
import yaml

CONFIG = Path(__file__).parents[2] / "config" / "config.yaml"


@pytest.fixture(scope="session")
def energy_config() -> dict[str, Any]:
    """The `energy` block of the project's own config: its constants are what is tested."""
    return yaml.safe_load(CONFIG.read_text(encoding="utf-8"))["energy"]
