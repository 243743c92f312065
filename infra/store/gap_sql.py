"""Statements about gaps: which a viewer may see, in which order, and what people made of them."""

from infra.store.access import READABLE

IS_SORTED = "e.embedding is not null"
ADDRESSEE = f"case when {IS_SORTED} then e.addressee else coalesce(nullif(e.addressee, ''), d.author) end"
"""Until it is worked out who knows, the author."""
VISIBLE = f"""
    from gaps g join gap_evidence e on (e.tenant_id, e.gap_id) = (g.tenant_id, g.id)
    join documents d on (d.tenant_id, d.id) = (e.tenant_id, e.document_id)
    where g.state = :state and {READABLE}
"""
OF_PERSON = f"(:person = '' or lower({ADDRESSEE}) = lower(:person))"
PRIORITY = """
    v.score * (0.6 + 0.4 * v.quality)
    * (case when v.is_shared then 1.0 else 0.85 end) * least(1.3, 1 + 0.1 * (s.n_documents - 1))
    * (case when v.is_here then 1.0 when v.addressee <> '' then 0.9 else 0.75 end) * w.weight
"""
"""Risk, which the score holds, with the question's quality; reach, by readers and documents; answerability, by whether
somebody is known to ask, and is still here; and what people made of such gaps. All of it set by hand."""
RANKED = f"""
with seen as (
    select g.id, coalesce(g.twin_of, g.id) as cluster, g.kind, g.state, g.reason, e.question, e.person, e.score,
        e.quality, e.document_id, d.version_id, e.start_at as start, e.end_at as "end", d.title, d.author,
        coalesce(d.source_modified_at, d.source_created_at) as modified_at,
        g.created_at as found_at, g.closed_by, g.closed_at, {ADDRESSEE} as addressee,
        case when e.addressee <> '' then e.addressee_reason when d.author <> '' and not {IS_SORTED} then 'wrote it'
            else '' end as addressee_reason,
        exists (select from document_access a where a.tenant_id = d.tenant_id and a.document_id = d.id
            and a.principal = :everyone) as is_shared
    {VISIBLE} and (:kind = '' or g.kind = :kind) and g.kind <> all(cast(:muted as text[])) and {OF_PERSON}
), here as (
    select lower(u.name) as name from memberships m join users u on u.id = m.user_id where m.tenant_id = :tenant
), visible as (
    select seen.*, lower(addressee) in (select name from here) as is_here from seen
), spread as (
    select cluster, count(distinct document_id) as n_documents, count(distinct id) as n_alike
    from visible group by cluster
), ranked as (
    select v.*, s.n_documents, s.n_alike, w.name, {PRIORITY} as priority
    from visible v join spread s using (cluster)
    join unnest(cast(:kinds as text[]), cast(:names as text[]), cast(:weights as real[])) w (kind, name, weight)
        on w.kind = v.kind
), best as (
    select *, row_number() over (partition by cluster order by priority desc, id, document_id, start) as place
    from ranked
)
"""
"""What lists are ordered from: of each question, the evidence that counts most is the one in `best` in place 1."""
VERDICT = """
insert into gap_verdicts (tenant_id, gap_id, user_id, is_useful) values (:tenant, :id, :user, false)
on conflict (tenant_id, gap_id, user_id) do update set is_useful = false, created_at = now()
"""
ADD_TERMS = """
insert into document_terms (tenant_id, document_id, term, is_explained, start_at, end_at, topic)
values (:tenant, :document, :term, :is_explained, :start, :end, :topic) on conflict do nothing
"""
