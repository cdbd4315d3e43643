"""The shared task Yin-Yang: README.md says what it asks."""
