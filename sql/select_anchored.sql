-- What anchors lie at by now: the better the match, the greater its score; 0 is no match at all.
with candidate as (
    select
        t.trace_id,
        t.strategy_key,
        t.run_id || '/' || t.strategy_id as former_key,
        t.strategy_id,
        t.run_path,
        t.content_digest,
        d.prefix
    from trace_file as t
    join run as r using (run_id)
    join directory as d on d.directory_id = r.directory_id
    where
        t.status = 'registered'
        and (
            t.content_digest in (select content from incoming_anchor)
            or t.strategy_id in (select name from incoming_anchor)
        )
)
select
    a.place,
    case when a.trace_id is null then t.former_key else t.strategy_key end as strategy_key,
    case when a.trace_id is not null then t.trace_id end as trace_id,
    max(case when t.prefix = a.run then 3 else 2 end) as score
from incoming_anchor as a
join candidate as t
    on
        t.content_digest = a.content
        and case
            when a.trace_id is null then t.strategy_id = a.name
            else t.run_path = a.path
        end
group by all
union all
-- A file that was written anew is of the same strategy.
select a.place, t.former_key, null, 1
from incoming_anchor as a
join candidate as t on t.strategy_id = a.name and t.run_path = a.path and t.prefix = a.run
where a.trace_id is null
union all
select a.place, t.former_key, null, 0
from incoming_anchor as a
join candidate as t on t.strategy_id = a.name and t.former_key = a.strategy_key
where a.trace_id is null;
