"""What is kept beside answers: verdicts, unanswered questions, golden questions with their runs, and dates of versions.

A version keeps the date its source gave it, when a newer one takes its place: a trigger writes it, in the same
statement, so that whatever supersedes a version cannot forget to (docs/decisions/0009).
"""

from alembic import op

revision = "0009"
down_revision = "0008"

TABLES = """
alter table document_versions add column modified_at timestamptz;
create function keep_version_date() returns trigger language plpgsql as $$
begin
    update document_versions set modified_at = old.sorted_at
    where tenant_id = old.tenant_id and id = old.version_id;
    return null;
end $$;
create trigger keep_version_date after update of version_id on documents for each row
    when (old.version_id is distinct from new.version_id) execute function keep_version_date();

alter table messages add column as_of timestamptz;

create table unanswered_questions (
    id bigint generated always as identity primary key,
    tenant_id bigint not null,
    user_id bigint not null,
    message_id bigint not null,
    question text not null,
    confidence real not null,
    created_at timestamptz not null default now(),
    unique (tenant_id, id),
    unique (tenant_id, message_id),
    foreign key (tenant_id, user_id) references memberships on delete cascade,
    foreign key (tenant_id, message_id) references messages (tenant_id, id) on delete cascade
);
create index unanswered_questions_newest on unanswered_questions (tenant_id, id desc);

create table answer_feedback (
    tenant_id bigint not null,
    message_id bigint not null,
    user_id bigint not null,
    verdict text not null check (verdict in ('up', 'down')),
    reason text not null default '' check (char_length(reason) <= 1000),
    created_at timestamptz not null default now(),
    primary key (tenant_id, message_id, user_id),
    foreign key (tenant_id, user_id) references memberships on delete cascade,
    foreign key (tenant_id, message_id) references messages (tenant_id, id) on delete cascade
);

create table feedback_documents (
    tenant_id bigint not null,
    message_id bigint not null,
    user_id bigint not null,
    document_id bigint not null,
    primary key (tenant_id, message_id, user_id, document_id),
    foreign key (tenant_id, message_id, user_id) references answer_feedback on delete cascade,
    foreign key (tenant_id, document_id) references documents (tenant_id, id) on delete cascade
);
create index feedback_documents_document on feedback_documents (tenant_id, document_id);

create table golden_questions (
    id bigint generated always as identity primary key,
    tenant_id bigint not null references tenants on delete cascade,
    question text not null check (char_length(question) between 1 and 1000),
    expects text not null check (expects in ('answer', 'refusal')),
    origin text not null check (origin in ('entered', 'approved')),
    has_evidence boolean not null default false,
    added_by text not null,
    created_at timestamptz not null default now(),
    unique (tenant_id, id),
    unique (tenant_id, question)
);

create table golden_evidence (
    tenant_id bigint not null,
    question_id bigint not null,
    document_id bigint not null,
    version_id bigint,
    quote text not null default '',
    primary key (tenant_id, question_id, document_id),
    foreign key (tenant_id, question_id) references golden_questions (tenant_id, id) on delete cascade,
    foreign key (tenant_id, document_id) references documents (tenant_id, id) on delete cascade
);
create index golden_evidence_document on golden_evidence (tenant_id, document_id);

create table golden_runs (
    id bigint generated always as identity primary key,
    tenant_id bigint not null references tenants on delete cascade,
    cause text not null check (cause in ('asked', 'sync', 'settings')),
    words text not null default '',
    fingerprint text not null default '',
    state text not null default 'queued' check (state in ('queued', 'running', 'finished', 'failed')),
    reason text not null default '',
    created_at timestamptz not null default now(),
    finished_at timestamptz,
    unique (tenant_id, id)
);
create unique index golden_runs_one_queued on golden_runs (tenant_id) where state = 'queued';

create table golden_results (
    tenant_id bigint not null,
    run_id bigint not null,
    question_id bigint not null,
    outcome text not null,
    confidence real not null,
    version_ids bigint[] not null default '{}',
    primary key (tenant_id, run_id, question_id),
    foreign key (tenant_id, run_id) references golden_runs (tenant_id, id) on delete cascade,
    foreign key (tenant_id, question_id) references golden_questions (tenant_id, id) on delete cascade
);
create index golden_results_question on golden_results (tenant_id, question_id, run_id desc);
"""

CURRENT_TENANT = "(select nullif(current_setting('kv.tenant', true), '')::bigint)"
LOCKED = (
    "unanswered_questions",
    "answer_feedback",
    "feedback_documents",
    "golden_questions",
    "golden_evidence",
    "golden_runs",
    "golden_results",
)


def upgrade() -> None:
    op.execute(TABLES)
    for table in LOCKED:
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(
            f"create policy tenant on {table} using (tenant_id = {CURRENT_TENANT})"
            f" with check (tenant_id = {CURRENT_TENANT})"
        )


def downgrade() -> None:
    op.execute("drop table golden_results, golden_runs, golden_evidence, golden_questions")
    op.execute("drop table feedback_documents, answer_feedback, unanswered_questions")
    op.execute("alter table messages drop column as_of")
    op.execute("drop trigger keep_version_date on documents")
    op.execute("drop function keep_version_date")
    op.execute("alter table document_versions drop column modified_at")
