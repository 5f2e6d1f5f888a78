"""The rating page over HTTP: a page of three static files, and five requests that carry no names.

python scripts/annotate.py run_dir=runs/annotate
"""

import hmac
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote

import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.middleware.trustedhost import TrustedHostMiddleware

from eval.annotate.desk import Desk, WrongRequest

STATIC = Path(__file__).parent / "static"
_FILES = {
    "/": ("index.html", "text/html"),
    "/page.js": ("page.js", "text/javascript"),
    "/render.js": ("render.js", "text/javascript"),
    "/page.css": ("page.css", "text/css"),
}
_HEADERS = {
    # Nothing inline, nothing from elsewhere: text of a model could not run or load anything even if it
    # were ever taken for HTML.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Rating(BaseModel):
    """A rating as the page sends it; `list` says which list the page has loaded."""

    id: str = Field(max_length=64)
    list: str
    position: int
    slot: int
    rating: str | None
    note: str = Field(default="", max_length=20_000)


class Step(BaseModel):
    """A skip or an undo."""

    id: str = Field(max_length=64)
    list: str
    position: int = 0


def make_app(desks: Mapping[str, Desk], allowed_hosts: list[str], default: Desk | None = None) -> FastAPI:
    """The application.

    `desks`: what stands behind the # of a rater's link -> their desk; `default`: whose desk the page shows
    where nothing stands there.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    # A page elsewhere that points a name of its own at this machine is turned away.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=allowed_hosts)
    app.middleware("http")(_with_headers)
    app.add_exception_handler(WrongRequest, _wrong_request)
    app.add_exception_handler(OSError, _not_written)
    _add_requests(app, _desk_of_key(desks, default))
    for path, (name, kind) in _FILES.items():
        app.add_api_route(path, _sender(name, kind), methods=["GET"])
    return app


async def _with_headers(request: Request, call_next: Callable[[Request], Any]) -> Response:
    response: Response = await call_next(request)
    response.headers.update(_HEADERS)
    return response


async def _wrong_request(_: Request, error: Exception) -> Response:
    return JSONResponse({"detail": str(error)}, 400)


async def _not_written(_: Request, error: Exception) -> Response:
    assert isinstance(error, OSError)
    return JSONResponse({"detail": f"It could not be written to disk ({error.strerror})."}, 507)


def _desk_of_key(desks: Mapping[str, Desk], default: Desk | None) -> Callable[..., Desk]:
    def desk(x_rater_key: Annotated[str, Header()] = "") -> Desk:
        given = unquote(x_rater_key).encode()
        for key, found in desks.items():
            if hmac.compare_digest(key.encode(), given):
                return found
        if default and not x_rater_key:
            return default
        raise HTTPException(
            401, "This is not a rater's link. Open your own: whoever started the page has it."
        )

    return desk


def _checked(rater_desk: Desk, list_id: str) -> Desk:
    if list_id != rater_desk.list_id:
        raise HTTPException(409, "The page was started again with other items: reload it.")
    return rater_desk


def _add_requests(app: FastAPI, desk: Callable[..., Desk]) -> None:
    """What the page asks for; `desk` finds whose it is."""
    Given = Annotated[Desk, Depends(desk)]

    # Plain functions: each runs in a thread of its own, so that one rater's sync does not hold up the others.
    @app.get("/api/state")
    def state(rater: Given) -> dict[str, Any]:
        return rater.state()

    @app.get("/api/items/{position}")
    def item(rater: Given, position: int) -> dict[str, Any]:
        return rater.view(position)

    @app.post("/api/rating")
    def rate(rater: Given, sent: Rating) -> dict[str, Any]:
        _checked(rater, sent.list).rate(sent.position, sent.slot, sent.rating, sent.note, sent.id)
        return rater.state()

    @app.post("/api/skip")
    def skip(rater: Given, sent: Step) -> dict[str, Any]:
        _checked(rater, sent.list).skip(sent.position, sent.id)
        return rater.state()

    @app.post("/api/undo")
    def undo(rater: Given, sent: Step) -> dict[str, Any]:
        place = _checked(rater, sent.list).undo(sent.id)
        where = {"position": place[0], "slot": place[1]} if place else {"position": None, "slot": None}
        return rater.state() | where

    @app.get("/favicon.ico")
    def no_icon() -> Response:
        return Response(status_code=204)


def _sender(name: str, kind: str) -> Callable[[], Response]:
    body = (STATIC / name).read_bytes()
    return lambda: Response(body, media_type=f"{kind}; charset=utf-8")


def serve(app: FastAPI, listener: socket.socket) -> None:
    """Answer on the open socket until the process is told to stop.

    Raises:
        KeyboardInterrupt: told to stop (Ctrl-C or a polite kill), after open requests are answered.
    """
    config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=3)
    uvicorn.Server(config).run(sockets=[listener])
