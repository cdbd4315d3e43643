"""`python -m whyspiking.recording`, which `maintain/` does: the record and what follows from it."""

from whyspiking import beside

if __name__ == "__main__":
    beside.run("whyspiking_maintain", "maintain")
