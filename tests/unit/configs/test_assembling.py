"""Files put together into one path: which hop each is of, and on which numbers the ports cross it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wizard.configs.assembling import NO_ADDRESS, assemble
from wizard.configs.placing import Given, Unplaced
from wizard.configs.reading import Allowed, Answer, Forward, Note, Piece, Question, Server
from wizard.model.hop import Hop, HopKind
from wizard.model.port import PortPlan, PortRange, Protocol
from wizard.model.project import Project, arrival_numbers
from wizard.model.secret import Secret
from wizard.model.server_list import ServerEntry
from wizard.model.validate import validate
from wizard.observation import Coverage


@dataclass(frozen=True)
class Told:
    """What a file says, whatever its product."""

    file: str
    pieces: tuple[Piece, ...]
    servers: tuple[Server, ...] = ()
    announced: tuple[str, ...] = ()
    product: str = "frpc"
    every: bool = False
    notes: tuple[Note, ...] = ()
    allowed: tuple[Allowed, ...] = ()

    def answer(self, question: Question) -> Answer:
        return Answer(Coverage.UNKNOWN, rule=str(question.number))


def tcp(outer: str, inner: str | None = None, name: str = "media", host: str | None = None) -> Forward:
    return Forward(Protocol.TCP, PortRange.parse(outer), PortRange.parse(inner or outer), host, name)


def file(name: str, *pieces: Piece, hop: str | None = None) -> Given:
    return Given(Told(name, pieces), hop)


ROUTER = file(
    "router.csv", Piece(HopKind.ROUTER, "Router", "203.0.113.20", (tcp("10000-10050"), tcp("22", name="ssh")))
)
FRPS = Piece(HopKind.TUNNEL_SERVER, "frps", "203.0.113.7", (tcp("8172", name="web"), tcp("10000-10100")))
FRPC = Piece(HopKind.TUNNEL_CLIENT, "frpc", None, (tcp("8172", "80", "web"), tcp("10000-10100")))
TUNNEL = file("frpc.toml", FRPS, FRPC)
COMPOSE = file(
    "compose.yml", Piece(HopKind.CONTAINER, "chat", None, (tcp("80", "3000", "web"), tcp("10000-10100", "20000-20100")))
)
CLOUD_WALL = file("cloud-ufw.txt", Piece(HopKind.FIREWALL, "ufw", None, (tcp("8172"), tcp("10000-10100"), tcp("22"))))
VM_WALL = file("vm-nft.json", Piece(HopKind.FIREWALL, "nftables", None, (tcp("22"),)))
GROUP = file("aws.json", Piece(HopKind.SECURITY_GROUP, "sg-1", None, (tcp("22"), tcp("8172"))))


def kinds(project: Project) -> list[str]:
    return [hop.kind.value for hop in project.hops]


def plans(project: Project) -> list[tuple[str, str, str, dict[str, str]]]:
    return [
        (plan.protocol.value, plan.name, str(plan.outside), {hop: str(n) for hop, n in plan.inside.items()})
        for plan in project.ports
    ]


def test_a_whole_chain_of_files_is_one_path_with_its_numbers() -> None:
    project = assemble([GROUP, CLOUD_WALL, TUNNEL, VM_WALL, COMPOSE], None, "chat")
    assert kinds(project) == [
        *("security-group", "firewall", "tunnel-server", "tunnel-client", "firewall", "container", "service")
    ]
    assert plans(project) == [
        ("tcp", "web", "8172", {"firewall-2": "80", "service": "3000"}),
        ("tcp", "media", "10000-10100", {"service": "20000-20100"}),
    ]
    assert project.public_address == "203.0.113.7"
    assert validate(project) == ()
    assert [(config.hop, config.file) for config in project.configs] == [
        ("security-group", "aws.json"),
        ("firewall", "cloud-ufw.txt"),
        ("tunnel-client", "frpc.toml"),
        ("firewall-2", "vm-nft.json"),
        ("container", "compose.yml"),
    ]


def test_what_a_router_hands_on_for_others_is_not_planned_but_a_range_in_part_ours_is() -> None:
    wider = file("router.csv", Piece(HopKind.ROUTER, "Router", None, (tcp("10000-10200"), tcp("22", name="ssh"))))
    project = assemble(
        [wider, file("compose.yml", Piece(HopKind.CONTAINER, "chat", None, (tcp("10000-10100"),)))], None, "x"
    )
    assert plans(project) == [("tcp", "media", "10000-10200", {})]


def test_a_hop_that_forgot_a_part_does_not_make_the_plan_smaller() -> None:
    project = assemble([ROUTER, COMPOSE], None, "x")
    assert ("tcp", "media", "10000-10100", {"service": "20000-20100"}) in plans(project)
    assert all(plan.name != "ssh" for plan in project.ports)


def udp(outer: str, name: str = "media") -> Forward:
    return replace(tcp(outer, name=name), protocol=Protocol.UDP)


@pytest.mark.parametrize("planned", [True, False])
def test_a_hop_with_the_wrong_protocol_makes_no_new_port(planned: bool) -> None:
    compose = file(
        "compose.yml", Piece(HopKind.CONTAINER, "chat", None, (udp("10000-10100"), udp("3478"), tcp("3478")))
    )
    client = file("frpc.toml", Piece(HopKind.TUNNEL_CLIENT, "frpc", None, (tcp("10000-10010"), udp("10011-10100"))))
    if planned:
        project = assemble([client], assemble([compose], None, "x"), "x")
    else:
        project = assemble([client, compose], None, "x")
    assert {(protocol, outside) for protocol, _, outside, _ in plans(project)} == {
        ("udp", "10000-10100"),
        ("udp", "3478"),
        ("tcp", "3478"),
    }


def test_what_a_router_hands_on_for_others_joins_no_plan_that_there_is() -> None:
    project = assemble([ROUTER], assemble([COMPOSE], None, "x"), "x")
    assert all(plan.name != "ssh" for plan in project.ports)


def test_with_nothing_but_a_router_all_that_it_hands_on_is_planned() -> None:
    assert plans(assemble([ROUTER], None, "x")) == [("tcp", "ssh", "22", {}), ("tcp", "media", "10000-10050", {})]


def test_with_nothing_but_filters_what_they_let_in_is_planned() -> None:
    assert [plan[2] for plan in plans(assemble([GROUP], None, "x"))] == ["22", "8172"]


@pytest.mark.parametrize("order", list(itertools.permutations([ROUTER, TUNNEL, COMPOSE])))
def test_files_one_by_one_make_the_same_path_as_all_at_once(order: tuple[Given, ...]) -> None:
    whole = assemble([ROUTER, TUNNEL, COMPOSE], None, "x", "203.0.113.20")
    project = None
    for one in order:
        project = assemble([one], project, "x", "203.0.113.20")
    assert project is not None
    assert kinds(project) == kinds(whole)
    assert validate(project) == ()
    wanted = numbers_of(whole)
    assert {port: numbers_of(project).get(port) for port in wanted} == wanted


def numbers_of(project: Project) -> dict[tuple[str, int], tuple[int, ...]]:
    return {
        (plan.protocol.value, n): arrival_numbers(project.hops, plan, n) for plan in project.ports for n in plan.outside
    }


@pytest.mark.parametrize("files", [[COMPOSE], [TUNNEL, COMPOSE], [GROUP, CLOUD_WALL, TUNNEL, VM_WALL, COMPOSE]])
def test_importing_the_same_files_again_changes_nothing(files: list[Given]) -> None:
    once = assemble(files, None, "x")
    assert assemble(files, once, "x") == once


def test_what_is_planned_already_stays_as_it_is() -> None:
    old = Project(
        "Chat",
        "203.0.113.20",
        (Hop("nas", HopKind.CONTAINER, "Docker", "192.168.77.10"), Hop("chat", HopKind.SERVICE)),
        (PortPlan("calls", Protocol.TCP, PortRange(10000, 10100), {"chat": PortRange(30000, 30100)}),),
    )
    new = assemble([COMPOSE], old, "ignored")
    assert new.ports[0] == old.ports[0]
    assert new.name == "Chat"
    assert [plan.name for plan in new.ports] == ["calls", "web"]
    assert [config.hop for config in new.configs] == ["nas"]


def test_a_file_that_could_be_of_two_hops_is_asked_about_and_the_answer_is_taken() -> None:
    old = assemble([CLOUD_WALL, TUNNEL, VM_WALL], None, "x")
    new = file("iptables.txt", *VM_WALL.reading.pieces)
    with pytest.raises(Unplaced) as asked:
        assemble([new], old, "x")
    assert asked.value.hops == ("firewall", "firewall-2")
    told = assemble([file("iptables.txt", *VM_WALL.reading.pieces, hop="firewall-2")], old, "x")
    assert ("firewall-2", "iptables.txt") in [(config.hop, config.file) for config in told.configs]


@pytest.mark.parametrize(("host", "address"), [("192.168.77.10", "192.168.77.10"), ("127.0.0.1", None), ("nas", None)])
def test_the_hop_that_everything_is_handed_on_to_has_that_address(host: str, address: str | None) -> None:
    router = file("router.csv", Piece(HopKind.ROUTER, "Router", None, (tcp("80", host=host), tcp("443", host=host))))
    assert assemble([router, VM_WALL, COMPOSE], None, "x").hops[1].address == address


def test_without_an_address_the_project_has_a_name_that_never_resolves() -> None:
    assert assemble([COMPOSE], None, "x").public_address == NO_ADDRESS
    assert assemble([COMPOSE], None, "x", "chat.example.org").public_address == "chat.example.org"


@pytest.mark.parametrize(
    ("files", "at"),
    [
        ([COMPOSE], "198.51.100.9"),
        ([GROUP, COMPOSE], "198.51.100.9"),
        ([VM_WALL, COMPOSE], "198.51.100.9"),
        ([CLOUD_WALL, TUNNEL], "203.0.113.7"),
        ([GROUP, CLOUD_WALL, TUNNEL], "203.0.113.7"),
    ],
)
def test_the_hop_that_takes_clients_in_and_the_filters_before_it_have_the_address_that_they_use(
    files: list[Given], at: str
) -> None:
    hops = assemble(files, None, "x", "198.51.100.9").hops
    entrance = next(i for i, hop in enumerate(hops) if hop.kind.translates)
    assert [i for i, hop in enumerate(hops) if hop.address == at] == list(range(entrance + 1))


def test_a_filter_that_is_added_before_the_entrance_is_one_that_probes_from_outside_cross() -> None:
    old = assemble([TUNNEL], None, "x")
    assert assemble([GROUP], old, "x").hops[0].address == "203.0.113.7"


def test_an_address_inside_is_not_taken_for_that_of_clients() -> None:
    router = file("router.csv", Piece(HopKind.ROUTER, "Router", None, (tcp("80", host="192.168.77.10"),)))
    assert assemble([router, VM_WALL], None, "x").public_address == NO_ADDRESS


def test_servers_and_announced_addresses_are_added_once_and_without_secrets() -> None:
    entry = ServerEntry(("turn:198.51.100.7:3478",), "alice")
    told = Told("turnserver.conf", (), (Server(entry, Secret("hidden")),), ("203.0.113.20", "203.0.113.20"))
    project = assemble([COMPOSE, Given(told), Given(told)], None, "x")
    assert [server.urls for server in project.ice_servers] == [("turn:198.51.100.7:3478",)]
    assert project.announced == ("203.0.113.20",)
    assert "hidden" not in repr(project)


ranges = st.builds(lambda first, length: PortRange(first, first + length), st.integers(1, 60000), st.integers(0, 30))
shifted = st.builds(
    lambda outer, shift: Forward(Protocol.UDP, outer, PortRange(outer.first + shift, outer.last + shift), None, "m"),
    ranges,
    st.integers(0, 400),
)
pieces = st.sampled_from([HopKind.ROUTER, HopKind.TUNNEL_CLIENT, HopKind.CONTAINER, HopKind.FIREWALL]).flatmap(
    lambda kind: st.builds(
        lambda forwards: Piece(
            kind,
            kind.value,
            None,
            tuple(f if kind.translates else Forward(f.protocol, f.outer, f.outer) for f in forwards),
        ),
        st.lists(shifted, min_size=1, max_size=3),
    )
)


@given(st.lists(pieces, min_size=1, max_size=4))
def test_whatever_the_files_say_the_project_is_a_valid_one(found: list[Piece]) -> None:
    project = assemble([file(f"{n}.txt", piece) for n, piece in enumerate(found)], None, "x")
    assert validate(project) == ()
    assert assemble([file(f"{n}.txt", piece) for n, piece in enumerate(found)], project, "x") == project
