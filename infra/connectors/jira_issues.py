"""Issues of Jira, as its API tells of them, and how one reads as a document."""

from datetime import datetime

import msgspec

from infra.connectors.atlassian import Named, said

LISTED = "summary,updated,created,creator,security,attachment"
READ = (
    "summary,description,comment,status,issuetype,priority,resolution,assignee,reporter,labels,components,fixVersions,"
    "duedate"
)


class Attachment(msgspec.Struct, frozen=True, rename="camel"):
    """A file at an issue."""

    id: str
    filename: str = ""
    size: int | None = None
    mime_type: str = ""
    content: str = ""
    created: str = ""
    author: Named | None = None


class Comment(msgspec.Struct, frozen=True, rename="camel"):
    """What somebody said about an issue."""

    id: str = ""
    author: Named | None = None
    created: str = ""
    body: object = None
    rendered_body: str = ""
    visibility: dict[str, object] | None = None
    """Set where only a role or a group may read it."""


class Comments(msgspec.Struct, frozen=True):
    """A page of comments."""

    comments: tuple[Comment, ...] = ()
    total: int = 0


class RenderedComment(msgspec.Struct, frozen=True):
    """What somebody said, in HTML."""

    id: str = ""
    body: str = ""


class RenderedComments(msgspec.Struct, frozen=True):
    """The comments that come with an issue, in HTML."""

    comments: tuple[RenderedComment, ...] = ()


class Fields(msgspec.Struct, frozen=True, rename="camel"):
    """What is said of an issue."""

    summary: str = ""
    updated: str = ""
    created: str = ""
    creator: Named | None = None
    security: Named | None = None
    attachment: tuple[Attachment, ...] = ()
    status: Named | None = None
    issuetype: Named | None = None
    priority: Named | None = None
    resolution: Named | None = None
    assignee: Named | None = None
    reporter: Named | None = None
    labels: tuple[str, ...] = ()
    components: tuple[Named, ...] = ()
    fix_versions: tuple[Named, ...] = ()
    duedate: str | None = None
    comment: Comments | None = None


class Rendered(msgspec.Struct, frozen=True):
    """The same in HTML."""

    description: str | None = None
    comment: RenderedComments = RenderedComments()


class Issue(msgspec.Struct, frozen=True, rename="camel"):
    """An issue."""

    id: str
    key: str = ""
    fields: Fields = Fields()
    rendered_fields: Rendered = Rendered()


class Found(msgspec.Struct, frozen=True, rename="camel"):
    """A page of a search; servers count, the cloud gives a token."""

    issues: tuple[Issue, ...] = ()
    total: int | None = None
    next_page_token: str | None = None


class Me(msgspec.Struct, frozen=True, rename="camel"):
    """Whose token it is."""

    display_name: str = ""


def comments_within(issue: Issue) -> tuple[Comment, ...] | None:
    """Return the comments that came with an issue; None when they must be asked for, since not all did."""
    held = issue.fields.comment
    rendered = {each.id: each.body for each in issue.rendered_fields.comment.comments}
    if held is None or len(held.comments) < held.total or any(each.id not in rendered for each in held.comments):
        return None
    return tuple(msgspec.structs.replace(each, rendered_body=rendered[each.id]) for each in held.comments)


def issue_text(issue: Issue, comments: tuple[Comment, ...]) -> bytes:
    """Return an issue with its facts and the comments that all of its readers may read."""
    fields = issue.fields
    facts = {
        "Type": _title(fields.issuetype),
        "Status": _title(fields.status),
        "Resolution": _title(fields.resolution),
        "Priority": _title(fields.priority),
        "Assignee": _title(fields.assignee),
        "Reporter": _title(fields.reporter),
        "Due": fields.duedate or "",
        "Labels": ", ".join(fields.labels),
        "Components": ", ".join(each.title for each in fields.components),
        "Versions": ", ".join(each.title for each in fields.fix_versions),
    }
    spoken = tuple(
        (_title(each.author) or "Somebody", each.created, each.rendered_body)
        for each in comments
        if each.visibility is None
    )
    return said(f"{issue.key}: {fields.summary}", facts, issue.rendered_fields.description or "", spoken)


def moment(text: str) -> datetime | None:
    """Return a moment as Jira writes it, 2026-05-01T08:00:00.000+0200."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _title(named: Named | None) -> str:
    return named.title if named else ""
