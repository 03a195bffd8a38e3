"""A relayed address on a TURN server as the place that probes are sent from."""

from __future__ import annotations

import asyncio
import ipaddress
import math
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace

from wizard.model.hop import Hop
from wizard.model.port import Protocol
from wizard.model.secret import Secret
from wizard.observation import Fact, Observation, Outcome, RelayChecked
from wizard.plan import Probe, same_address
from wizard.probes.aimed import Aimed
from wizard.probes.answer import Judgement, spelled
from wizard.probes.conversation import Conversation, Reply, converse, new_client
from wizard.probes.dns import first_address
from wizard.probes.fault import LinkFault
from wizard.probes.persistence import DEFAULT_TIMEOUT_S, Loss
from wizard.probes.sockets import no_loss_yet
from wizard.probes.target import Target
from wizard.probes.udp import UdpProber
from wizard.vantage.relay_server import RelayServer, find_server, refusal
from wizard.vantage.relayed_tcp import RelayedTcpProber, syns
from wizard.vantage.relayed_udp import Carriers
from wizard.vantage.telling import found_by
from wizard.wire import turn
from wizard.wire.long_term import Credentials
from wizard.wire.request import Timing
from wizard.wire.turn_event import Refused, Succeeded

_LIFETIME_S = 600
_ROUNDS = 3
_QUOTA = 486  # RFC 8656 section 7.2
_QUOTA_LINGERS_S, _QUOTA_PAUSE_S = 3.0, 0.3
"""coturn counts an allocation for a second after it was given back."""
_TOO_MUCH_LOSS = "too much is lost between the TURN server and this port to tell whether it is silent"


class RelayPlace:
    """Has a TURN server send the probes: UDP by Send indications, TCP by RFC 6062.

    The server is asked for permission to talk to the addresses of the project's own hops, and to no others.
    Nothing that the server itself does or refuses counts as a failure of a port.
    """

    def __init__(
        self,
        vantage_id: str,
        *,
        server: str,
        username: str,
        password: Secret,
        key: bytes,
        hops: Sequence[Hop],
        timeout_s: float = DEFAULT_TIMEOUT_S,
        server_name: str | None = None,
    ) -> None:
        """`server_name` is the public name that clients use, for services that want one."""
        self._vantage = vantage_id
        self._server = server
        self._credentials = Credentials(username, password)
        self._key = key
        self._hops = tuple(hops)
        self._timeout_s = timeout_s
        self._server_name = server_name

    def observe(self, probes: Sequence[Probe]) -> AsyncGenerator[Observation | Fact, None]:
        """Send the probes; yield one Observation for each as it is decided, and how the server received us."""
        return found_by(lambda tell: _Run(self, tell).all(probes))


@dataclass(frozen=True, slots=True)
class _Group:
    """Probes that one allocation carries."""

    protocol: Protocol
    family: int
    ports: tuple[Aimed, ...]


