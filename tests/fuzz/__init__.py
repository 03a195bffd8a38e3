"""Servers that do what no server may."""
