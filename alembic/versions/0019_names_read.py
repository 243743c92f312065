"""Which version of a document was read for the names in it, so that documents stored before that are read later."""

from alembic import op

revision = "0019"
down_revision = "0016"

CURRENT_TENANT = "(select nullif(current_setting('kv.tenant', true), '')::bigint)"


def upgrade() -> None:
    op.execute("""
        create table name_readings (
            tenant_id bigint not null,
            document_id bigint not null,
            version_id bigint not null,
            primary key (tenant_id, document_id),
            foreign key (tenant_id, document_id) references documents (tenant_id, id) on delete cascade
        );
        alter table name_readings enable row level security;
        alter table name_readings force row level security;
    """)
    op.execute(
        f"create policy tenant on name_readings using (tenant_id = {CURRENT_TENANT})"
        f" with check (tenant_id = {CURRENT_TENANT})"
    )


def downgrade() -> None:
    op.execute("drop table name_readings")
