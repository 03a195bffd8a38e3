"""Runs probes: sockets, time and nothing else."""
