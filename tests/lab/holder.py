"""A program that holds ports: silent, echoing, answering with words, showing a page, or telling what it saw.

Arguments: a JSON document with `address`, `answer` (silent | echo | banner | page | tell) and `ports` ([protocol,
number]).
Prints `ready`; ends when standard input does.
"""

from __future__ import annotations

import asyncio
import json
import sys

_PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 47\r\n\r\n<html><head><title>Set-up</title></head></html>"


def reply(answer: str, data: bytes, port: int, sender: tuple[str, int]) -> bytes:
    """What is sent back for `data`."""
    words = {
        "echo": data,
        "banner": b"220 not what you look for\r\n",
        "page": _PAGE if data.startswith(b"GET ") else b"",
        "tell": f"{port} {sender[0]}".encode(),
    }
    return words.get(answer, b"")


class Datagrams(asyncio.DatagramProtocol):
    """Answers each datagram."""

    def __init__(self, answer: str) -> None:
        self._answer = answer

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport
        self._port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if words := reply(self._answer, data, self._port, addr):
            self._transport.sendto(words, addr)


async def hold(address: str, answer: str, ports: list[tuple[str, int]]) -> None:
    """Bind everything, then serve until standard input ends."""
    loop = asyncio.get_running_loop()

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        local, peer = writer.get_extra_info("sockname"), writer.get_extra_info("peername")
        while data := await reader.read(65536):
            if words := reply(answer, data, local[1], peer):
                writer.write(words)
        writer.close()

    for protocol, port in ports:
        if protocol == "tcp":
            await asyncio.start_server(accepted, address, port, backlog=512)
        else:
            await loop.create_datagram_endpoint(lambda: Datagrams(answer), (address, port))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    ended = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(ended), sys.stdin)
    await ended.read()


if __name__ == "__main__":
    told = json.loads(sys.argv[1])
    asyncio.run(hold(told["address"], told["answer"], [(protocol, port) for protocol, port in told["ports"]]))
