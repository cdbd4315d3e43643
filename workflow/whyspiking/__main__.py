"""`python -m whyspiking`, which `exchange/` does: measure, samples, brian, rule."""

from whyspiking import beside

if __name__ == "__main__":
    beside.run("whyspiking_exchange", "exchange")
