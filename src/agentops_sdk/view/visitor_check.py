"""Who may ask: whoever has the token, under a name that is ours, from a page that is ours."""

from __future__ import annotations

import hmac
import ipaddress
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["VisitorCheck"]

_COOKIE: Final = "agentops_view"
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class VisitorCheck:
    """In front of the application: refuses what another site, or another user of the machine, might ask.

    The token comes once in the address, becomes a cookie that no script reads and no other site sends, and the
    address is shown without it from then on.
    """

    def __init__(self, app: ASGIApp, *, token: str, host: str) -> None:
        self._app = app
        self._token = token
        self._host = host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = HTTPConnection(scope)
        refusal = self._refusal(request)
        if refusal is not None:
            await PlainTextResponse(refusal, 403, headers=_HEADERS)(scope, receive, send)
            return
        if "token" in request.query_params:
            rest = urlencode(
                [pair for pair in parse_qsl(scope["query_string"].decode("latin-1")) if pair[0] != "token"]
            )
            answer = RedirectResponse(request.url.path + (f"?{rest}" if rest else ""), 303, headers=_HEADERS)
            answer.set_cookie(self._cookie(request), self._token, httponly=True, samesite="strict", path="/")
            await answer(scope, receive, send)
            return

        async def with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                own = {name for name, _ in message["headers"]}
                added = ((name.lower().encode(), value.encode()) for name, value in _HEADERS.items())
                message["headers"] = [*message["headers"], *(pair for pair in added if pair[0] not in own)]
            await send(message)

        await self._app(scope, receive, with_headers)

    def _refusal(self, request: HTTPConnection) -> str | None:
        host = request.headers.get("host", "")
        try:
            name = urlsplit(f"//{host}").hostname
        except ValueError:  # no name, and no address either
            name = None
        if not self._is_ours(name):
            return "this name is not one of this server's"
        origin = request.headers.get("origin")
        if origin is not None and origin != f"{request.url.scheme}://{host}":
            return "another site may not ask"
        if request.headers.get("sec-fetch-site", "none") in ("cross-site", "same-site") and "token" not in (
            request.query_params
        ):
            return "another site may not ask"
        told = request.query_params.get("token") or request.cookies.get(self._cookie(request)) or ""
        if not hmac.compare_digest(told.encode("utf-8", "replace"), self._token.encode()):
            return "open the address that `agentops view` has printed: it holds the token"
        return None

    def _is_ours(self, name: str | None) -> bool:
        """A page elsewhere can make its own name mean this machine, but no address and not ``localhost``."""
        if name is None:
            return False
        if name in ("localhost", self._host):
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return address.is_loopback or not _is_loopback(self._host)

    @staticmethod
    def _cookie(request: HTTPConnection) -> str:
        return f"{_COOKIE}_{request.url.port or 80}"  # cookies do not know ports


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
