"""Data sets: one module per set, each with `fetch` (files) or `generate` (own definition).

Sets that consist of files lie in a folder of their own below `data.folder`, with `meta.json`
written last: where they come from, how they were made, the SHA-256 of each file. `folders` names
them, `making` fetches or makes them.
"""
