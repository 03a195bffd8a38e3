"""UPnP gateways that say what miniupnpd never does: each answer is told as what it is."""

from __future__ import annotations

import html
from collections.abc import Mapping as Table
from typing import Any

import pytest

from tests.probes.igd_server import Answer, igd_server
from wizard.model.gateway import Mapping, Spoken, Took
from wizard.model.port import Protocol
from wizard.probes.gateway_upnp import MOST_MAPPINGS, Igd, igd

WISH = Mapping(Protocol.UDP, 5000, "192.168.77.20", 5000, "Hopwise: media")
ENTRY: dict[str, object] = {
    "NewRemoteHost": "",
    "NewExternalPort": 5000,
    "NewProtocol": "UDP",
    "NewInternalPort": 5000,
    "NewInternalClient": "192.168.77.20",
    "NewEnabled": 1,
    "NewPortMappingDescription": "x",
    "NewLeaseDuration": 60,
}
KEPT = {name: value for name, value in ENTRY.items() if name not in ("NewRemoteHost", "NewExternalPort", "NewProtocol")}


def says(**answers: Any) -> Answer:
    """Those answers by action, and `602` to all others."""

    def answer(action: str, arguments: dict[str, str]) -> Table[str, object] | int:
        reply = answers.get(action, 602)
        return reply(arguments) if callable(reply) else reply

    return answer


async def talk(answer: Answer, ask: Any, **options: Any) -> Any:
    async with (
        igd_server(answer, **options) as port,
        igd("127.0.0.1", "127.0.0.1", f"http://127.0.0.1:{port}/d.xml") as device,
    ):
        assert isinstance(device, Igd), device
        return await ask(device)


@pytest.mark.parametrize(
    ("reply", "took", "address"),
    [
        ({"NewExternalIPAddress": "203.0.113.20"}, Took.GRANTED, "203.0.113.20"),
        ({"NewExternalIPAddress": "10.1.2.3"}, Took.GRANTED, "10.1.2.3"),
        ({"NewExternalIPAddress": ""}, Took.NO_ADDRESS, None),
        ({"NewExternalIPAddress": "0.0.0.0"}, Took.NO_ADDRESS, None),
        ({"NewExternalIPAddress": "not an address"}, Took.NO_ADDRESS, None),
        (606, Took.NOT_AUTHORISED, None),
        (501, Took.ERROR, None),
    ],
)
async def test_the_outer_address_is_what_it_says_or_why_not(reply: Any, took: Took, address: str | None) -> None:
    spoken, wan = await talk(says(GetExternalIPAddress=reply), lambda device: device.wan())
    assert (spoken.took, wan) == (took, address)


async def test_its_name_is_one_line() -> None:
    async def name(device: Igd) -> tuple[str, str]:
        return device.manufacturer, device.model

    assert await talk(says(), name) == ("Odd maker", "Odd 1")


@pytest.mark.parametrize("end", [713, 714, 402])
async def test_the_list_ends_where_the_gateway_says_so(end: int) -> None:
    def entry(arguments: dict[str, str]) -> Any:
        return ENTRY if arguments["NewPortMappingIndex"] == "0" else end

    mappings, listed = await talk(says(GetGenericPortMappingEntry=entry), lambda device: device.mappings())
    assert [(m.external, m.host, m.lifetime_s) for m in mappings] == [(5000, "192.168.77.20", 60)]
    assert listed


async def test_a_list_that_breaks_off_is_not_taken_for_whole() -> None:
    def entry(arguments: dict[str, str]) -> Any:
        return ENTRY if arguments["NewPortMappingIndex"] == "0" else 501

    mappings, listed = await talk(says(GetGenericPortMappingEntry=entry), lambda device: device.mappings())
    assert (len(mappings), listed) == (1, False)


async def test_a_list_that_never_ends_is_left() -> None:
    mappings, listed = await talk(says(GetGenericPortMappingEntry=ENTRY), lambda device: device.mappings())
    assert (len(mappings), listed) == (MOST_MAPPINGS, False)


async def test_the_newer_list_is_read_where_the_older_is_refused() -> None:
    def listing(arguments: dict[str, str]) -> Any:
        if arguments["NewProtocol"] == "TCP":
            return 730
        told = "".join(f"<p:{name}>{ENTRY[name]}</p:{name}>" for name in list(ENTRY)[:6])
        told += "<p:NewDescription>y</p:NewDescription><p:NewLeaseTime>9</p:NewLeaseTime>"
        inner = (
            f'<p:PortMappingList xmlns:p="urn:p"><p:PortMappingEntry>{told}</p:PortMappingEntry></p:PortMappingList>'
        )
        return {"NewPortListing": html.escape(inner)}

    answer = says(GetGenericPortMappingEntry=606, GetListOfPortMappings=listing)
    (mapping,), listed = await talk(answer, lambda device: device.mappings())
    assert (mapping.external, mapping.host, mapping.description, mapping.lifetime_s) == (5000, "192.168.77.20", "y", 9)
    assert not listed, "it may leave out what others have made"
    bomb = html.escape('<!DOCTYPE l [<!ENTITY a "aa">]><l>&a;</l>')
    answer = says(GetGenericPortMappingEntry=606, GetListOfPortMappings={"NewPortListing": bomb})
    assert await talk(answer, lambda device: device.mappings()) == ((), False)


@pytest.mark.parametrize(
    ("add", "kept", "took"),
    [
        ({}, KEPT, Took.GRANTED),
        ({}, 714, Took.NOT_KEPT),
        ({}, {**KEPT, "NewInternalClient": "192.168.77.9"}, Took.NOT_KEPT),
        ({}, 501, Took.GRANTED),
        (718, KEPT, Took.CONFLICT),
        (724, KEPT, Took.SAME_NUMBER_ONLY),
        (725, KEPT, Took.PERMANENT_ONLY),
        (728, KEPT, Took.FULL),
        (606, KEPT, Took.NOT_AUTHORISED),
        (899, KEPT, Took.ERROR),
    ],
)
async def test_what_came_of_adding_a_mapping_is_told(add: Any, kept: Any, took: Took) -> None:
    answer = says(AddPortMapping=add, GetSpecificPortMappingEntry=kept)
    spoken = await talk(answer, lambda device: device.add(WISH, 60))
    assert isinstance(spoken, Spoken)
    assert spoken.took is took


async def test_a_mapping_is_asked_for_as_it_was_wished() -> None:
    asked: list[dict[str, str]] = []

    def add(arguments: dict[str, str]) -> Any:
        asked.append(arguments)
        return {}

    await talk(says(AddPortMapping=add, GetSpecificPortMappingEntry=KEPT), lambda device: device.add(WISH, 60))
    assert asked == [
        {
            "NewRemoteHost": "",
            "NewExternalPort": "5000",
            "NewProtocol": "UDP",
            "NewInternalPort": "5000",
            "NewInternalClient": "192.168.77.20",
            "NewEnabled": "1",
            "NewPortMappingDescription": "Hopwise: media",
            "NewLeaseDuration": "60",
        }
    ]


async def test_a_gateway_without_the_actions_can_do_nothing_and_says_so() -> None:
    async def everything(device: Igd) -> tuple[Any, ...]:
        return await device.wan(), await device.mappings(), await device.add(WISH, 60), await device.remove(WISH)

    (spoken, wan), (mappings, listed), added, removed = await talk(says(), everything, actions=frozenset())
    assert (spoken.took, wan, mappings, listed) == (Took.UNSUPPORTED, None, (), False)
    assert added.took is removed.took is Took.UNSUPPORTED
