"""Observations to a verdict: which hop stops which port, why, and what to do."""
