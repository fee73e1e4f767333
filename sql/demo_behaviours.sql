-- How many traces of each type differ in what they did, and how many never did anything.
with behaviour as (
    select
        strategy_type,
        content_digest,
        count(*) as traces,
        count(*) filter (where is_flat) as flat_traces
    from trace_files
    where kind = 'signal'
    group by strategy_type, content_digest
)
select
    strategy_type,
    cast(sum(traces) as bigint) as traces,
    count(*) as behaviours,
    cast(sum(flat_traces) as bigint) as never_traded,
    max(traces) filter (where flat_traces = 0) as largest_twins
from behaviour
group by strategy_type
order by strategy_type;
