"""Hopwise: finds the hop that stops a self-hosted call, and says how to mend it."""

__version__ = "0.1.0"
