"""Statements about claims and contradictions."""

from domain.contradictions import MAX_OF_A_SERIES, MIN_SHARED
from infra.store.access import READABLE

N_NEAREST = 40
"""Neighbours that a claim is compared with."""
N_WEIGHED = 80
"""Of those that share words, how many are looked at by their vectors: those that share most."""
MAX_HELD = 80
"""A word in more claims than this finds no neighbours: it says little, and pairs grow with its square."""
MAX_COUNTED = 5_000

PUT = """
insert into claims (tenant_id, document_id, version_id, start_at, end_at, mark, claim, model, embedding)
select f.tenant_id, f.document_id, f.version_id, c.start_at, c.end_at, c.mark, cast(c.claim as json), :model,
    cast(c.vector as halfvec(384))
from detections f cross join unnest(
    cast(:starts as int[]), cast(:ends as int[]), cast(:marks as text[]), cast(:claims as text[]),
    cast(:vectors as text[])
) with ordinality c (start_at, end_at, mark, claim, vector, place)
where f.document_id = :document and f.version_id = :version order by c.place returning id
"""
"""Ids grow with the place, as rows are inserted in that order."""
PUT_TERMS = """
insert into claim_terms (tenant_id, term, claim_id)
select :tenant, t.term, t.claim_id from unnest(cast(:terms as text[]), cast(:ids as bigint[])) t (term, claim_id)
on conflict do nothing
"""
NEIGHBOURS = f"""
with mine as materialized (
    select t.term, t.claim_id from claim_terms t where t.tenant_id = :tenant and t.claim_id = any(:ids)
), telling as materialized (
    select m.term from (select distinct term from mine) m cross join lateral (
        select count(*) as n from (
            select from claim_terms x where x.tenant_id = :tenant and x.term = m.term limit {MAX_HELD} + 1
        ) held
    ) counted where counted.n <= {MAX_HELD}
), counted as materialized (
    select m.claim_id, x.claim_id as other_id, count(*) as n from mine m join telling on telling.term = m.term
    cross join lateral (
        select h.claim_id from claim_terms h where h.tenant_id = :tenant and h.term = m.term offset 0
    ) x
    where x.claim_id <> all(:ids) group by 1, 2 having count(*) >= {MIN_SHARED}
), shared as materialized (
    select claim_id, other_id from (
        select c.*, row_number() over (partition by claim_id order by n desc, other_id desc) as place from counted c
    ) ranked where place <= {N_WEIGHED}
), near as materialized (
    select s.claim_id, o.id,
        row_number() over (partition by s.claim_id order by o.embedding <#> c.embedding, o.id) as place
    from shared s
    cross join lateral (select * from claims k where k.tenant_id = :tenant and k.id = s.claim_id offset 0) c
    cross join lateral (select * from claims k where k.tenant_id = :tenant and k.id = s.other_id offset 0) o
    where o.model = c.model and o.document_id <> c.document_id
)
select n.claim_id, n.id, o.document_id, o.claim from near n
cross join lateral (select * from claims k where k.tenant_id = :tenant and k.id = n.id offset 0) o
where n.place <= {N_NEAREST} order by n.claim_id, n.place
"""
N_HOLDING = """
select '' as word, count(*) as n from (select from claims c where c.tenant_id = :tenant limit :most) held
union all
select w.word, counted.n from unnest(cast(:words as text[])) w (word) cross join lateral (
    select count(*) as n from (
        select from claim_terms t where t.tenant_id = :tenant and t.term = w.word limit :most
    ) held
) counted
"""
ADD = """
with found as (
    select * from unnest(
        cast(:fingerprints as text[]), cast(:kinds as text[]), cast(:ones as bigint[]), cast(:others as bigint[]),
        cast(:scores as real[])
    ) f (fingerprint, kind, one, other, score)
), fresh as (
    insert into contradictions (tenant_id, fingerprint, kind)
    select distinct on (fingerprint) cast(:tenant as bigint), fingerprint, kind from found order by fingerprint, kind
    on conflict (tenant_id, fingerprint) do update set kind = excluded.kind returning id, fingerprint
)
insert into contradiction_evidence (tenant_id, contradiction_id, a_claim_id, b_claim_id, score)
select :tenant, fresh.id, found.one, found.other, found.score from found join fresh using (fingerprint)
on conflict do nothing
"""
PROVEN = f"""
with wanted as materialized (
    select k.*, e.a_claim_id, e.b_claim_id, e.score from contradictions k
    join contradiction_evidence e on (e.tenant_id, e.contradiction_id) = (k.tenant_id, k.id)
    where (:state = '' or k.state = :state) and (:id = 0 or k.id = :id)
), met as (
    select claim_id, count(distinct id) as n from (
        select a_claim_id as claim_id, id from wanted union all select b_claim_id, id from wanted
    ) each group by claim_id
), side as materialized (
    select c.id as claim_id, c.mark, c.start_at, c.end_at, c.claim->>'text' as quote, d.id as document_id, d.version_id,
        d.title, d.author, coalesce(d.source_modified_at, d.source_created_at) as modified_at
    from met join claims c on c.id = met.claim_id
    join documents d on (d.tenant_id, d.id) = (c.tenant_id, c.document_id)
    where (:id <> 0 or met.n <= {MAX_OF_A_SERIES}) and {READABLE}
), best as (
    select w.*, row_number() over (partition by w.id order by w.score desc, w.a_claim_id, w.b_claim_id) as place
    from wanted w join side a on a.claim_id = w.a_claim_id join side b on b.claim_id = w.b_claim_id
)
"""
"""What clashes with more than a few others is one of a series (minutes, monthly figures), and no conflict."""


def _side(name: str) -> str:
    said_by = f"""(select count(distinct c.document_id) from claims c
        join documents d on (d.tenant_id, d.id) = (c.tenant_id, c.document_id)
        where c.tenant_id = :tenant and c.mark = {name}.mark and {READABLE})"""
    return f"""json_build_object('name', '{name}', 'document_id', {name}.document_id, 'version_id', {name}.version_id,
        'start', {name}.start_at, 'end', {name}.end_at, 'quote', {name}.quote, 'title', {name}.title,
        'author', {name}.author, 'modified_at', {name}.modified_at, 'n_documents', {said_by}) as {name}"""


PAGE = f"""{PROVEN}
select k.id, k.kind, k.state, k.winner, k.closed_by, k.closed_at, {_side("a")}, {_side("b")}
from best k join side a on a.claim_id = k.a_claim_id join side b on b.claim_id = k.b_claim_id
where k.place = 1 order by k.closed_at desc nulls last, k.score desc, k.id offset :offset limit :size
"""
COUNT_BY_STATE = f"{PROVEN} select state, count(*) as n from best where place = 1 group by state order by state"
LOSING = """
from contradictions k
join contradiction_evidence e on (e.tenant_id, e.contradiction_id) = (k.tenant_id, k.id)
join claims c on c.tenant_id = k.tenant_id and c.id = case k.winner when 'a' then e.b_claim_id else e.a_claim_id end
where k.tenant_id = :tenant and k.state = 'settled'
"""
LOST = f"""
select distinct on (c.id) k.id as contradiction_id, c.document_id, c.version_id, c.start_at as start, c.end_at as "end",
    c.claim->>'text' as text, k.closed_at {LOSING} and c.document_id = any(:documents) order by c.id, k.closed_at desc
"""
LOST_TO = f"""
select k.id as contradiction_id, c.document_id, c.version_id, c.start_at as start, c.end_at as "end",
    c.claim->>'text' as text, k.closed_at {LOSING} and k.id = :id order by c.id
"""