class _Run:
    def __init__(self, place: RelayPlace, tell: Callable[[Observation | Fact], None]) -> None:
        self._found = tell
        self._place = place
        self._facts: set[RelayChecked] = set()
        self._held: list[asyncio.Event] = []
        """One for each allocation that the server holds for us: set when it has been given back."""
        self._given_back_at = -math.inf
        self._asking = asyncio.Lock()

    async def all(self, probes: Sequence[Probe]) -> None:
        place = self._place
        if not probes:
            return
        listed = {same_address(hop.address) for hop in place._hops if hop.address is not None}
        server, aimed = await asyncio.gather(
            find_server(place._server, place._credentials),
            self._aimed([probe for probe in probes if same_address(probe.address) in listed]),
        )
        for probe in probes:
            if same_address(probe.address) not in listed:
                words = f"{probe.address} is no address of this project's path"
                self._tell(probe, probe.address, Judgement(Outcome.NOT_CHECKED, error=words), None)
        if isinstance(server, str):
            self._check(None, None, server)
            for one in aimed:
                self._tell(one.probe, one.target.address, Judgement(Outcome.FAILED, error=server), None)
            return
        groups: dict[tuple[Protocol, int], list[Aimed]] = {}
        for one in aimed:
            family = 6 if ":" in one.target.address else 4
            groups.setdefault((one.probe.protocol, family), []).append(one)
        async with asyncio.TaskGroup() as tasks:
            for (protocol, family), ports in groups.items():
                tasks.create_task(self._group(server, _Group(protocol, family, tuple(ports))))

    async def _aimed(self, probes: Sequence[Probe]) -> list[Aimed]:
        """The probes with the literal addresses they go to; those whose name has none are told at once."""
        names = tuple({probe.address for probe in probes})
        literals = dict(zip(names, await asyncio.gather(*(_literal(name) for name in names)), strict=True))
        aimed: list[Aimed] = []
        for probe in probes:
            literal = literals[probe.address]
            if isinstance(literal, Judgement):
                self._tell(probe, probe.address, literal, None)
            else:
                aimed.append(Aimed(probe, Target(literal)))
        return aimed

    async def _group(self, server: RelayServer, group: _Group) -> None:
        losses = no_loss_yet(group.ports)
        silent, source = group.ports, ""
        for rounds in range(1, _ROUNDS + 1):
            silent, source = await self._round(server, replace(group, ports=silent), losses)
            asked = rounds * syns(self._place._timeout_s)
            if not any(_in_doubt(group, losses[aimed.probe.enters], asked) for aimed in silent):
                break
        for aimed in silent:
            judgement = Judgement(Outcome.SILENT)
            if _in_doubt(group, losses[aimed.probe.enters], asked):
                judgement = Judgement(Outcome.NOT_CHECKED, error=_TOO_MUCH_LOSS)
            self._tell(aimed.probe, aimed.target.address, judgement, source)

    async def _round(
        self, server: RelayServer, group: _Group, losses: Mapping[str, Loss]
    ) -> tuple[tuple[Aimed, ...], str]:
        """Ask the ports through an allocation of their own. Returns those that were silent, and the source."""
        while True:
            gone = asyncio.Event()
            try:
                asked = await self._allocated(server, group, losses, gone)
            finally:
                if gone in self._held:
                    self._held.remove(gone)
                    self._given_back_at = asyncio.get_running_loop().time()
                gone.set()
            if asked is not None:
                return asked
            if self._held:
                await self._held[0].wait()
            else:
                await asyncio.sleep(_QUOTA_PAUSE_S)

    async def _allocated(
        self, server: RelayServer, group: _Group, losses: Mapping[str, Loss], gone: asyncio.Event
    ) -> tuple[tuple[Aimed, ...], str] | None:
        """One try at a round. None if our own allocations, or one just given back, use up our quota on the server.

        `gone` is among those held while the server holds this allocation.
        """
        is_tcp = group.protocol is Protocol.TCP
        endpoint = server.endpoint(stream=is_tcp)
        client = new_client(endpoint.transport, server.credentials, Timing(timeout_s=self._place._timeout_s))
        carriers = Carriers()
        async with converse(endpoint, client, server.tls, carriers.take, self._place._timeout_s) as talk:
            if isinstance(talk, LinkFault):
                self._refused(group.ports, talk, f"take a connection over {endpoint.transport}", None)
                return (), ""
            # A server of RFC 5766 alone knows no address families; IPv4 is what it gives (RFC 8656 section 7.1).
            family = turn.IPV6 if group.family == 6 else None
            transport = turn.TCP if is_tcp else turn.UDP
            async with self._asking:
                reply = await talk.ask(lambda now: client.allocate(now, transport=transport, family=family))
                if isinstance(reply, Succeeded):
                    self._held.append(gone)
                elif isinstance(reply, Refused) and reply.code == _QUOTA and self._fills_quota():
                    return None
            if not isinstance(reply, Succeeded) or client.allocation is None:
                self._refused(group.ports, reply, f"relay {group.protocol.upper()} over IPv{group.family}", None)
                return (), ""
            relayed = client.allocation.relayed[0]
            self._check(spelled(relayed), None, client.software or "")
            carriers.conversation = talk
            source = f"{relayed[0]}/{ipaddress.ip_address(relayed[0]).max_prefixlen}"
            permitted = await self._permitted(group, talk, source)
            silent = await self._asked(server, replace(group, ports=permitted), talk, carriers, losses, source)
            return silent, source

    def _fills_quota(self) -> bool:
        now = asyncio.get_running_loop().time()
        return bool(self._held) or now < self._given_back_at + _QUOTA_LINGERS_S

    async def _asked(
        self,
        server: RelayServer,
        group: _Group,
        talk: Conversation,
        carriers: Carriers,
        losses: Mapping[str, Loss],
        source: str,
    ) -> tuple[Aimed, ...]:
        """Ask the ports. Returns those that were silent while the server was there."""
        place = self._place
        undecided = dict.fromkeys(group.ports)

        def decided(aimed: Aimed, judgement: Judgement) -> None:
            if judgement.outcome is not Outcome.SILENT:
                del undecided[aimed]
                self._tell(aimed.probe, aimed.target.address, judgement, source)

        if group.protocol is Protocol.TCP:
            tcp = RelayedTcpProber(
                server,
                talk,
                place._key,
                place._vantage,
                place._hops,
                place._timeout_s,
                place._server_name,
                losses,
                decided,
            )
            work = tcp.run(group.ports)
        else:
            udp = UdpProber(place._key, place._vantage, place._hops, place._timeout_s, carriers.make, decided)
            work = udp.run(group.ports, losses)
        await _until(work, talk)
        if not undecided:
            return ()
        # Silence is the port's only if the server was still there.
        alive = await talk.ask(lambda now: talk.client.refresh(now, _LIFETIME_S))
        if isinstance(alive, Succeeded):
            return tuple(undecided)
        for aimed in undecided:
            self._tell(aimed.probe, aimed.target.address, refusal(alive, "say that it is still there"), source)
        return ()

    async def _permitted(self, group: _Group, talk: Conversation, source: str) -> tuple[Aimed, ...]:
        """The ports at addresses that the server lets us talk to; the others are told."""
        client = talk.client
        peers = tuple({aimed.target.address for aimed in group.ports})
        replies = await asyncio.gather(*(talk.ask(_permission(client, peer)) for peer in peers))
        permitted: list[Aimed] = []
        for peer, reply in zip(peers, replies, strict=True):
            ports = [aimed for aimed in group.ports if aimed.target.address == peer]
            if isinstance(reply, Succeeded):
                permitted += ports
            else:
                self._refused(ports, reply, f"talk to {peer}", source)
        return tuple(permitted)

    def _refused(self, ports: Sequence[Aimed], reply: Reply, what: str, source: str | None) -> None:
        judgement = refusal(reply, what)
        code = reply.code if isinstance(reply, Refused) else None
        self._check(None, code, reply.reason if isinstance(reply, Refused) else judgement.error or "")
        for aimed in ports:
            self._tell(aimed.probe, aimed.target.address, judgement, source)

    def _check(self, relayed: str | None, code: int | None, text: str) -> None:
        fact = RelayChecked(self._place._vantage, self._place._server, relayed, code, text)
        if fact not in self._facts:
            self._facts.add(fact)
            self._found(fact)

    def _tell(self, probe: Probe, address: str, judgement: Judgement, source: str | None) -> None:
        self._found(judgement.observation(probe, address, source))


def _permission(client: turn.TurnClient, peer: str) -> Callable[[float], int]:
    return lambda now: client.create_permission(now, [(peer, 0)])


def _in_doubt(group: _Group, loss: Loss, asked: int) -> bool:
    """Whether loss alone may be why TCP ports were silent; the UDP prober asks until it is not."""
    return group.protocol is Protocol.TCP and loss.evident and asked < loss.needed


async def _literal(name: str) -> str | Judgement:
    try:
        address = await first_address(name)
    except OSError as error:
        return Judgement(Outcome.FAILED, error=f"{name} could not be resolved: {error}")
    ip = ipaddress.ip_address(address.partition("%")[0])
    return str(getattr(ip, "ipv4_mapped", None) or ip)


async def _until(work: Coroutine[None, None, None], talk: Conversation) -> None:
    """Run the probes until they are all decided, or the server is gone."""
    probing = asyncio.create_task(work)
    gone = asyncio.create_task(talk.gone())
    try:
        await asyncio.wait((probing, gone), return_when=asyncio.FIRST_COMPLETED)
        if probing.done():
            await probing
    finally:
        for task in (probing, gone):
            task.cancel()
        await asyncio.gather(probing, gone, return_exceptions=True)
