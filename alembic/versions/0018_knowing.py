"""Answers to gaps, whom a gap was passed on to, who verifies documents, and the weekly notes.

An answer's document is readable by whoever may read what it completes, and by nobody else. Its access is therefore not
kept by the code that writes documents, but follows that of the evidence inside the same statement's transaction: a
revocation at the source holds for the answer, and the files attached to it, from the same commit on.
"""

from alembic import op

revision = "0018"
down_revision = "0017"

TABLES = """
alter table gaps drop constraint if exists gaps_state_check;
alter table gaps add constraint gaps_state_check check (state in ('open', 'dismissed', 'answered'));

create table gap_answers (
    id bigint generated always as identity primary key,
    tenant_id bigint not null references tenants on delete cascade,
    gap_id bigint,
    evidence_document_id bigint,
    evidence_version_id bigint not null,
    question text not null,
    ordinal int not null default 1,
    indexed_ordinal int not null default 0,
    state text not null default 'waiting' check (state in ('waiting', 'verified', 'outdated')),
    author_id bigint,
    reviewer_id bigint,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (tenant_id, id),
    unique (tenant_id, gap_id, evidence_document_id),
    foreign key (tenant_id, gap_id) references gaps (tenant_id, id) on delete set null (gap_id),
    foreign key (tenant_id, evidence_document_id) references documents (tenant_id, id)
        on delete set null (evidence_document_id),
    foreign key (tenant_id, author_id) references memberships on delete set null (author_id),
    foreign key (tenant_id, reviewer_id) references memberships on delete set null (reviewer_id)
);
create index gap_answers_evidence on gap_answers (tenant_id, evidence_document_id);
create index gap_answers_pending on gap_answers (tenant_id, id) where ordinal > indexed_ordinal;

create table gap_answer_versions (
    tenant_id bigint not null,
    answer_id bigint not null,
    ordinal int not null,
    text text not null,
    author text not null,
    via text not null,
    created_at timestamptz not null default now(),
    primary key (tenant_id, answer_id, ordinal),
    foreign key (tenant_id, answer_id) references gap_answers (tenant_id, id) on delete cascade
);

create table gap_answer_files (
    tenant_id bigint not null,
    answer_id bigint not null,
    upload_id bigint not null,
    primary key (tenant_id, answer_id, upload_id),
    foreign key (tenant_id, upload_id) references uploads (tenant_id, id) on delete cascade,
    foreign key (tenant_id, answer_id) references gap_answers (tenant_id, id) on delete cascade
);
create index gap_answer_files_upload on gap_answer_files (tenant_id, upload_id);

create table gap_requests (
    id bigint generated always as identity primary key,
    tenant_id bigint not null,
    gap_id bigint not null,
    user_id bigint not null,
    asked_by text not null,
    note text not null,
    created_at timestamptz not null default now(),
    told_at timestamptz,
    unique (tenant_id, gap_id, user_id),
    foreign key (tenant_id, gap_id) references gaps (tenant_id, id) on delete cascade,
    foreign key (tenant_id, user_id) references memberships on delete cascade
);
create index gap_requests_of_user on gap_requests (tenant_id, user_id);

create table gap_refusals (
    tenant_id bigint not null,
    gap_id bigint not null,
    user_id bigint not null,
    created_at timestamptz not null default now(),
    primary key (tenant_id, gap_id, user_id),
    foreign key (tenant_id, gap_id) references gaps (tenant_id, id) on delete cascade,
    foreign key (tenant_id, user_id) references memberships on delete cascade
);

create table weekly_notes (
    tenant_id bigint not null,
    user_id bigint not null,
    week date not null,
    chosen_at timestamptz not null default now(),
    mailed_at timestamptz,
    primary key (tenant_id, user_id, week),
    foreign key (tenant_id, user_id) references memberships on delete cascade
);

create table note_questions (
    tenant_id bigint not null,
    user_id bigint not null,
    week date not null,
    place int not null check (place between 1 and 3),
    gap_id bigint not null,
    primary key (tenant_id, user_id, week, place),
    unique (tenant_id, week, gap_id),
    foreign key (tenant_id, user_id, week) references weekly_notes on delete cascade,
    foreign key (tenant_id, gap_id) references gaps (tenant_id, id) on delete cascade
);
create index note_questions_of_gap on note_questions (tenant_id, gap_id);

create table handovers (
    id bigint generated always as identity primary key,
    tenant_id bigint not null,
    name text not null,
    user_id bigint,
    leader_id bigint not null,
    created_by text not null,
    principals text[] not null,
    revision int not null default 0,
    indexed_revision int not null default 0,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (tenant_id, id),
    foreign key (tenant_id, user_id) references memberships on delete set null (user_id),
    foreign key (tenant_id, leader_id) references memberships on delete cascade
);

create table handover_questions (
    tenant_id bigint not null,
    handover_id bigint not null,
    place int not null,
    topic text not null,
    question text not null,
    weight real not null,
    gap_id bigint,
    answer text not null default '',
    answered_by text not null default '',
    answered_at timestamptz,
    primary key (tenant_id, handover_id, place),
    foreign key (tenant_id, handover_id) references handovers (tenant_id, id) on delete cascade,
    foreign key (tenant_id, gap_id) references gaps (tenant_id, id) on delete cascade
);
create index handover_questions_of_gap on handover_questions (tenant_id, gap_id);

create table document_verifications (
    tenant_id bigint not null,
    document_id bigint not null,
    verifier_id bigint,
    every_days int not null check (every_days between 0 and 3650),
    due_at timestamptz,
    verified_at timestamptz,
    verified_by text not null default '',
    verified_version_id bigint,
    primary key (tenant_id, document_id),
    foreign key (tenant_id, document_id) references documents (tenant_id, id) on delete cascade,
    foreign key (tenant_id, verifier_id) references memberships on delete set null (verifier_id)
);
create index document_verifications_of_verifier on document_verifications (tenant_id, verifier_id, due_at);
"""
ACCESS = """
create view gap_answer_documents with (security_invoker = true) as
    select a.tenant_id, a.id as answer_id, a.evidence_document_id, d.id as document_id
    from gap_answers a
    join integrations i on i.tenant_id = a.tenant_id and i.kind = 'answers'
    join documents d on (d.tenant_id, d.integration_id, d.external_id) = (a.tenant_id, i.id, a.id::text)
    union all
    select a.tenant_id, a.id, a.evidence_document_id, d.id
    from gap_answers a
    join gap_answer_files f on (f.tenant_id, f.answer_id) = (a.tenant_id, a.id)
    join integrations i on i.tenant_id = a.tenant_id and i.kind = 'upload'
    join documents d on (d.tenant_id, d.integration_id) = (a.tenant_id, i.id)
        and split_part(d.external_id, '/', 1) = f.upload_id::text;

create function follow_evidence(evidence bigint[]) returns void language plpgsql as $$
begin
    update documents set reserved_for = e.reserved_for
    from gap_answer_documents l join documents e on (e.tenant_id, e.id) = (l.tenant_id, l.evidence_document_id)
    where l.evidence_document_id = any(evidence) and (documents.tenant_id, documents.id) = (l.tenant_id, l.document_id)
        and documents.reserved_for is distinct from e.reserved_for;
    delete from document_access a using gap_answer_documents l
    join documents e on (e.tenant_id, e.id) = (l.tenant_id, l.evidence_document_id)
    where l.evidence_document_id = any(evidence) and (a.tenant_id, a.document_id) = (l.tenant_id, l.document_id)
        and not exists (select from document_access p where (p.tenant_id, p.document_id, p.principal)
            = (l.tenant_id, l.evidence_document_id, a.principal));
    insert into document_access (tenant_id, document_id, principal)
    select l.tenant_id, l.document_id, p.principal from gap_answer_documents l
    join document_access p on (p.tenant_id, p.document_id) = (l.tenant_id, l.evidence_document_id)
    where l.evidence_document_id = any(evidence) on conflict do nothing;
end $$;

create function access_changed() returns trigger language plpgsql as $$
declare evidence bigint[];
begin
    if not exists (select from gap_answers) then return null; end if;
    select array_agg(distinct l.evidence_document_id) into evidence from gap_answer_documents l
    where exists (select from changed c where c.tenant_id = l.tenant_id
        and c.document_id in (l.evidence_document_id, l.document_id));
    if evidence is not null then perform follow_evidence(evidence); end if;
    return null;
end $$;
create trigger answers_follow_granted after insert on document_access referencing new table as changed
    for each statement execute function access_changed();
create trigger answers_follow_revoked after delete on document_access referencing old table as changed
    for each statement execute function access_changed();

create function reservation_changed() returns trigger language plpgsql as $$
begin
    perform follow_evidence(array[new.id]);
    return null;
end $$;
create trigger answers_follow_reserved after update of reserved_for on documents for each row
    when (old.reserved_for is distinct from new.reserved_for) execute function reservation_changed();
"""
TENANT_TABLES = (
    "gap_answers",
    "gap_answer_versions",
    "gap_answer_files",
    "gap_requests",
    "gap_refusals",
    "weekly_notes",
    "note_questions",
    "handovers",
    "handover_questions",
    "document_verifications",
)
CURRENT_TENANT = "(select nullif(current_setting('kv.tenant', true), '')::bigint)"


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(ACCESS)
    for table in TENANT_TABLES:
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(
            f"create policy tenant on {table} using (tenant_id = {CURRENT_TENANT})"
            f" with check (tenant_id = {CURRENT_TENANT})"
        )


def downgrade() -> None:
    op.execute("drop trigger answers_follow_reserved on documents")
    op.execute("drop trigger answers_follow_revoked on document_access")
    op.execute("drop trigger answers_follow_granted on document_access")
    op.execute("drop function reservation_changed, access_changed, follow_evidence")
    op.execute("drop view gap_answer_documents")
    op.execute(f"drop table {', '.join(reversed(TENANT_TABLES))}")
    op.execute("delete from gaps where state = 'answered'")
    op.execute("alter table gaps drop constraint gaps_state_check")
    op.execute("alter table gaps add constraint gaps_state_check check (state in ('open', 'dismissed'))")
