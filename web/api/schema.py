"""How the API describes itself: OpenAPI, as JSON, under /api/v1/schema."""

from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme, Tag

from web.security import CSRF_HEADER
from web.sessions import SESSION_COOKIE

DESCRIPTION = f"""Everything the pages do, for scripts. Make an API token on the settings page and send it as
`Authorization: Bearer TOKEN`; it acts as you and sees exactly what you may see. A browser’s session works too; its
changes carry the header `{CSRF_HEADER}`. Errors are problem documents (RFC 9457). Lists come in pages: send `next_key`
of one page as `key` for the next, until it is empty."""


def describe_api(version: str) -> OpenAPIConfig:
    """Return the description's frame; the calls themselves are described where they are."""
    return OpenAPIConfig(
        title="KnowledgeVault",
        version=version,
        description=DESCRIPTION,
        path="/api/v1/schema",
        use_handler_docstrings=True,
        render_plugins=[JsonRenderPlugin(path=["/", "/openapi.json"])],
        components=Components(
            security_schemes={
                "token": SecurityScheme(type="http", scheme="bearer", description="An API token"),
                "session": SecurityScheme(
                    type="apiKey", name=SESSION_COOKIE, security_scheme_in="cookie", description="A browser's session"
                ),
            }
        ),
        tags=[
            Tag("Search", "Documents by their words and their meaning"),
            Tag("Ask", "Answers whose every sentence carries its proof"),
            Tag("Documents", "The library"),
            Tag("Integrations", "What brings documents in"),
            Tag("People", "You and your colleagues"),
        ],
    )
