"""FORCE in networks of spiking neurons (NC17), and its rule in the tasks that all talks share."""
