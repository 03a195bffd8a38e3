"""XML of which each element knows its line. A document type is refused: entities are declared there."""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.parsers import expat

from wizard.configs.reading import UnreadableError
from wizard.model.phrase import Phrase

DEEPEST, MOST = 64, 200_000


@dataclass(slots=True)
class Element:
    """An element with its text, and what is in it."""

    name: str
    line: int
    children: list[Element] = field(default_factory=list)
    text: str = ""
    attributes: dict[str, str] = field(default_factory=dict)

    def all(self, *names: str) -> list[Element]:
        """The children of these names."""
        return [child for child in self.children if child.name in names]

    def child(self, *path: str) -> Element | None:
        """What stands first at the end of a path of names."""
        found: Element | None = self
        for name in path:
            found = next((child for child in found.children if child.name == name), None) if found else None
        return found

    def has(self, *path: str) -> bool:
        """Whether there is an element at the end of a path, be it empty."""
        return self.child(*path) is not None

    def value(self, *path: str) -> str:
        """The text at the end of a path; empty if there is none."""
        found = self.child(*path)
        return found.text.strip() if found else ""


def parsed(text: str) -> Element:
    """The root element. Raises UnreadableError."""
    # The text is decoded already, whatever its first line says of its encoding.
    parser = expat.ParserCreate("utf-8")
    root = Element("", 0)
    open_elements = [root]
    count = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if len(open_elements) > DEEPEST or count > MOST:
            raise UnreadableError(Phrase("too-deep"), parser.CurrentLineNumber)
        element = Element(name, parser.CurrentLineNumber, attributes=attributes)
        open_elements[-1].children.append(element)
        open_elements.append(element)

    def end(_: str) -> None:
        open_elements.pop()

    def characters(data: str) -> None:
        open_elements[-1].text += data

    def doctype(*_: object) -> None:
        raise UnreadableError(Phrase("xml-doctype"), parser.CurrentLineNumber)

    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = characters, doctype
    try:
        parser.Parse(text.encode(), True)
    except expat.ExpatError as fault:
        raise UnreadableError(Phrase("syntax", {"text": expat.ErrorString(fault.code)}), fault.lineno) from None
    return root.children[0]
