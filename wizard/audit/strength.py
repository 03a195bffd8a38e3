"""How long a password holds against one who guesses."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from wizard.model.secret import Secret

STRONG_LOG10 = 12.0
"""TURN hands everyone who listens a digest to try guesses on: a card tries 10^10 a second, so 10^12 last minutes at
best, and that for whoever is not worth more. What a generator makes lies above 10^20."""
SHORTEST = 12
SHORTEST_SECRET = 20
_LONGEST_WEIGHED = 72
"""The search takes a time that grows with the cube of the length."""
_DOCUMENTED = frozenset({"youhavetoberealistic", "north", "logen", "qwerty", "openrelayproject", "turnpassword"})
"""From coturn's own examples and from guides."""
DOCUMENTED_CLI_HASH = "$5$79a316b350311570$81df9cfb9af7f5e5a76eada31e7097b663a0670f99a3c07ded3f1c8e59c5658a"


def weakness(secret: Secret, known: Iterable[str] = (), shortest: int = SHORTEST) -> str | None:
    """Why it is weak: `empty`, `default`, `same`, `short` or `guessable`; None for a strong one.

    `known` is what a guesser knows: the user's name, the realm.
    """
    from zxcvbn import zxcvbn  # type: ignore[import-untyped]

    text = secret.reveal()
    words = [word[:_LONGEST_WEIGHED] for word in known if word]
    if not text:
        return "empty"
    if text.lower() in _DOCUMENTED:
        return "default"
    if text.lower() in {word.lower() for word in words}:
        return "same"
    if len(text) < shortest:
        return "short"
    guesses = float(zxcvbn(text[:_LONGEST_WEIGHED], user_inputs=words)["guesses_log10"])
    return "guessable" if guesses < STRONG_LOG10 else None


def generate() -> Secret:
    """A strong secret of 256 bits, in characters that no configuration file minds."""
    return Secret(secrets.token_hex(32))
