"""`hopwise router`: what the routers of this computer's own networks say, and, if asked to, mappings made there."""

from __future__ import annotations

import argparse
import ipaddress
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from wizard.cli.arguments import add_password
from wizard.cli.exits import EXIT_USAGE, complain
from wizard.cli.project import load_project

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wizard.cli.arguments import Commands
    from wizard.model.forward import Forward

_LONGEST_LIFETIME_S = 30 * 24 * 3600


def add(commands: Commands) -> None:
    """Add it to the commands."""
    router = commands.add_parser("router", help="ask your router what it forwards, and have it forward the ports")
    router.add_argument("project", metavar="PROJECT", type=Path, nargs="?", help="the ports that it is about")
    router.add_argument("--json", action="store_true", help="print the result as JSON")
    wish = router.add_mutually_exclusive_group()
    wish.add_argument("--add", action="store_true", help="have the router map the ports that are missing there")
    wish.add_argument("--remove", action="store_true", help="have it take those mappings away")
    wish.add_argument("--guide", metavar="ID", help="send nothing; say what to enter on the router's own pages")
    router.add_argument(
        "--lifetime", metavar="S", type=_lifetime, help="seconds that a mapping lives (3600); 0: for good, UPnP only"
    )
    router.add_argument("--to", metavar="ADDRESS", type=_address, help="where to, if the project does not say")
    router.add_argument("--gateway", metavar="ADDRESS", type=_address, help="which of several routers")
    router.add_argument("--by", choices=("upnp", "pcp", "nat-pmp"), help="ask for mappings by this protocol only")
    router.add_argument("--server", metavar="URL", help="also ask this STUN server at which address it sees you")
    add_password(router)
    router.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    needs = next((name for name in ("add", "remove", "guide") if getattr(options, name)), None)
    if options.project is None and needs is not None:
        return complain(f"--{needs} needs the PROJECT that says which ports")
    project = None
    if options.project is not None:
        project = load_project(options.project)
        if project is None:
            return EXIT_USAGE
    from wizard.model.forward import forwards, router_of

    position = router_of(project) if project is not None else None
    if position is None and needs is not None:
        return complain(f"{options.project}: the path has no hop of the kind router")
    rules = () if project is None or position is None else forwards(project, position, host=options.to)
    if options.guide:
        return _print_guide(options.guide, rules)
    if needs is not None and any(rule.host is None for rule in rules):
        return complain(f"{options.project}: no hop behind the router has an address; say where to with --to ADDRESS")
    if needs is not None and any(_address_or_none(rule.host) is None for rule in rules):
        return complain(f"{options.project}: {rules[0].host} is a name; say where to with --to ADDRESS")
    server = None
    if options.server:
        from wizard.wire.uri import UriError, parse

        try:
            server = parse(options.server)
        except UriError as error:
            return complain(f"--server {error}")
    import asyncio

    from wizard.cli.router_run import RouterRun

    return asyncio.run(RouterRun(options, project, rules, server).run())


def _print_guide(guide_id: str, rules: Sequence[Forward]) -> int:
    from wizard.model.router_guide import guide, guides
    from wizard.report.router import RouterPage
    from wizard.report.text import terminal

    try:
        found = guide(guide_id)
    except KeyError:
        known = ", ".join(known.id for known in guides())
        return complain(f"--guide {guide_id}: no such guide; there are {known}")
    for line in RouterPage(terminal(sys.stdout, os.environ)).guide(found, rules):
        print(line)
    return 0


def _address(text: str) -> str:
    """Raises ArgumentTypeError."""
    if _address_or_none(text) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not an IP address")
    return text


def _address_or_none(text: str | None) -> str | None:
    try:
        return str(ipaddress.ip_address(text or ""))
    except ValueError:
        return None


def _lifetime(text: str) -> int:
    """Raises ArgumentTypeError."""
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) <= _LONGEST_LIFETIME_S):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0 to {_LONGEST_LIFETIME_S}")
    return int(text)
