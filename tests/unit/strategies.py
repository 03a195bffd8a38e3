"""Hypothesis strategies for the values of the model."""

from __future__ import annotations

from hypothesis import strategies as st

from wizard.model.config_file import ConfigFile
from wizard.model.hop import Hop, HopKind
from wizard.model.port import PortPlan, PortRange, Protocol, Speaks
from wizard.model.project import Project, translator_of
from wizard.model.vantage import IceServer, Vantage, VantageKind

FILTERS_AND_TRANSLATORS = tuple(kind for kind in HopKind if kind is not HopKind.SERVICE)

ids = st.from_regex(r"[a-z0-9-]{1,12}", fullmatch=True)
texts = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=20).filter(lambda t: t.strip())
ipv4 = st.integers(1, 254).map(lambda n: f"192.0.2.{n}") | st.integers(1, 254).map(lambda n: f"10.0.0.{n}")
ipv6 = st.integers(1, 0xFFFF).map(lambda n: f"2001:db8::{n:x}")
names = st.from_regex(r"[a-z][a-z0-9]{0,8}\.example\.org", fullmatch=True)
addresses = ipv4 | ipv6 | names
turn_uris = st.builds(
    "{}:{}{}".format, st.sampled_from(("turn", "turns")), ipv4 | names, st.sampled_from(("", ":3478", ":443"))
)
ice_uris = turn_uris | st.builds("stun:{}".format, ipv4 | names)


@st.composite
def chains(draw: st.DrawFn, min_hops: int = 1, max_hops: int = 6) -> tuple[Hop, ...]:
    """A path of any kinds of hop, the service last."""
    unique = draw(st.lists(ids, min_size=min_hops, max_size=max_hops, unique=True))
    kinds = [draw(st.sampled_from(FILTERS_AND_TRANSLATORS)) for _ in unique[1:]] + [HopKind.SERVICE]
    optional_text, optional_address = st.none() | texts, st.none() | addresses
    return tuple(
        Hop(name, kind, draw(optional_text), draw(optional_address)) for name, kind in zip(unique, kinds, strict=True)
    )


@st.composite
def layouts(draw: st.DrawFn, lengths: list[int]) -> list[PortRange]:
    """Ranges of these lengths that do not overlap, in any order."""
    first = draw(st.integers(1, 60000))
    ranges: dict[int, PortRange] = {}
    for which in draw(st.permutations(range(len(lengths)))):
        ranges[which] = PortRange(first, first + lengths[which] - 1)
        first += lengths[which] + draw(st.integers(0, 300))
    return [ranges[which] for which in range(len(lengths))]


@st.composite
def plans(draw: st.DrawFn, hops: tuple[Hop, ...], max_plans: int = 3, max_length: int = 120) -> tuple[PortPlan, ...]:
    """At least one port plan for the path, with numbers that any of its translating hops may change."""
    found: list[PortPlan] = []
    for protocol in Protocol:
        lengths = draw(st.lists(st.integers(1, max_length), min_size=0 if found else 1, max_size=max_plans))
        insides: list[dict[str, PortRange]] = [{} for _ in lengths]
        # Behind a translator every plan has numbers of its own, named at any hop that it is the nearest to.
        for translator in sorted({t for i in range(len(hops)) if (t := translator_of(hops, i)) is not None}):
            if draw(st.booleans()):
                behind = [hop.id for i, hop in enumerate(hops) if translator_of(hops, i) == translator]
                for inside, numbers in zip(insides, draw(layouts(lengths)), strict=True):
                    inside[draw(st.sampled_from(behind))] = numbers
        speaks = st.none() | st.sampled_from([s for s in Speaks if s.over_udp or protocol is Protocol.TCP])
        for outside, inside in zip(draw(layouts(lengths)), insides, strict=True):
            spoken = draw(speaks)
            path = draw(st.none() | st.just("/ws/probe")) if spoken is not None and spoken.has_path else None
            found.append(PortPlan(draw(texts), protocol, outside, inside, spoken, path))
    return tuple(draw(st.permutations(found)))


@st.composite
def vantages(draw: st.DrawFn, hops: tuple[Hop, ...]) -> tuple[Vantage, ...]:
    """Places to probe from, outside of everything or behind any hop but the service."""
    found: list[Vantage] = []
    for name in draw(st.lists(ids.filter(lambda text: text != "responder"), max_size=3, unique=True)):
        kind = draw(st.sampled_from(VantageKind))
        beyond = draw(st.none() | st.sampled_from([hop.id for hop in hops[:-1]])) if len(hops) > 1 else None
        server = {
            VantageKind.LOCAL: st.none(),
            VantageKind.TURN: turn_uris,
            VantageKind.SSH: st.builds("{}@{}".format, st.just("alice"), ipv4 | names),
        }[kind]
        username = st.none() | texts
        found.append(Vantage(name, kind, beyond, draw(server), draw(username)))
    return tuple(found)


@st.composite
def projects(draw: st.DrawFn, min_hops: int = 1, max_hops: int = 6) -> Project:
    """A valid project: a path of `min_hops` to `max_hops`, ports with translations, vantages, servers."""
    hops = draw(chains(min_hops, max_hops))
    servers = st.builds(IceServer, st.lists(ice_uris, min_size=1, max_size=3).map(tuple), st.none() | texts)
    configs = st.builds(ConfigFile, st.sampled_from([hop.id for hop in hops]), texts, st.none() | ids)
    return Project(
        name=draw(texts),
        public_address=draw(addresses),
        hops=hops,
        ports=draw(plans(hops)),
        vantages=draw(vantages(hops)),
        ice_servers=tuple(draw(st.lists(servers, max_size=2))),
        configs=tuple(draw(st.lists(configs, max_size=2))),
        announced=tuple(draw(st.lists(addresses, max_size=3))),
        probe_key=draw(st.none() | texts),
    )
