"""What a home router's table forwards, as a person copies it from Hopwise into the router's page."""

from __future__ import annotations

import csv

from .whole import Row


def rows_of(table: str) -> list[Row]:
    """The rows of a router's table in Markdown, as a person copies them into the router's page."""
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line[:1] == "|"]
    return [(row[3].lower(), row[1], row[4], row[2]) for row in cells[2:]]


def csv_rows(table: str) -> list[Row]:
    """The rows of a table in CSV."""
    return [(row[3].lower(), row[1], row[4], row[2]) for row in list(csv.reader(table.splitlines()))[1:]]


def with_rows(table: str, rows: list[Row]) -> str:
    """A router's table as CSV, with rows added."""
    return table + "".join(f"added,{outer},{inner},{protocol},{host}\n" for protocol, outer, host, inner in rows)
