"""What search asks Postgres, written for the first column of vectors: `Column.of` makes each statement the model's own.

`chunk_index` has no row-level policy (docs/decisions/0002), so each statement names its tenant and joins `documents`,
whose policy is forced: a row of another tenant cannot come through either. The legs join by the document's id alone:
were tenants equated too, the planner would carry the policy's condition over to `chunk_index`, and with it the ban on
using the word index for `@@`.
"""

from infra.store.access import READABLE as READABLE_ANEW
from infra.store.columns import LABELLED, PART, WALKED
from infra.store.standing import FEW_DOCUMENTS, known

READABLE = known(READABLE_ANEW)

MAX_RELATED_CHUNKS = 40
"""Of related documents, their nearest chunks join what the legs propose."""
NARROWED = f"""
    {READABLE}
    and (cast(:integration as bigint) is null or d.integration_id = :integration)
    and (:media_type = '' or d.media_type = :media_type)
    and (:author = '' or d.author = :author)
    and (cast(:since as timestamptz) is null or d.sorted_at >= :since)
    and (cast(:until as timestamptz) is null or d.sorted_at < :until)
"""
CHECKED = f"cross join lateral (select from documents d where d.id = i.document_id and {NARROWED}{{worded}} offset 0) d"
"""Access asked for chunk after chunk, best first, until enough have passed.

Of a plain join the planner expects almost no document to pass, and reads all of them before anything else.
"""
LEXICAL = f"""
select i.chunk_id, i.document_id, -i.distance as score
from (
    select i.chunk_id, i.document_id, i.tsv, i.sv <#> cast(:sv as sparsevec) as distance from chunk_index i
    where i.tenant_id = :tenant and {PART} and i.tsv @@ cast(:query as tsquery){{within}}
    order by distance, i.chunk_id offset 0
) i {CHECKED}
order by i.distance, i.chunk_id limit :limit
"""
DENSE = f"""
select i.chunk_id, i.document_id, -(i.embedding <#> cast(:vector as halfvec(384))) as score
from chunk_index i {CHECKED} where i.tenant_id = :tenant and {WALKED} and {LABELLED}
order by i.embedding <#> cast(:vector as halfvec(384)) limit :limit
"""
DENSE_OF_ALL = f"""
select i.chunk_id, i.document_id, -i.distance as score
from (
    select i.chunk_id, i.document_id, i.tsv, i.embedding <#> cast(:vector as halfvec(384)) as distance
    from chunk_index i where i.tenant_id = :tenant and {LABELLED}{{within}} order by distance, i.chunk_id offset 0
) i {CHECKED}
order by i.distance, i.chunk_id limit :limit
"""
DENSE_OF_FEW = f"""
with few as materialized (select d.id from documents d where {NARROWED})
select i.chunk_id, i.document_id, -(i.embedding <#> cast(:vector as halfvec(384))) as score
from few join chunk_index i on i.tenant_id = :tenant and i.document_id = few.id join documents d on d.id = few.id
where {LABELLED}{{worded}} order by 3 desc, i.chunk_id limit :limit
"""
RELATED = f"""
select i.chunk_id from (
    select i.chunk_id, i.document_id, i.tsv, i.embedding <#> cast(:vector as halfvec(384)) as distance
    from chunk_index i where i.tenant_id = :tenant and i.document_id = any(cast(:related as bigint[])) and {LABELLED}
    {{within}} order by distance, i.chunk_id offset 0
) i {CHECKED} order by i.distance, i.chunk_id limit {MAX_RELATED_CHUNKS}
"""
N_NARROWED = f"""
select count(*) as n_documents from (select from documents d where {NARROWED} limit {FEW_DOCUMENTS}) d
"""
"""How many documents may be found, up to FEW_DOCUMENTS."""
NOTHING = "select null::bigint as chunk_id where false"
PROPOSED = f"""
with lexical as materialized ({{lexical}}), dense as materialized ({{dense}}), related as materialized ({{related}})
select array_agg(p.chunk_id) as chunk_ids, array_agg(p.document_id) as document_ids,
    string_agg(sparsevec_send(p.sv), '') as weights, string_agg(coalesce(p.vector, :no_vector), '') as vectors
from (
    select i.chunk_id, i.document_id, i.sv, case when {LABELLED} then halfvec_send(i.embedding) end as vector
    from (select chunk_id from lexical union select chunk_id from dense union select chunk_id from related) f
    join chunk_index i on i.tenant_id = :tenant and i.chunk_id = f.chunk_id order by i.chunk_id
) p
"""
"""What either leg proposes, with all that scoring it needs: a widened question asks for nothing more.

It comes as one row, which Postgres sends in one go: of a row for each chunk, our process would wake up for every eight
kilobytes.

Found by its words alone, a chunk may have no vector of the model yet.
"""
WITHIN = {"phrases": f" and {PART} and i.tsv @@ cast(:phrased as tsquery)"}
"""What the index of words can tell of a chunk before it is read; WORDED looks closer."""
WORDED = {
    "phrases": " and exists (select from chunks c where c.id = i.chunk_id and not exists ("
    "select from unnest(cast(:phrases as text[])) p where c.text !~* p and d.title !~* p"
    " and array_to_string(c.heading_path, chr(10)) !~* p))",
    "excluded": " and not i.tsv @@ cast(:excluded as tsquery)",
}
"""Conditions of a question that has quoted phrases or excluded words."""
LEXEMES_OF = """
select l.lexeme, l.n_chunks from (
    select distinct w.lexeme from chunk_index i, unnest(i.tsv) w
    where i.tenant_id = :tenant and i.chunk_id = any(cast(:ids as bigint[]))
) w join lexemes l on l.tenant_id = :tenant and l.lexeme = w.lexeme where l.n_chunks > 0
"""
VECTORS = f"""
select i.chunk_id, i.embedding::text as vector from chunk_index i
join documents d on (d.tenant_id, d.id) = (i.tenant_id, i.document_id)
where i.tenant_id = :tenant and i.chunk_id = any(:ids) and {LABELLED} and {READABLE}
"""
READ = f"""
select w.place, substr(v.text, w.start_at + 1, w.end_at - w.start_at) as text
from unnest(cast(:versions as bigint[]), cast(:starts as int[]), cast(:ends as int[]))
    with ordinality as w (version_id, start_at, end_at, place)
join document_versions v on v.id = w.version_id
join documents d on (d.tenant_id, d.id) = (v.tenant_id, v.document_id)
where {READABLE} order by w.place
"""
LOAD = f"""
select c.id as chunk_id, c.document_id, c.version_id, d.title, c.heading_path, c.text, c.start_at as start,
    c.end_at as "end", c.page, n.name as integration_name, d.media_type, d.author, d.url,
    d.source_modified_at as modified_at
from chunks c join documents d on (d.tenant_id, d.id) = (c.tenant_id, c.document_id)
join integrations n on (n.tenant_id, n.id) = (d.tenant_id, d.integration_id)
where c.id = any(:ids) and {READABLE}
"""
