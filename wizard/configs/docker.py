"""Docker without Compose: the commands that start containers, and what Docker tells of those that run."""

from __future__ import annotations

from wizard.configs import docker_listing as listing
from wizard.configs.docker_run import LOOK, read_runs
from wizard.configs.product import Likeness, Order, Product, Written
from wizard.configs.publishing import Published
from wizard.configs.reading import Reading, Source, UnreadableError
from wizard.configs.tree import LARGEST, check_size
from wizard.configs.words import say
from wizard.model.hop import HopKind
from wizard.model.phrase import Phrase

ID = "docker"


def recognise(text: str) -> Likeness:
    """By the command, or by the heads and keys of what Docker prints."""
    start = text[:LARGEST]
    printed = (listing.INSPECT, listing.TABLE, listing.ROWS, listing.PORT)
    return Likeness.SURE if any(look.search(start) for look in (LOOK, *printed)) else Likeness.NO


def read(source: Source) -> Reading:
    """Raises UnreadableError."""
    text = source.text
    if not text.strip():
        raise UnreadableError(Phrase("empty"))
    published = Published()
    if listing.TABLE.search(text):
        count = listing.read_table(text, published)
    elif listing.ROWS.match(text):
        count = listing.read_rows(text, published)
    elif text.lstrip()[:1] in ("[", "{"):
        count = listing.read_inspect(text, published)
    elif listing.PORT.search(text):
        count = listing.read_port(text, published)
    else:
        check_size(text)
        count = read_runs(text, source.variables, published)
    if not count:
        raise UnreadableError(Phrase("no-containers"))
    return published.reading(ID, source.name, "Docker")


def write(order: Order) -> Written:
    """The command with an option for each range; ports of a container that exists cannot be changed."""
    name = next((hop.id for hop in order.project.hops[order.position :] if hop.kind is HopKind.SERVICE), order.hop.id)
    if order.existing is not None:
        name = next((p.label for p in order.existing.pieces if p.kind is HopKind.SERVICE), name)
    lines = [f"# {say(Phrase('write-docker'), order.language)}", f"docker run --detach --name {name} \\"]
    lines += [f"  --publish {w.arrives}:{w.leaves}/{w.protocol} \\" for w in order.wanted]
    lines.append("  IMAGE")
    undo = f"docker rm --force {name}\n"
    cautions = (Phrase("bypasses-firewall"), Phrase("made-anew", {"name": name})) if order.wanted else ()
    return Written("\n".join(lines) + "\n", undo, cautions)


PRODUCT = Product(ID, "Docker", (HopKind.CONTAINER,), recognise, read, write)
