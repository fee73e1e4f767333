"""
Who may ask, and what a page may do.

A server on 127.0.0.1 is reached by every program of this machine and, through a browser, by every
page of the web that its user looks at. So each request must name this server as its host (else a
name that somebody lets point here would do), and carry a token that only the address which the
command prints gives. Nothing is changed by any request.
"""

from __future__ import annotations

from hmac import compare_digest
from typing import Final

from starlette.datastructures import URL, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

METHODS: Final = ("GET", "HEAD")
HEADERS: Final = {
    # Charts compile their formulas, and set styles; no script but those of this server runs.
    "Content-Security-Policy": "default-src 'none'; script-src 'self' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Guard:
    """
    Let through to an application what may ask it, and tell browsers what its pages may do.

    Args:
        token: what the first address carries; a cookie keeps it from then on.
        key: what opens once in its place. A browser is started with it: the command line of a
            process can be read by everybody on this machine.
        port: the one that is listened to; what asks for another host, or port, is refused.
    """

    def __init__(self, app: ASGIApp, *, token: str, port: int, key: str | None = None) -> None:
        self._app = app
        self._token = token
        self._key = key
        names = ("127.0.0.1", "localhost")
        # Browsers leave out the port that all of the web has.
        self._hosts = {f"{name}:{port}" for name in names} | set(names if port == 80 else ())
        # Cookies do not tell ports apart: two catalogs may be open at once.
        self._cookie = f"catalog-{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # Nothing here talks in any other way.

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        refusal = self._refusal(Request(scope))
        await (refusal or self._app)(scope, receive, send_guarded)

    def _refusal(self, request: Request) -> Response | None:
        if request.headers.get("host") not in self._hosts:
            return PlainTextResponse("This server answers to 127.0.0.1 only.\n", 421)
        if request.method not in METHODS:
            return PlainTextResponse("Nothing is changed here.\n", 405, {"Allow": "GET, HEAD"})
        given = request.query_params.get("token")
        if given is not None and (self._is_token(given) or self._takes_key(given)):
            # Out of the address, which is copied and kept; the cookie says it from now on.
            answer = RedirectResponse(_without_token(request.url), 303)
            # Lax, so that a link from a chat opens; what other pages embed or fetch has no cookie.
            answer.set_cookie(self._cookie, self._token, httponly=True, samesite="lax")
            return answer
        if not self._is_token(request.cookies.get(self._cookie, "")):
            return PlainTextResponse(
                "Open the address that catalog ui printed: it carries the token that is asked for "
                "here.\n",
                403,
            )
        return None

    def _takes_key(self, given: str) -> bool:
        if self._key is None or not compare_digest(given.encode(), self._key.encode()):
            return False
        self._key = None
        return True

    def _is_token(self, given: str) -> bool:
        return compare_digest(given.encode(), self._token.encode())


def _without_token(url: URL) -> str:
    left = url.remove_query_params("token")
    # Not `//elsewhere`, which a browser would take for another host.
    return "/" + left.path.lstrip("/") + (f"?{left.query}" if left.query else "")
