"""What people do beyond filling in a form: press a button that names its own address, or send files."""

from urllib.parse import urljoin

from tests.web.browser import Browser

File = tuple[str, bytes]


async def press(browser: Browser, address: str, value: str | None = None, is_htmx: bool = False) -> Browser:
    """Press the button that leads to this address; it sends its form's token, and its own value."""
    buttons = browser.page.css(f'button[formaction="{address}"]')
    button = next((each for each in buttons if value is None or each.attributes.get("value") == value), None)
    assert button is not None, f"no button leads to {address} on {browser.path}"
    form = browser.page.css_first(f"form#{button.attributes['form']}")
    assert form is not None
    name, own = button.attributes.get("name"), button.attributes.get("value")
    fields = {"csrf_token": browser.csrf_token(), **({name: own or ""} if name else {})}
    headers = {"HX-Request": "true"} if is_htmx else {}
    browser.response = await browser.client.post(urljoin(browser.path, address), data=fields, headers=headers)
    return browser


async def upload(browser: Browser, *files: File, readers: str = "everyone", **fields: str) -> Browser:
    """Send files with the form of the upload page."""
    await browser.visit("/uploads/new")
    data = {"csrf_token": browser.csrf_token(), "readers": readers, **fields}
    sent = [("files", (name, content)) for name, content in files] or [("files", ("", b""))]
    browser.response = await browser.client.post("/uploads", data=data, files=sent)
    return browser


async def choose(browser: Browser, address: str, document_ids: list[int], **fields: str) -> Browser:
    """Send a form in which these documents are ticked."""
    data = {"csrf_token": browser.csrf_token(), "document": [str(number) for number in document_ids], **fields}
    browser.response = await browser.client.post(address, data=data)
    return browser
