"""A browser without a screen: follows redirects, keeps cookies, and fills in the forms it was given, as people do."""

from urllib.parse import urljoin

import httpx
from litestar import Litestar
from selectolax.lexbor import LexborHTMLParser, LexborNode

PASSWORD = "three plain words"


class Browser:
    """One person's browser. `page` is what it shows."""

    def __init__(self, app: Litestar) -> None:
        transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]  # Litestar names its messages more closely
        self.client = httpx.AsyncClient(transport=transport, base_url="http://vault.test", follow_redirects=True)
        self.response: httpx.Response = httpx.Response(204)

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def path(self) -> str:
        return self.response.url.raw_path.decode()

    @property
    def page(self) -> LexborHTMLParser:
        return LexborHTMLParser(self.response.text)

    @property
    def words(self) -> str:
        """What a person can read on the page, white space folded."""
        body = self.page.body
        return " ".join(body.text(separator=" ").split()) if body else ""

    @property
    def heading(self) -> str:
        node = self.page.css_first("h1")
        return node.text(strip=True) if node else ""

    async def visit(self, path: str, **headers: str) -> "Browser":
        self.response = await self.client.get(
            path, headers={name.replace("_", "-"): text for name, text in headers.items()}
        )
        return self

    async def submit(self, action: str, is_htmx: bool = False, **entered: str) -> "Browser":
        """Send the form with this action from the page shown, its hidden fields included."""
        form = next((form for form in self.page.css("form") if form.attributes.get("action") == action), None)
        assert form is not None, f"no form leads to {action} on {self.path}"
        headers = {"HX-Request": "true"} if is_htmx else {}
        fields = {**filled(form), **entered}
        self.response = await self.client.post(urljoin(self.path, action), data=fields, headers=headers)
        return self

    async def post(self, path: str, **fields: str) -> "Browser":
        """Send something no form on the page asked for."""
        self.response = await self.client.post(path, data=fields)
        return self

    def error_at(self, field: str) -> str:
        """What the form says is wrong with a field."""
        node = self.page.css_first(f"#{field}-hint.field__error")
        return node.text(strip=True) if node else ""

    def csrf_token(self) -> str:
        node = self.page.css_first("input[name=csrf_token]")
        assert node is not None
        return node.attributes["value"] or ""


def filled(form: LexborNode) -> dict[str, str]:
    """Return what a form would send untouched."""
    fields = {}
    for node in form.css("input, textarea"):
        name = node.attributes.get("name")
        if name and node.attributes.get("type") not in ("checkbox", "radio", "file", "submit"):
            fields[name] = node.attributes.get("value") or ""
    return fields


async def sign_up(browser: Browser, email: str, company: str = "Tidewater", name: str = "Ada Byron") -> Browser:
    """Make a vault; the browser shows its home page afterwards."""
    await browser.visit("/sign-up")
    return await browser.submit("/sign-up", company=company, name=name, email=email, password=PASSWORD)


async def sign_in(browser: Browser, email: str, password: str = PASSWORD) -> Browser:
    """Sign in; the browser shows what comes after."""
    await browser.visit("/session/new")
    return await browser.submit("/session", email=email, password=password)
