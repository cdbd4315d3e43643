"""`python -m whyspiking.export`, which `exchange/` does: what was trained, for other tools."""

from whyspiking import beside

if __name__ == "__main__":
    beside.run("whyspiking_exchange.export", "exchange")
