"""Entities, what they are called, where they are mentioned, how they relate, and the proofs; docs/decisions/0010.

Counters say what still holds a row: deleting mentions or proofs, by whatever way, takes the rows nobody needs with
them. Triggers do it, so that no path (a new version, a deleted document, an integration removed) can forget to.
"""

from alembic import op

revision = "0010"
down_revision = "0009"

TABLES = """
create table entities (
    id bigint generated always as identity primary key,
    tenant_id bigint not null references tenants on delete cascade,
    kind text not null check (
        kind in ('person', 'system', 'organisation', 'project', 'process', 'document', 'term')
    ),
    is_made boolean not null default false,
    n_aliases int not null default 0,
    created_at timestamptz not null default now(),
    unique (tenant_id, id)
);

create table entity_aliases (
    id bigint generated always as identity primary key,
    tenant_id bigint not null,
    entity_id bigint not null,
    kind text not null,
    key text not null,
    name text not null,
    email text not null default '',
    team text not null default '',
    is_made boolean not null default false,
    is_settled boolean not null default false,
    n_mentions int not null default 0,
    unique (tenant_id, id),
    unique (tenant_id, kind, key),
    foreign key (tenant_id, entity_id) references entities (tenant_id, id) on delete cascade
);
create index entity_aliases_entity on entity_aliases (tenant_id, entity_id);
create index entity_aliases_name on entity_aliases (tenant_id, lower(name), id);
create index entity_aliases_mentions on entity_aliases (tenant_id, n_mentions desc, id);
create index entity_aliases_kind on entity_aliases (tenant_id, kind, lower(name), id);

create table entity_keys (
    tenant_id bigint not null,
    key text not null,
    alias_id bigint not null,
    primary key (tenant_id, key, alias_id),
    foreign key (tenant_id, alias_id) references entity_aliases (tenant_id, id) on delete cascade
);
create index entity_keys_alias on entity_keys (tenant_id, alias_id);

create table mentions (
    tenant_id bigint not null,
    document_id bigint not null,
    version_id bigint not null,
    alias_id bigint not null,
    role text not null default '',
    start_at int not null,
    end_at int not null,
    primary key (tenant_id, version_id, alias_id, start_at),
    foreign key (tenant_id, document_id) references documents (tenant_id, id) on delete cascade,
    foreign key (tenant_id, version_id) references document_versions (tenant_id, id) on delete cascade,
    foreign key (tenant_id, alias_id) references entity_aliases (tenant_id, id) on delete cascade
);
create index mentions_alias on mentions (tenant_id, alias_id, document_id);
create index mentions_document on mentions (tenant_id, document_id);

create table relations (
    id bigint generated always as identity primary key,
    tenant_id bigint not null,
    subject_id bigint not null,
    kind text not null check (kind in (
        'owns', 'maintains', 'created', 'decided', 'approved', 'reviewed', 'uses', 'depends_on', 'replaces', 'part_of',
        'reports_to', 'works_with', 'mentions'
    )),
    object_id bigint not null,
    n_proofs int not null default 0,
    unique (tenant_id, id),
    unique (tenant_id, subject_id, kind, object_id),
    foreign key (tenant_id, subject_id) references entity_aliases (tenant_id, id) on delete cascade,
    foreign key (tenant_id, object_id) references entity_aliases (tenant_id, id) on delete cascade
);
create index relations_object on relations (tenant_id, object_id);

create table relation_proofs (
    tenant_id bigint not null,
    relation_id bigint not null,
    document_id bigint not null,
    version_id bigint not null,
    start_at int not null,
    end_at int not null,
    primary key (tenant_id, relation_id, version_id, start_at),
    foreign key (tenant_id, relation_id) references relations (tenant_id, id) on delete cascade,
    foreign key (tenant_id, document_id) references documents (tenant_id, id) on delete cascade,
    foreign key (tenant_id, version_id) references document_versions (tenant_id, id) on delete cascade
);
create index relation_proofs_document on relation_proofs (tenant_id, document_id);
create index relation_proofs_version on relation_proofs (tenant_id, version_id);

create table entity_merges (
    id bigint generated always as identity primary key,
    tenant_id bigint not null,
    entity_id bigint not null,
    alias_id bigint not null,
    from_entity_id bigint,
    reason text not null,
    weight real not null default 0,
    made_by text not null default '',
    created_at timestamptz not null default now(),
    undone_at timestamptz,
    undone_by text not null default '',
    unique (tenant_id, id),
    foreign key (tenant_id, entity_id) references entities (tenant_id, id) on delete cascade,
    foreign key (tenant_id, alias_id) references entity_aliases (tenant_id, id) on delete cascade
);
create index entity_merges_entity on entity_merges (tenant_id, entity_id, id desc);
create index entity_merges_alias on entity_merges (tenant_id, alias_id);
"""
GRAPH_LOCK = 7_004_010
"""One writer of a tenant's graph at a time, for the few milliseconds before its commit."""
TRIGGERS = f"""
create function graph_mentions_gone() returns trigger language plpgsql as $$
begin
    perform pg_advisory_xact_lock({GRAPH_LOCK}, gone.tenant_id::int)
        from (select distinct tenant_id from gone order by 1) gone;
    update entity_aliases a set n_mentions = a.n_mentions - lost.n
        from (select tenant_id, alias_id, count(*)::int as n from gone group by 1, 2) lost
        where a.tenant_id = lost.tenant_id and a.id = lost.alias_id;
    delete from entity_aliases a using (select distinct tenant_id, alias_id from gone) lost
        where a.tenant_id = lost.tenant_id and a.id = lost.alias_id and a.n_mentions <= 0 and not a.is_made;
    return null;
end $$;

create function graph_proofs_gone() returns trigger language plpgsql as $$
begin
    perform pg_advisory_xact_lock({GRAPH_LOCK}, gone.tenant_id::int)
        from (select distinct tenant_id from gone order by 1) gone;
    update relations r set n_proofs = r.n_proofs - lost.n
        from (select tenant_id, relation_id, count(*)::int as n from gone group by 1, 2) lost
        where r.tenant_id = lost.tenant_id and r.id = lost.relation_id;
    delete from relations r using (select distinct tenant_id, relation_id from gone) lost
        where r.tenant_id = lost.tenant_id and r.id = lost.relation_id and r.n_proofs <= 0;
    return null;
end $$;

create function graph_aliases_came() returns trigger language plpgsql as $$
begin
    update entities e set n_aliases = e.n_aliases + won.n
        from (select tenant_id, entity_id, count(*)::int as n from came group by 1, 2) won
        where e.tenant_id = won.tenant_id and e.id = won.entity_id;
    return null;
end $$;

create function graph_aliases_gone() returns trigger language plpgsql as $$
begin
    update entities e set n_aliases = e.n_aliases - lost.n
        from (select tenant_id, entity_id, count(*)::int as n from gone group by 1, 2) lost
        where e.tenant_id = lost.tenant_id and e.id = lost.entity_id;
    delete from entities e using (select distinct tenant_id, entity_id from gone) lost
        where e.tenant_id = lost.tenant_id and e.id = lost.entity_id and e.n_aliases <= 0;
    return null;
end $$;

create function graph_aliases_moved() returns trigger language plpgsql as $$
begin
    update entities e set n_aliases = e.n_aliases + moved.n
        from (
            select tenant_id, entity_id, sum(n)::int as n from (
                select tenant_id, entity_id, 1 as n from came union all select tenant_id, entity_id, -1 from gone
            ) each group by 1, 2 having sum(n) <> 0
        ) moved
        where e.tenant_id = moved.tenant_id and e.id = moved.entity_id;
    delete from entities e using (select distinct tenant_id, entity_id from gone) lost
        where e.tenant_id = lost.tenant_id and e.id = lost.entity_id and e.n_aliases <= 0;
    return null;
end $$;

create trigger mentions_gone after delete on mentions referencing old table as gone
    for each statement execute function graph_mentions_gone();
create trigger proofs_gone after delete on relation_proofs referencing old table as gone
    for each statement execute function graph_proofs_gone();
create trigger aliases_came after insert on entity_aliases referencing new table as came
    for each statement execute function graph_aliases_came();
create trigger aliases_gone after delete on entity_aliases referencing old table as gone
    for each statement execute function graph_aliases_gone();
create trigger aliases_moved after update on entity_aliases referencing old table as gone new table as came
    for each statement execute function graph_aliases_moved();
"""

CURRENT_TENANT = "(select nullif(current_setting('kv.tenant', true), '')::bigint)"
LOCKED = ("entities", "entity_aliases", "entity_keys", "mentions", "relations", "relation_proofs", "entity_merges")


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(TRIGGERS)
    for table in LOCKED:
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(
            f"create policy tenant on {table} using (tenant_id = {CURRENT_TENANT})"
            f" with check (tenant_id = {CURRENT_TENANT})"
        )


def downgrade() -> None:
    op.execute("drop table entity_merges, relation_proofs, relations, mentions, entity_keys, entity_aliases, entities")
    for name in ("mentions_gone", "proofs_gone", "aliases_came", "aliases_gone", "aliases_moved"):
        op.execute(f"drop function graph_{name}()")
