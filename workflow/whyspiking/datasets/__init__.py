"""Data sets: one module per set, each with `fetch` (files) or `generate` (own definition)."""
