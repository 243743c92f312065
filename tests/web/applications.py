"""The application, made once for many tests: making it takes longer than most of them."""

from collections.abc import Callable
from datetime import datetime

from litestar import Litestar
from litestar.handlers import HTTPRouteHandler

from domain.vault import Tools
from web.app import create_app
from web.doors import Doors, WebSettings


class Applications:
    """One application for each way to show itself; `handlers` are routes that only tests have."""

    def __init__(self, *handlers: HTTPRouteHandler) -> None:
        self._handlers = handlers
        self._made: dict[tuple[WebSettings, Callable[[], datetime]], Litestar] = {}

    def over(self, doors: Doors, tools: Tools, settings: WebSettings) -> Litestar:
        """Return the application over these doors and tools; it keeps no state of its own between requests."""
        made = self._made.get((settings, tools.now))
        if made is None:
            made = self._made[settings, tools.now] = create_app(doors, tools, settings)
            for handler in self._handlers:
                made.register(handler)
        made.state.update({"doors": doors, "tools": tools})
        return made
