"""Indexes for vaults with hundreds of thousands of documents: what a principal may read, and what pages list by."""

from alembic import op

revision = "0014"
down_revision = "0018"

INDEXES = {
    "document_access_principal": "document_access (tenant_id, principal, document_id)",
    "documents_media_type": "documents (tenant_id, media_type, id)",
    "documents_author": "documents (tenant_id, author, id)",
    "documents_integration": "documents (tenant_id, integration_id, id)",
}


def upgrade() -> None:
    for name, columns in INDEXES.items():
        op.execute(f"create index {name} on {columns}")


def downgrade() -> None:
    op.execute(f"drop index {', '.join(INDEXES)}")
