"""`hopwise import`: builds or extends a project from configuration files."""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from wizard.cli.exits import EXIT_USAGE, complain, reason
from wizard.cli.project import load_project

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wizard.cli.arguments import Commands
    from wizard.configs.placing import Given, Unplaced
    from wizard.configs.reading import Server
    from wizard.model.project import Project

_NAMED = re.compile(r"(?P<hop>[a-z0-9-]+)=(?P<file>.+)")


def add(commands: Commands) -> None:
    """Add it to the commands."""
    parser = commands.add_parser("import", help="build or extend a project from configuration files")
    parser.add_argument(
        "files",
        metavar="FILE",
        nargs="+",
        help="a configuration, outermost hop first; HOP=FILE says which hop of the project it is of",
    )
    parser.add_argument("-o", "--output", metavar="PROJECT", type=Path, required=True, help="the project file")
    parser.add_argument("--product", metavar="ID", help="what the files are of, where they do not show it themselves")
    parser.add_argument("--name", help="the name of a new project (default: that of its file)")
    parser.add_argument("--public-address", metavar="ADDRESS", help="the address or name that clients use")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from wizard.configs.assembling import NO_ADDRESS, assemble
    from wizard.configs.placing import Unplaced
    from wizard.model.save import save
    from wizard.model.validate import validate

    output: Path = options.output
    old = load_project(output) if output.exists() else None
    if output.exists() and old is None:
        return EXIT_USAGE
    given = _given(options.files, output.parent, options.product)
    if given is None:
        return EXIT_USAGE
    while True:
        try:
            project = assemble(given, old, options.name or output.stem, options.public_address)
            break
        except Unplaced as question:
            answered = _asked(given, question)
            if answered is None:
                return EXIT_USAGE
            given = answered
    if not project.ports:
        return complain(_without_ports(given, output))
    problems = validate(project)
    for problem in problems:
        print(f"hopwise: {output}: {problem}", file=sys.stderr)
    if problems:
        return EXIT_USAGE
    try:
        save(project, output)
    except OSError as error:
        return complain(f"-o {output}: {reason(error)}")
    _tell(project, given)
    _keep([server for file in given for server in file.reading.servers])
    print(f"The project is in {output}")
    if project.public_address == NO_ADDRESS:
        print(
            f"hopwise: none of these files tells how clients reach the service: write its address or name "
            f"as public_address in {output}",
            file=sys.stderr,
        )
    return 0


def _without_ports(given: Sequence[Given], output: Path) -> str:
    """Why files that tell of no port make no project, and what to do with them instead."""
    files = ", ".join(file.reading.file for file in given)
    says = "says" if len(given) == 1 else "say"
    if all(file.reading.servers and not file.reading.pieces for file in given):
        tested = f"test its servers with hopwise ice --servers {given[0].reading.file}"
        return (
            f"{files} {says} nothing of ports that a path needs; {tested}, or give -o a project that has ports, "
            f"to add the servers to"
        )
    return (
        f"{files} {says} nothing of the ports that clients use, so {output} was not written; add the file of the "
        f"service, container or tunnel client, or give -o a project that has ports"
    )


def _given(files: Sequence[str], folder: Path, product: str | None) -> list[Given] | None:
    """The files, read; None if one cannot be, which is said."""
    from wizard.configs.placing import Given
    from wizard.configs.reading import UnreadableError
    from wizard.configs.words import say_of
    from wizard.system.config_files import read_file

    found: list[Given] = []
    for word in files:
        named = None if Path(word).exists() else _NAMED.fullmatch(word)
        path = Path(named["file"] if named else word)
        # The project names the file from where the project itself is, so that both can be moved together.
        name = os.path.relpath(path, folder) if not path.is_absolute() else str(path)
        try:
            found.append(Given(read_file(path, name, product), named["hop"] if named else None))
        except UnreadableError as error:
            complain(say_of(str(path), error))
            return None
    return found


def _asked(given: Sequence[Given], question: Unplaced) -> list[Given] | None:
    """The files with the answer to which hop one of them is of; None if there is nobody to ask."""
    from dataclasses import replace

    choices = ", ".join(question.hops)
    if not sys.stdin.isatty():
        complain(f"{question.file}: which hop is it of? Write HOP={question.file}, with one of {choices}")
        return None
    answer = ""
    while answer not in question.hops:
        answer = input(f"{question.file}: which hop is it of ({choices})? ").strip()
    return [replace(file, hop=answer) if file.reading.file == question.file else file for file in given]


def _tell(project: Project, given: Sequence[Given]) -> None:
    from wizard.configs.products import product
    from wizard.configs.words import say_of

    for file in given:
        hops = [config.hop for config in project.configs if config.file == file.reading.file]
        where = f" -> {', '.join(hops)}" if hops else ""
        print(f"{file.reading.file}: {product(file.reading.product).title}{where}")
        for note in file.reading.notes:
            print(f"hopwise: {say_of(file.reading.file, note)}", file=sys.stderr)


def _keep(servers: Sequence[Server]) -> None:
    """Put the passwords that the files held into the keyring: the project file has none."""
    from wizard.model.server_list import CredentialKind

    with_secret = [server for server in servers if server.secret is not None]
    if not with_secret:
        return
    from wizard.system.keyring import system_keyring

    keyring = system_keyring()
    for server in with_secret:
        assert server.secret is not None
        entry = server.entry
        fixed = entry.kind is CredentialKind.STATIC and bool(entry.username)
        took = [keyring.keep(url, entry.username, server.secret) for url in entry.urls if fixed and "turn" in url]
        kept = fixed and all(took)
        what = "is in the keyring" if kept else "was not kept: enter it in the wizard, which needs a desktop's keyring"
        print(f"hopwise: the secret of {entry.username or 'the server'} at {entry.urls[0]} {what}", file=sys.stderr)
