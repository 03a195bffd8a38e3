"""Names, asked of this computer's own resolver."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading

from wizard.observation import NameResolved

DEFAULT_TIMEOUT_S = 5.0
_NO_RECORD = frozenset(
    code
    for code in (getattr(socket, name, None) for name in ("EAI_NONAME", "EAI_NODATA", "EAI_ADDRFAMILY"))
    if code is not None
)
_WORDS = {
    socket.EAI_AGAIN: "the DNS server did not answer",
    socket.EAI_FAIL: "the DNS server failed",
}


async def resolve(name: str, timeout: float = DEFAULT_TIMEOUT_S) -> tuple[NameResolved, NameResolved]:
    """What the system's resolver says of `name`: its IPv4 and its IPv6 addresses.

    A family without a record has no addresses and no error; a name without any has an error in both.
    """
    four, six = await asyncio.gather(
        _ask(name, socket.AF_INET, timeout),
        _ask(name, socket.AF_INET6, timeout),
    )
    missing = f"there is no name {name}"
    both_missing = not four and not six
    return (
        _fact(name, 4, four, missing if both_missing else None),
        _fact(name, 6, six, missing if both_missing else None),
    )


async def first_address(name: str, timeout: float = DEFAULT_TIMEOUT_S) -> str:
    """A literal address of `name`: itself if it is one, else IPv4 before IPv6, since ports are forwarded in IPv4.

    Raises OSError that says why there is none.
    """
    if is_literal(name):
        return name
    facts = await resolve(name, timeout)
    for fact in facts:
        if fact.addresses:
            return fact.addresses[0]
    raise OSError(next(fact.error for fact in facts if fact.error))


def is_literal(name: str) -> bool:
    """Whether `name` is an IP address."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _fact(name: str, family: int, found: tuple[str, ...] | str, missing: str | None) -> NameResolved:
    if isinstance(found, str):
        return NameResolved(name, family, (), found)
    return NameResolved(name, family, found, missing)


async def _ask(name: str, family: socket.AddressFamily, timeout: float) -> tuple[str, ...] | str:
    """The addresses, or the fault in words."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[tuple[str, ...] | str] = loop.create_future()

    def tell(found: tuple[str, ...] | str) -> None:
        if not answer.done():
            answer.set_result(found)

    def look_up() -> None:
        try:
            found: tuple[str, ...] | str = _addresses(name, family)
        except UnicodeError:
            found = f"{name} is not a name that DNS can hold"
        except OSError as error:
            found = _WORDS.get(error.errno or 0, error.strerror or str(error))
        try:
            loop.call_soon_threadsafe(tell, found)
        except RuntimeError:
            return  # the loop is closed: nobody waits any more

    # Not the loop's executor: getaddrinfo cannot be cancelled, and whoever quits does not wait for it.
    threading.Thread(target=look_up, name=f"resolve {name}", daemon=True).start()
    try:
        return await asyncio.wait_for(answer, timeout)
    except TimeoutError:
        return f"the resolver did not answer within {timeout:g} s"


def _addresses(name: str, family: socket.AddressFamily) -> tuple[str, ...]:
    try:
        found = socket.getaddrinfo(name, None, family, socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno in _NO_RECORD:
            return ()
        raise
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))
