"""HTTP to one gateway and nobody else: from one of our own addresses, without redirects, with short answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from async_upnp_client.client import UpnpRequester
from async_upnp_client.const import HttpRequest, HttpResponse
from async_upnp_client.exceptions import UpnpCommunicationError, UpnpConnectionError, UpnpConnectionTimeoutError

from wizard.wire import ssdp

_TIMEOUT_S = 5.0
"""Cheap routers think for seconds over a list of mappings."""
_LONGEST = 1 << 20


class GatewayRequester(UpnpRequester):
    """Sends the UPnP client's requests, if they are for that gateway."""

    def __init__(self, session: aiohttp.ClientSession, address: str) -> None:
        self._session = session
        self._address = address

    async def async_http_request(self, http_request: HttpRequest) -> HttpResponse:
        """Raises UpnpCommunicationError, of which there is one kind for each fault of the network."""
        if not ssdp.is_at(http_request.url, self._address):
            raise UpnpCommunicationError(message=f"it points to {http_request.url}, which is not the gateway")
        try:
            async with self._session.request(
                http_request.method,
                http_request.url,
                headers=http_request.headers,
                data=http_request.body,
                allow_redirects=False,
            ) as response:
                body = bytearray()
                async for part in response.content.iter_chunked(1 << 16):
                    body += part
                    if len(body) > _LONGEST:
                        raise UpnpCommunicationError(message="its answer does not end")
                # Routers say what they like about the encoding; UPnP has one only.
                return HttpResponse(response.status, response.headers, body.decode("utf-8", "replace"))
        except TimeoutError as error:
            raise UpnpConnectionTimeoutError(message=f"no answer within {_TIMEOUT_S:.0f} s") from error
        except aiohttp.ClientConnectionError as error:
            raise UpnpConnectionError(message=str(error)) from error
        except aiohttp.ClientError as error:
            raise UpnpCommunicationError(message=str(error)) from error


@asynccontextmanager
async def requester(own: str, gateway: str) -> AsyncIterator[GatewayRequester]:
    """A requester that sends from our address `own`; its connections are closed at the end."""
    connector = aiohttp.TCPConnector(local_addr=(own, 0), limit=2)
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        yield GatewayRequester(session, gateway)
