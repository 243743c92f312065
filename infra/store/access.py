"""Who may read a document, as a condition that every statement on documents carries."""

from domain.people import Viewer

READABLE = """(:is_system or exists (
    select from document_access a
    where a.tenant_id = d.tenant_id and a.document_id = d.id and a.principal = any(cast(:principals as text[]))
))"""
"""On `documents d`. An unknown principal, or none, means no access."""


def access_binds(viewer: Viewer) -> dict[str, object]:
    """Return the binds of READABLE for this viewer."""
    return {"is_system": viewer.is_system, "principals": list(viewer.principals)}
