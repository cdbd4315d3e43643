"""The septal-hippocampal network (NC19): compressed replay, and what is built on it."""
