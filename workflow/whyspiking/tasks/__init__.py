"""One folder per shared task; `README.md` says what each file holds and how to add a task."""
