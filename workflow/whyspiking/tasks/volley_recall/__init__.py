"""The shared task Volley recall: README.md says what it asks."""
