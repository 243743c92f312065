"""What detectors found: frames and gaps of a document's present version, with evidence, and what people said to them.

A document's findings go with it: they hang on `documents`. A gap is one row per fingerprint, however many documents
speak of it. All that quotes a document stands in `gap_evidence` and goes with the document; what stays of a gap that
was dismissed is a hash, so that it is not asked again.
"""

from alembic import op

revision = "0011"
down_revision = "0010"

TABLES = """
create table detections (
    tenant_id bigint not null,
    document_id bigint not null,
    version_id bigint not null,
    detector text not null,
    detected_at timestamptz not null default now(),
    primary key (tenant_id, document_id),
    foreign key (tenant_id, document_id) references documents (tenant_id, id) on delete cascade
);
create index detections_stale on detections (tenant_id, detector);

create table frames (
    id bigint generated always as identity primary key,
    tenant_id bigint not null,
    document_id bigint not null,
    type text not null,
    start_at int not null,
    end_at int not null,
    slots json not null,
    is_negated boolean not null,
    modality text not null,
    weight real not null,
    unique (tenant_id, id),
    foreign key (tenant_id, document_id) references detections (tenant_id, document_id) on delete cascade
);
create index frames_of_document on frames (tenant_id, document_id, start_at);

create table gaps (
    id bigint generated always as identity primary key,
    tenant_id bigint not null references tenants on delete cascade,
    kind text not null,
    fingerprint text not null,
    state text not null default 'open' check (state in ('open', 'dismissed')),
    reason text not null default '',
    closed_by text not null default '',
    closed_at timestamptz,
    created_at timestamptz not null default now(),
    unique (tenant_id, id),
    unique (tenant_id, fingerprint)
);
create index gaps_of_state on gaps (tenant_id, state, kind);

create table gap_evidence (
    tenant_id bigint not null,
    gap_id bigint not null,
    document_id bigint not null,
    start_at int not null,
    end_at int not null,
    question text not null,
    person text not null,
    score real not null,
    primary key (tenant_id, gap_id, document_id, start_at),
    foreign key (tenant_id, gap_id) references gaps (tenant_id, id) on delete cascade,
    foreign key (tenant_id, document_id) references detections (tenant_id, document_id) on delete cascade
);
create index gap_evidence_of_document on gap_evidence (tenant_id, document_id);
"""
TENANT_TABLES = ("detections", "frames", "gaps", "gap_evidence")
CURRENT_TENANT = "(select nullif(current_setting('kv.tenant', true), '')::bigint)"


def upgrade() -> None:
    op.execute(TABLES)
    for table in TENANT_TABLES:
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(
            f"create policy tenant on {table} using (tenant_id = {CURRENT_TENANT})"
            f" with check (tenant_id = {CURRENT_TENANT})"
        )


def downgrade() -> None:
    op.execute(f"drop table {', '.join(reversed(TENANT_TABLES))}")
