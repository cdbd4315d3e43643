"""The shared task Span recall: README.md says what it asks."""
