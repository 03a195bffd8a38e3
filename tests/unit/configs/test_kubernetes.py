"""Kubernetes' manifests and what kubectl prints of services and pods."""

from __future__ import annotations

import json

import pytest

from wizard.configs.kubernetes import PRODUCT
from wizard.configs.product import Order, Wanted
from wizard.configs.products import read, recognise
from wizard.configs.reading import Question, Reading, UnreadableError
from wizard.model.hop import Hop, HopKind
from wizard.model.port import PortPlan, PortRange, Protocol
from wizard.model.project import Project
from wizard.observation import Coverage

MANIFEST = """\
# 媒体端口
apiVersion: v1
kind: Service
metadata:
  name: sfu
spec:
  type: NodePort
  ports:
    - name: rtc-tcp
      port: 30881
      targetPort: 30881
      nodePort: 30881
    - name: rtc-muxed
      protocol: UDP
      port: 7882
      targetPort: 30882
      nodePort: 30882
    - name: by-name
      port: 80
      targetPort: http
      nodePort: 30080
---
apiVersion: v1
kind: Service
metadata: {name: database}
spec:
  ports: [{port: 5432}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: gateway}
spec:
  template:
    spec:
      containers:
        - name: gateway
          ports: [{containerPort: 443, hostPort: 8443}]
"""


def answer(
    reading: Reading, protocol: Protocol, number: int, leaves: int | None = None
) -> tuple[Coverage, tuple[int, ...]]:
    found = reading.answer(Question(protocol, number, number if leaves is None else leaves, translates=True))
    return found.coverage, found.lines


def test_a_manifest_says_which_node_ports_lead_to_which_ports_of_pods() -> None:
    reading = read(MANIFEST.encode(), "sfu.yaml")
    assert reading.product == "kubernetes"
    assert answer(reading, Protocol.TCP, 30881) == (Coverage.COVERED, (12,))
    assert answer(reading, Protocol.UDP, 30882) == (Coverage.COVERED, (17,))
    assert answer(reading, Protocol.UDP, 30881) == (Coverage.WRONG_PROTOCOL, (12,))
    assert answer(reading, Protocol.UDP, 30882, 7882)[0] is Coverage.TRANSLATED_ELSEWHERE
    assert answer(reading, Protocol.TCP, 8443, 443)[0] is Coverage.COVERED
    assert answer(reading, Protocol.TCP, 5432)[0] is Coverage.MISSING


def test_a_port_of_a_pod_that_is_called_by_name_cannot_be_told() -> None:
    assert answer(read(MANIFEST.encode(), "sfu.yaml"), Protocol.TCP, 30080, 80)[0] is Coverage.UNKNOWN


def test_what_kubectl_prints_is_read_like_the_manifest() -> None:
    listed = {
        "apiVersion": "v1",
        "kind": "List",
        "items": [
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": "sfu", "namespace": "ess"},
                "spec": {
                    "type": "NodePort",
                    "ports": [{"port": 30882, "targetPort": 30882, "nodePort": 30882, "protocol": "UDP"}],
                },
            }
        ],
    }
    reading = read(json.dumps(listed, indent=4).encode(), "kubectl get services")
    assert answer(reading, Protocol.UDP, 30882)[0] is Coverage.COVERED
    assert [piece.kind for piece in reading.pieces] == [HopKind.CONTAINER, HopKind.SERVICE]


def test_a_pod_in_the_hosts_network_hides_no_port() -> None:
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: sfu}\nspec: {hostNetwork: true, containers: []}\n"
    assert answer(read(pod.encode(), "pod.yaml"), Protocol.UDP, 30882)[0] is Coverage.COVERED


@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: v1\nkind: Service\nspec: [" + "[" * 5000,
        "apiVersion: v1\nkind: List\nitems: []\n",
        '{"apiVersion": "v1", "kind": "Service", ',
        "apiVersion: v1\nkind: Service\nmetadata: &a [*a]\n",
    ],
)
def test_a_manifest_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(UnreadableError):
        PRODUCT.read and read(text.encode(), "x.yaml", PRODUCT)


@pytest.mark.parametrize("port", ["nodePort: many", "nodePort: 99999", "nodePort: [1]"])
def test_a_node_port_that_is_none_makes_its_line_unknown(port: str) -> None:
    reading = read(MANIFEST.replace("nodePort: 30881", port).encode(), "sfu.yaml")
    assert answer(reading, Protocol.TCP, 30881)[0] in (Coverage.UNKNOWN, Coverage.MISSING)
    assert reading.notes


PROJECT = Project(
    "Calls",
    "203.0.113.20",
    (Hop("node", HopKind.CONTAINER), Hop("sfu", HopKind.SERVICE)),
    (PortPlan("media", Protocol.UDP, PortRange(30152, 30160), {"sfu": PortRange(31152, 31160)}),),
)


def test_what_is_written_is_read_back_with_the_same_meaning() -> None:
    wanted = Wanted("media", Protocol.UDP, PortRange(30152, 30160), PortRange(31152, 31160), None)
    assert PRODUCT.write is not None
    text = PRODUCT.write(Order(PROJECT, PROJECT.hops[0], (wanted,))).text
    assert recognise(text).id == "kubernetes"
    reading = read(text.encode(), "written.yaml")
    for number in range(30140, 30170):
        inside = 30152 <= number <= 30160
        expected = Coverage.COVERED if inside else Coverage.MISSING
        assert answer(reading, Protocol.UDP, number, number + 1000)[0] is expected
    assert answer(reading, Protocol.TCP, 30152, 31152)[0] is Coverage.WRONG_PROTOCOL
