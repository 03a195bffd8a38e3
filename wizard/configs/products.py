"""Every product there is: each file of this folder that has a PRODUCT, or PRODUCTS that are alike."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType

import wizard.configs
from wizard.configs.decoding import decoded
from wizard.configs.product import Likeness, Product
from wizard.configs.reading import Reading, Source, UnreadableError
from wizard.model.phrase import Phrase


@cache
def products() -> tuple[Product, ...]:
    """In the order of their ids."""
    modules = [import_module(f"wizard.configs.{found.name}") for found in pkgutil.iter_modules(wizard.configs.__path__)]
    found = [module.PRODUCT for module in modules if hasattr(module, "PRODUCT")]
    found += [alike for module in modules for alike in getattr(module, "PRODUCTS", ())]
    return tuple(sorted(found, key=lambda product: product.id))


def product(name: str) -> Product:
    """The product of that id. Raises KeyError."""
    return {known.id: known for known in products()}[name]


def recognise(text: str) -> Product:
    """Whose configuration a text is. Raises UnreadableError if it is nobody's, or could be that of several."""
    likeness = {known: known.recognise(text) for known in products() if known.read is not None}
    best = max(likeness.values())
    alike = [known for known, found in likeness.items() if found is best]
    if best is Likeness.NO:
        raise UnreadableError(Phrase("not-recognised"))
    if len(alike) > 1:
        raise UnreadableError(Phrase("ambiguous", {"products": ", ".join(known.id for known in alike)}))
    return alike[0]


def read(
    data: bytes, name: str, chosen: Product | None = None, variables: Mapping[str, str] = MappingProxyType({})
) -> Reading:
    """Read a file. With no product `chosen` it is recognised by what is in it. Raises UnreadableError.

    `variables` are what an env file beside it sets.
    """
    text = decoded(data)
    known = chosen or recognise(text)
    if known.read is None:
        raise UnreadableError(Phrase("write-only", {"product": known.title}))
    return known.read(Source(text, name, variables))
