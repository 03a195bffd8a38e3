"""nftables: what `nft -j list ruleset` and `nft list ruleset` print, and scripts as people write them; written as a
script."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

from wizard.configs.nft_listing import gather as gather_json
from wizard.configs.nft_meaning import meaning
from wizard.configs.nft_script import gather
from wizard.configs.nft_write import write
from wizard.configs.packet_filter.reading import FilterReading, reading
from wizard.configs.product import Likeness, Product
from wizard.configs.reading import Source, UnreadableError
from wizard.model.hop import HopKind
from wizard.model.phrase import Phrase

_TABLE = re.compile(r"^\s*(add\s+)?table\s+((ip6?|inet|arp|bridge|netdev)\s+)?[\w.-]+\s*(\{|$)", re.MULTILINE)
_COMMAND = re.compile(
    r"^\s*((sudo\s+)?nft\s+)?(add|insert|create)\s+(rule|chain|table|element|set|map)\s+\S+", re.MULTILINE
)
_SHELL = re.compile(
    r"^(?:.*\|\|)?\s*(?:sudo\s+)?nft\s+(?P<words>'?(?:add|insert|create|flush|delete|destroy)\s.*)$", re.MULTILINE
)
_SHEBANG = re.compile(r"#!\s*/usr/sbin/nft\b")


def recognise(text: str) -> Likeness:
    """A JSON document with the key nftables, or tables in braces."""
    head = text[:200_000].lstrip()
    if head.startswith("{"):
        return Likeness.SURE if re.match(r'\{\s*"nftables"\s*:', head) else Likeness.NO
    if _SHEBANG.match(head) or (_TABLE.search(head) and re.search(r"\bchain\s+\S+\s*\{", head)):
        return Likeness.SURE
    return Likeness.SURE if _COMMAND.search(head) or _SHELL.search(head) else Likeness.NO


def read(source: Source) -> FilterReading:
    """Raises UnreadableError for what nft would refuse."""
    text = source.text
    tables = gather_json(_parsed(text)) if text.lstrip().startswith("{") else gather(_script(text))
    if _SHELL.search(text) or not any("hook" in chain.told for chain in tables.chains.values()):
        tables.leave_open()
    if not tables.families:
        raise UnreadableError(Phrase("empty"))
    rules, notes = meaning(tables, source.outward)
    return reading("nftables", "nftables", source.name, rules, [*tables.notes, *notes])


def _script(text: str) -> str:
    """The script that lines of a shell hand to nft, each on its line; any other text as it is."""
    if not _SHELL.search(text):
        return text
    return "\n".join(_handed_over(line) for line in text.split("\n"))


def _handed_over(line: str) -> str:
    found = _SHELL.match(line)
    if found is None or line.lstrip().startswith("#"):
        return ""
    try:
        return " ".join(shlex.split(found["words"]))
    except ValueError:
        return ""


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as fault:
        raise UnreadableError(Phrase("syntax", {"text": fault.msg}), fault.lineno) from None
    except (RecursionError, ValueError):
        raise UnreadableError(Phrase("too-deep")) from None


PRODUCT = Product(
    id="nftables",
    title="nftables",
    kinds=(HopKind.FIREWALL, HopKind.ROUTER, HopKind.CONTAINER),
    recognise=recognise,
    read=read,
    write=write,
)
