"""Who may read a document, as a condition that every statement on documents carries."""

from domain.people import Viewer

READABLE = """(
    d.integration_id <> all(array(select r.id from integrations r where r.removed_at is not null))
    and (:is_system or ((d.reserved_for is null or d.reserved_for = :reader) and exists (
        select from document_access a
        where a.tenant_id = d.tenant_id and a.document_id = d.id and a.principal = any(cast(:principals as text[]))
    )))
)"""
"""On `documents d`. An unknown principal, or none, means no access.

What belongs to a removed integration is nobody's; the few such integrations are looked up once a statement. What is
reserved, since it is personal or may be, is its owner's alone, whoever it is shared with.
"""


def access_binds(viewer: Viewer) -> dict[str, object]:
    """Return the binds of READABLE for this viewer."""
    return {"is_system": viewer.is_system, "principals": list(viewer.principals), "reader": viewer.user_id}
