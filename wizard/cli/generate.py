"""`hopwise generate`: a product's configuration for the plan, on standard output."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from wizard.cli.exits import EXIT_USAGE, complain
from wizard.cli.project import load_project, usable_configs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wizard.cli.arguments import Commands
    from wizard.configs.product import Product
    from wizard.model.hop import Hop
    from wizard.model.project import Project


LANGUAGES = ("en", "zh_CN")


def add(commands: Commands) -> None:
    """Add it to the commands."""
    generate = commands.add_parser("generate", help="print a product's configuration for this plan")
    generate.add_argument("product", metavar="PRODUCT", nargs="?", help="what to write, such as ufw (see --list)")
    generate.add_argument("project", metavar="PROJECT", nargs="?", type=Path)
    generate.add_argument("--hop", metavar="ID", help="the hop that it is for, where several could be")
    generate.add_argument(
        "--all", action="store_true", help="every planned port, not only what the imported configuration lacks"
    )
    generate.add_argument("--undo", action="store_true", help="print what takes it back instead")
    generate.add_argument(
        "--language",
        choices=LANGUAGES,
        help="of its comments, steps and cautions (default: that of the terminal)",
    )
    generate.add_argument("--list", action="store_true", help="name the products")
    generate.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from wizard.configs.products import products

    writers = {known.id: known for known in products() if known.write is not None}
    if options.list:
        for known in writers.values():
            print(f"{known.id:22} {known.title}")
        return 0
    if options.product is None or options.project is None:
        return complain("generate needs a PRODUCT and a PROJECT; hopwise generate --list names the products")
    if options.product not in writers:
        return complain(f"{options.product}: no such product; there are {', '.join(writers)}")
    project = load_project(options.project)
    if project is None:
        return EXIT_USAGE
    hop = _hop(project, writers[options.product], options)
    return EXIT_USAGE if hop is None else _write(project, hop, writers[options.product], options)


def _hop(project: Project, product: Product, options: argparse.Namespace) -> Hop | None:
    """The hop that is written for; None if it cannot be told, which is said."""
    named = [hop for hop in project.hops if hop.id == options.hop]
    if options.hop is not None:
        if not named:
            complain(f"--hop {options.hop}: no such hop; there are {', '.join(hop.id for hop in project.hops)}")
        return named[0] if named else None
    configured = {config.hop for config in project.configs if config.product == product.id}
    could_be = [hop for hop in project.hops if hop.kind in product.kinds]
    chosen = [hop for hop in could_be if hop.id in configured] or could_be
    # Of the kinds that a product can be, the likeliest come first.
    likeliest = [hop for kind in product.kinds for hop in chosen if hop.kind is kind]
    first = [hop for hop in likeliest if hop.kind is likeliest[0].kind]
    if len(first) == 1:
        return first[0]
    kinds = ", ".join(kind.value for kind in product.kinds)
    if not first:
        complain(f"{options.project}: no hop can be {product.title} (that is a {kinds}); name one with --hop")
    else:
        complain(f"several hops could be {product.title}: name one with --hop: {', '.join(h.id for h in first)}")
    return None


def _write(project: Project, hop: Hop, product: Product, options: argparse.Namespace) -> int:
    from wizard.configs.coverage import coverage, wanted
    from wizard.configs.product import Order
    from wizard.configs.words import say
    from wizard.observation import Coverage

    language: str = options.language or _of_the_terminal(os.environ)
    readings = usable_configs(project, options.project.parent, language)
    existing = next((r for r in readings.get(hop.id, ()) if r.product == product.id), None)
    rows = None if options.all or hop.id not in readings else coverage(project, {hop.id: readings[hop.id]})
    ports = wanted(project, hop.id, rows)
    order = Order(project, hop, ports, existing, language)
    if not ports and not (product.lacks is not None and product.lacks(order)):
        untold = [
            f"{row.protocol} {row.outside}"
            for row in rows or ()
            if row.hop == hop.id and row.coverage is Coverage.UNKNOWN
        ]
        but = f" for certain, but of {', '.join(untold)} it cannot be told" if untold else ""
        print(f"hopwise: nothing is missing at {hop.id}{but}; --all writes everything", file=sys.stderr)
        return 0
    assert product.write is not None
    written = product.write(order)
    for caution in written.cautions:
        print(f"hopwise: {say(caution, language)}", file=sys.stderr)
    print((written.undo if options.undo else written.text).rstrip("\n"))
    return 0


def _of_the_terminal(environment: Mapping[str, str]) -> str:
    """The language of the terminal's messages, by the first of the variables that is set (POSIX.1-2017, 8.2)."""
    locale = next((environment[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)), "")
    return "zh_CN" if locale.startswith("zh") else "en"
