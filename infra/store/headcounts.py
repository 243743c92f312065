"""How many members may read documents, counted for a page of them in the statement that reads it.

The rule is that of `infra.store.access`, seen from the documents: whom they are shared with, by membership, address and
domain, and the groups at the sources that hold any of these. Documents that are shared alike are counted once.
"""


def with_headcounts(rows: str) -> str:
    """Return a statement that adds `n_people` to the rows of another, in the order of their `place`.

    Each of them names a `document_id`, or none, and whom it is `reserved_for`.
    """
    return f"""
with lines as materialized ({rows}),
shares as materialized (
    select a.document_id, array_agg(a.principal order by a.principal) as principals from document_access a
    where a.document_id in (select l.document_id from lines l) group by a.document_id
),
alike as materialized (
    select s.principals, row_number() over () as number from shares s where not 'tenant' = any(s.principals)
    group by s.principals
),
opens as materialized (select k.number, unnest(k.principals) as principal from alike k),
asked as materialized (select distinct o.principal from opens o),
people as materialized (
    select 'tenant' as name, m.user_id from memberships m
    union all select 'user:' || m.user_id, m.user_id from memberships m
    union all select 'email:' || e.email, e.user_id from member_addresses e
    union all select 'domain:' || split_part(e.email, '@', 2), e.user_id from member_addresses e
),
readers as materialized (
    select q.principal, p.user_id from asked q join people p on p.name = q.principal
    union all select q.principal, p.user_id from asked q join group_members g on g.principal = q.principal
    join people p on p.name = g.member
),
counts as materialized (
    select o.number, count(distinct r.user_id) as n from opens o join readers r on r.principal = o.principal
    group by o.number
)
select l.*, case
    when l.document_id is null then 0
    when l.reserved_for is null and 'tenant' = any(s.principals) then (select count(*) from memberships m)
    when l.reserved_for is null then coalesce(c.n, 0)
    when 'tenant' = any(s.principals) then 1
    when exists (select from readers r where r.user_id = l.reserved_for and r.principal = any(s.principals)) then 1
    else 0 end as n_people
from lines l left join shares s on s.document_id = l.document_id
left join alike k on k.principals = s.principals left join counts c on c.number = k.number
order by l.place
"""
