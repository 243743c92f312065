"""Who may read a document, as a condition that every statement on documents carries.

What stands for a viewer is worked out inside the statement, once for all its rows: what the viewer is by membership,
their proven addresses and the domains of these, and the groups at the sources that hold any of them. So a change of a
group holds from its commit on, without a document being touched. Searches, which ask several times within
milliseconds, look it up once a transaction (`standing.py`).
"""

from domain.people import Viewer, user_principal

ADDRESSES = "select a.email from member_addresses a where a.user_id = :viewer_id"
NAMES = f"""select unnest(cast(:principals as text[]))
    union select 'email:' || e.email from ({ADDRESSES}) e
    union select 'domain:' || split_part(e.email, '@', 2) from ({ADDRESSES}) e"""
MINE = f"""array(
    with names (name) as ({NAMES})
    select name from names
    union select m.principal from group_members m join names on m.member = names.name
)"""
SHARED_AS_WELL = """(not :is_viewed or (
    exists (
        select from document_access a
        where a.tenant_id = d.tenant_id and a.document_id = d.id and a.principal <> :viewer_principal
    )
    and not exists (select from integrations o where o.tenant_id = d.tenant_id and o.id = d.integration_id
        and o.owner_id is not null)
))"""
"""An admin who looks as another member does not see what belongs to that member alone."""
READABLE = f"""(
    d.integration_id <> all(array(select r.id from integrations r where r.removed_at is not null))
    and (:is_system or ((d.reserved_for is null or d.reserved_for = :viewer_id) and exists (
        select from document_access a
        where a.tenant_id = d.tenant_id and a.document_id = d.id and a.principal = any({MINE})
    ) and {SHARED_AS_WELL}))
)"""
"""On `documents d`. An unknown principal, or none, means no access.

What belongs to a removed integration is nobody's; the few such integrations are looked up once a statement. What is
reserved, since it is personal or may be, is its owner's alone, whoever it is shared with.
"""


def access_binds(viewer: Viewer) -> dict[str, object]:
    """Return the binds of READABLE for this viewer."""
    return {
        "is_system": viewer.is_system,
        "principals": list(viewer.principals),
        "viewer_id": viewer.user_id,
        "viewer_principal": user_principal(viewer.user_id),
        "is_viewed": viewer.viewed_by is not None,
    }
