"""Claims, their conflicts and how those were settled; whom gaps are asked, which are one, and what people made of them.

Claims hang on their document's row in `detections` and go with it. All that quotes a document stands in `claims`; what
stays of a conflict that was settled or dismissed is a hash of both texts, so that it does not come back.
`claim_terms` is the index by which a claim meets its neighbours: equality is leakproof, so row security lets it work.
"""

from alembic import op

revision = "0017"
down_revision = "0019"

TABLES = """
create table claims (
    id bigint generated always as identity primary key,
    tenant_id bigint not null,
    document_id bigint not null,
    version_id bigint not null,
    start_at int not null,
    end_at int not null,
    mark text not null,
    claim json not null,
    model text not null,
    embedding halfvec(384) not null,
    unique (tenant_id, id),
    foreign key (tenant_id, document_id) references detections (tenant_id, document_id) on delete cascade
);
create index claims_of_document on claims (tenant_id, document_id);
create index claims_of_mark on claims (tenant_id, mark);

create table claim_terms (
    tenant_id bigint not null,
    term text not null,
    claim_id bigint not null,
    primary key (tenant_id, term, claim_id),
    foreign key (tenant_id, claim_id) references claims (tenant_id, id) on delete cascade
);
create index claim_terms_of_claim on claim_terms (tenant_id, claim_id);

create table contradictions (
    id bigint generated always as identity primary key,
    tenant_id bigint not null references tenants on delete cascade,
    fingerprint text not null,
    kind text not null,
    state text not null default 'open' check (state in ('open', 'settled', 'dismissed')),
    winner text not null default '' check (winner in ('', 'a', 'b')),
    closed_by text not null default '',
    closed_at timestamptz,
    created_at timestamptz not null default now(),
    unique (tenant_id, id),
    unique (tenant_id, fingerprint),
    check ((state = 'settled') = (winner <> ''))
);
create index contradictions_of_state on contradictions (tenant_id, state, id);

create table contradiction_evidence (
    tenant_id bigint not null,
    contradiction_id bigint not null,
    a_claim_id bigint not null,
    b_claim_id bigint not null,
    score real not null,
    primary key (tenant_id, contradiction_id, a_claim_id, b_claim_id),
    foreign key (tenant_id, contradiction_id) references contradictions (tenant_id, id) on delete cascade,
    foreign key (tenant_id, a_claim_id) references claims (tenant_id, id) on delete cascade,
    foreign key (tenant_id, b_claim_id) references claims (tenant_id, id) on delete cascade
);
create index contradiction_evidence_a on contradiction_evidence (tenant_id, a_claim_id);
create index contradiction_evidence_b on contradiction_evidence (tenant_id, b_claim_id);

create table answer_notices (
    tenant_id bigint not null,
    contradiction_id bigint not null,
    message_id bigint not null,
    user_id bigint not null,
    created_at timestamptz not null default now(),
    primary key (tenant_id, contradiction_id, message_id),
    foreign key (tenant_id, contradiction_id) references contradictions (tenant_id, id) on delete cascade,
    foreign key (tenant_id, message_id) references messages (tenant_id, id) on delete cascade,
    foreign key (tenant_id, user_id) references memberships on delete cascade
);
create index answer_notices_of_person on answer_notices (tenant_id, user_id);
create index answer_notices_of_message on answer_notices (tenant_id, message_id);

alter table gaps add column twin_of bigint;
create index gaps_twins on gaps (tenant_id, twin_of) where twin_of is not null;
alter table gap_evidence add column origin text not null default 'document' check (origin in ('document', 'vault'));
alter table gap_evidence add column quality real not null default 0.5;
alter table gap_evidence add column addressee text not null default '';
alter table gap_evidence add column addressee_reason text not null default '';
alter table gap_evidence add column embedding halfvec(384);
create index gap_evidence_unsorted on gap_evidence (tenant_id, score desc) where embedding is null;

create table document_terms (
    tenant_id bigint not null,
    document_id bigint not null,
    term text not null,
    is_explained boolean not null,
    start_at int not null,
    end_at int not null,
    topic text not null,
    primary key (tenant_id, term, document_id),
    foreign key (tenant_id, document_id) references detections (tenant_id, document_id) on delete cascade
);
create index document_terms_of_document on document_terms (tenant_id, document_id);

create table gap_verdicts (
    tenant_id bigint not null,
    gap_id bigint not null,
    user_id bigint not null,
    is_useful boolean not null,
    created_at timestamptz not null default now(),
    primary key (tenant_id, gap_id, user_id),
    foreign key (tenant_id, gap_id) references gaps (tenant_id, id) on delete cascade,
    foreign key (tenant_id, user_id) references memberships on delete cascade
);

create table gap_lessons (
    tenant_id bigint not null references tenants on delete cascade,
    kind text not null,
    forgotten_at timestamptz not null,
    forgotten_by text not null,
    primary key (tenant_id, kind)
);
"""
TENANT_TABLES = (
    "claims",
    "claim_terms",
    "contradictions",
    "contradiction_evidence",
    "answer_notices",
    "document_terms",
    "gap_verdicts",
    "gap_lessons",
)
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
    op.execute("alter table gaps drop column twin_of")
    for column in ("origin", "quality", "addressee", "addressee_reason", "embedding"):
        op.execute(f"alter table gap_evidence drop column {column}")
