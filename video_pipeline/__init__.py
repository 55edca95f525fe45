"""Turns each source video into everything needed to stream it, as Dagster assets."""

__version__ = "0.1.0"
