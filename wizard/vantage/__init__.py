"""The places that probes are sent from."""
