"""The few controls that Qt does not have."""
