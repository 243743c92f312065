"""Uploaded files may lie in an object store; keys of files that nobody refers to are noted, to be removed there."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute("""
        alter table blobs add column object_key text not null default '';
        create table unused_objects (
            key text primary key,
            since timestamptz not null default now()
        );
        create index unused_objects_since on unused_objects (since);
        create function note_unused_object() returns trigger language plpgsql as $$
        begin
            insert into unused_objects (key) values (old.object_key) on conflict do nothing;
            return null;
        end $$;
        create trigger blobs_unused after delete on blobs
            for each row when (old.object_key <> '') execute function note_unused_object();
    """)


def downgrade() -> None:
    op.execute("""
        drop trigger blobs_unused on blobs;
        drop function note_unused_object;
        drop table unused_objects;
        alter table blobs drop column object_key;
    """)
