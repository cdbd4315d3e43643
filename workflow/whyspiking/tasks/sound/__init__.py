"""The shared task Sound localisation: README.md says what it asks."""
