"""The shared task Randman: README.md says what it asks."""
