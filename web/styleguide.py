"""Every component of the face on one page, for those who build pages; not shown in production."""

from litestar import get

from web.forms import Form
from web.rendering import Page, page


@get("/styleguide", include_in_schema=False, sync_to_thread=False)
def show() -> Page:
    """Show all components, a form with errors among them."""
    refused = Form(
        values={"email": "ada@", "name": "Ada"},
        errors={"email": "This is not an e-mail address. It needs a part after the @."},
        message="Please look at the marked field.",
    )
    return page("styleguide/index.html", refused=refused)


routes = [show]
