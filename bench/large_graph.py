"""The statements that write a large graph, one after the other, in one transaction of the tenant."""

N_ENTITIES, N_RELATIONS, N_HUB, N_DOCUMENTS = 100_000, 1_000_000, 5_000, 2_000
FILL = (
    f"""insert into documents (tenant_id, integration_id, external_id, title, media_type, size_bytes, content_hash,
        version_ordinal, sorted_at)
    select :tenant, :integration, 'bulk-' || n, 'Bulk ' || n, 'text/plain', 1, '', 1, now() - n * interval '1 hour'
    from generate_series(1, {N_DOCUMENTS}) n""",
    """insert into document_versions (tenant_id, document_id, ordinal, text, blocks, metadata, content_hash)
    select tenant_id, id, 1, repeat('words and words ', 40), '[]', '{}', ''
    from documents where external_id like 'bulk-%'""",
    """update documents d set version_id = v.id
    from document_versions v where v.document_id = d.id and d.version_id is null""",
    """insert into document_access (tenant_id, document_id, principal)
    select tenant_id, id, 'tenant' from documents where external_id like 'bulk-%'""",
    """create temporary table bulk_documents on commit drop as
    select row_number() over (order by id) - 1 as n, id, version_id
    from documents where external_id like 'bulk-%'""",
    f"""create temporary table bulk_entities on commit drop as
    select n, nextval(pg_get_serial_sequence('entities', 'id')) as id
    from generate_series(0, {N_ENTITIES - 1}) n""",
    """insert into entities (id, tenant_id, kind) overriding system value
    select id, :tenant, (array['person', 'system', 'project', 'term'])[1 + n % 4] from bulk_entities""",
    """insert into entity_aliases (tenant_id, entity_id, kind, key, name, n_mentions)
    select :tenant, b.id, e.kind, 'n:family' || n || ' given' || n % 997, 'Given' || n % 997 || ' Family' || n, 1
    from bulk_entities b join entities e on e.id = b.id""",
    """create temporary table bulk on commit drop as
    select b.n, a.id from bulk_entities b join entity_aliases a on a.entity_id = b.id""",
    "create unique index on bulk (n)",
    "analyze bulk",
    "insert into entity_keys (tenant_id, key, alias_id) select :tenant, 'l:family' || n, id from bulk",
    f"""insert into mentions (tenant_id, document_id, version_id, alias_id, start_at, end_at)
    select :tenant, d.id, d.version_id, b.id, 0, 5
    from bulk b join bulk_documents d on d.n = b.n % {N_DOCUMENTS}""",
    f"""create temporary table bulk_relations on commit drop as
    select i as n, nextval(pg_get_serial_sequence('relations', 'id')) as id,
        case when i < {N_HUB} then 0 else 1 + (i * 7919) % {N_ENTITIES - 1} end as s,
        case when i < {N_HUB} then 1 + i else 1 + (i / 10 + (i % 10) * 9973) % {N_ENTITIES - 1} end as o
    from generate_series(cast(0 as bigint), {N_RELATIONS - 1}) i""",
    """insert into relations (id, tenant_id, subject_id, kind, object_id, n_proofs) overriding system value
    select r.id, :tenant, s.id, (array['uses', 'depends_on', 'owns', 'mentions', 'part_of'])[1 + r.n % 5], o.id, 1
    from bulk_relations r join bulk s on s.n = r.s join bulk o on o.n = r.o on conflict do nothing""",
    f"""insert into relation_proofs (tenant_id, relation_id, document_id, version_id, start_at, end_at)
    select :tenant, r.id, d.id, d.version_id, 0, 20
    from bulk_relations r join relations x on x.id = r.id join bulk_documents d on d.n = r.n % {N_DOCUMENTS}""",
)
