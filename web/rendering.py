"""Turn templates into responses: one URL and one handler, a whole page for a browser, its region for HTMX.

`page` needs no request: the response renders itself when Litestar turns it into ASGI messages, which happens before the
transaction of the request is committed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Request, Response
from litestar.datastructures import Cookie
from litestar.response.base import ASGIResponse
from markupsafe import Markup

from web import filters
from web.assets import Assets
from web.doors import WebSettings
from web.flashes import FLASH_COOKIE, Flash, FlashKind, read_flash, write_flash
from web.forms import EMPTY
from web.places import PLACES, is_here
from web.security import CSRF_FIELD, csrf_token
from web.visits import Visit, visit_of

TEMPLATES = Path(__file__).parent / "templates"
Theme = Literal["auto", "light", "dark"]
AnyRequest = Request[Any, Any, Any]


@dataclass(frozen=True, slots=True)
class Renderer:
    """The templates with everything they may call; made once per application."""

    environment: Environment
    assets: Assets
    settings: WebSettings

    def render(self, template: str, request: AnyRequest, flash: Flash | None, context: dict[str, Any]) -> str:
        """Return a template's text for one request."""
        visit = visit_of(request)
        token = csrf_token(self.settings.secret_key, visit)
        shared = {
            "viewer": visit.viewer,
            "flash": flash,
            "csrf_token": token,
            "csrf_field": Markup('<input type="hidden" name="{}" value="{}">').format(CSRF_FIELD, token),
            "theme": theme_of(request),
            "path": request.url.path,
            "form": EMPTY,
        }
        return self.environment.get_template(template).render({**shared, **context})


def make_renderer(settings: WebSettings, now: Callable[[], datetime]) -> Renderer:
    """Return the renderer of one application."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=not settings.is_production,
    )
    assets = Assets()
    filters.install(environment, now)
    environment.globals.update(asset=assets.url, settings=settings, now=now, places=PLACES)
    environment.tests["here"] = is_here
    environment.globals["ui"] = environment.get_template("shared/_ui.html").module
    environment.globals["fields"] = environment.get_template("shared/_fields.html").module
    return Renderer(environment, assets, settings)


class Page(Response[str]):
    """A rendered page, or its region where HTMX asks."""

    def __init__(
        self, template: str, fragment: str | None, status: int, notice: Flash | None, context: dict[str, Any]
    ) -> None:
        super().__init__("", status_code=status, media_type="text/html")
        self.template, self.fragment, self.notice, self.context = template, fragment, notice, context

    def to_asgi_response(self, app: Any, request: AnyRequest, **options: Any) -> ASGIResponse:  # noqa: ARG002 (Litestar's own deprecated argument)
        """Render, now that it is known who asks and how."""
        renderer: Renderer = request.app.state.renderer
        self.headers.setdefault("Vary", "HX-Request")
        self.headers.setdefault("Cache-Control", "no-store")
        if self.fragment and wants_region(request):
            self.content = renderer.render(self.fragment, request, None, self.context)
            if self.notice:
                self.content += renderer.render("shared/_notices.html", request, self.notice, {"is_out_of_band": True})
        else:
            flash = self.notice or read_flash(request, renderer.settings.secret_key)
            self.content = renderer.render(self.template, request, flash, self.context)
            if FLASH_COOKIE in request.cookies:
                self.delete_cookie(FLASH_COOKIE)
        keep_visitor(self, visit_of(request), renderer.settings)
        return super().to_asgi_response(None, request, **options)


class SeeOther(Response[str]):
    """Send the browser elsewhere after a change, with a word about it on the next page."""

    def __init__(self, path: str, notice: Flash | None) -> None:
        super().__init__("", status_code=303, media_type="text/html")
        self.path, self.notice = path, notice

    def to_asgi_response(self, app: Any, request: AnyRequest, **options: Any) -> ASGIResponse:  # noqa: ARG002 (Litestar's own deprecated argument)
        """Name the place in the header that the asker understands."""
        settings: WebSettings = request.app.state.settings
        if is_htmx(request):
            self.status_code = 200
        self.headers["HX-Redirect" if is_htmx(request) else "Location"] = self.path
        if self.notice:
            self.set_cookie(write_flash(self.notice, settings))
        return super().to_asgi_response(None, request, **options)


def page(template: str, fragment: str | None = None, *, status: int = 200, notice: str = "", **context: Any) -> Page:
    """Return a page; HTMX gets `fragment` instead where it is named. `notice` is shown above, in either case."""
    return Page(template, fragment, status, Flash(FlashKind.GOOD, notice) if notice else None, context)


def see_other(path: str, notice: str = "", kind: FlashKind = FlashKind.GOOD) -> SeeOther:
    """Return a redirect after a change (303; HX-Redirect for HTMX), with a notice for the next page."""
    return SeeOther(path, Flash(kind, notice) if notice else None)


def render_region(request: AnyRequest, template: str, **context: Any) -> Markup:
    """Return a region's markup outside of a response, as server-sent events need it."""
    renderer: Renderer = request.app.state.renderer
    return Markup(renderer.render(template, request, None, context))  # noqa: S704 (a rendered template is escaped)


def is_htmx(request: AnyRequest) -> bool:
    """Whether HTMX sent this request."""
    return request.headers.get("HX-Request") == "true"


def wants_region(request: AnyRequest) -> bool:
    """Whether a region suffices: boosted links and restored history need the whole page."""
    headers = request.headers
    is_whole = headers.get("HX-Boosted") == "true" or headers.get("HX-History-Restore-Request") == "true"
    return is_htmx(request) and not is_whole


def theme_of(request: AnyRequest) -> Theme:
    """Return the colours the person chose; `auto` follows the device."""
    match request.cookies.get("kv_theme"):
        case "light":
            return "light"
        case "dark":
            return "dark"
        case _:
            return "auto"


def keep_visitor(response: Response[Any], visit: Visit, settings: WebSettings) -> None:
    """Give a first-time visitor the cookie their forms are bound to until they sign in."""
    if visit.is_new_visitor:
        response.set_cookie(
            Cookie("kv_visitor", value=visit.visitor, httponly=True, samesite="lax", secure=settings.is_production)
        )
