"""Files that Hopwise wrote for the hops of one path, imported together again: the same path, every port let through."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.unit.configs.asking import PUBLIC, order, reading, wants
from tests.unit.strategies import layouts
from wizard.configs.assembling import assemble
from wizard.configs.coverage import coverage
from wizard.configs.placing import Given
from wizard.configs.product import Wanted
from wizard.configs.products import product
from wizard.configs.reading import Reading
from wizard.model.hop import HopKind
from wizard.model.project import arrival_numbers
from wizard.model.validate import validate
from wizard.observation import Coverage


def made(name: str, kind: HopKind, wanted: list[Wanted]) -> Reading:
    write = product(name).write
    assert write is not None
    return reading(write(order(kind, wanted)).text, name)


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_a_tunnel_and_its_containers_come_back_as_the_path_that_they_were_written_for(data: st.DataObject) -> None:
    tunnel = data.draw(wants(most=3))
    # frps holds 7000 for itself.
    assume(tunnel and not any(7000 in each.arrives for each in tunnel))
    inside = {
        protocol: iter(data.draw(layouts([len(t.leaves) for t in tunnel if t.protocol is protocol])))
        for protocol in {t.protocol for t in tunnel}
    }
    container = [replace(t, arrives=t.leaves, leaves=next(inside[t.protocol])) for t in tunnel]
    files = {
        "tunnel-server": made("frps", HopKind.TUNNEL_SERVER, [replace(t, leaves=t.arrives) for t in tunnel]),
        "tunnel-client": made("frpc", HopKind.TUNNEL_CLIENT, tunnel),
        "container": made("docker-compose", HopKind.CONTAINER, container),
    }
    project = assemble([Given(file, None) for file in files.values()], None, "Chat", PUBLIC)
    validate(project)
    assert [hop.id for hop in project.hops] == [*files, "service"]
    assert [(config.hop, config.product) for config in project.configs] == [
        (hop, file.product) for hop, file in files.items()
    ]
    planned = {
        (plan.protocol, *arrival_numbers(project.hops, plan, number)[1:])
        for plan in project.ports
        for number in plan.outside
    }
    assert planned == {
        (outer.protocol, a, b, c)
        for outer, inner in zip(tunnel, container, strict=True)
        for a, b, c in zip(outer.arrives, outer.leaves, inner.leaves, strict=True)
    }
    rows = coverage(project, {hop: (file,) for hop, file in files.items()})
    assert {row.coverage for row in rows} == {Coverage.COVERED}
