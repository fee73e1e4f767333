-- Bring the ledger of trials back from the files that keep it. What was earned on prices that were
-- replaced since is no figure of theirs.
create or replace temp table kept as
select * from read_parquet($files, union_by_name = true);

delete from internal.trial;

insert into internal.trial by name
select
    symbol,
    timeframe,
    from_ts,
    to_ts,
    content_digest,
    arg_min(is_flat, noted_at) as is_flat,
    min(noted_at) as tried_at
from kept
where part = 'trial'
group by all;

delete from internal.trial_figure;

insert into internal.trial_figure by name
select
    k.set_id,
    k.symbol,
    k.timeframe,
    k.from_ts,
    k.to_ts,
    k.content_digest,
    k.is_flat,
    k.sharpe_session,
    k.drift_sharpe,
    k.noted_at as measured_at
from kept as k
left join incoming_replaced as r using (symbol, timeframe)
where k.part = 'figure' and (r.replaced_at is null or k.noted_at >= r.replaced_at)
qualify row_number() over (
    partition by k.set_id, k.symbol, k.timeframe, k.from_ts, k.to_ts, k.content_digest
    order by k.noted_at desc
) = 1;

delete from internal.metric_range;

insert into internal.metric_range by name
select set_id, symbol, timeframe, from_ts, to_ts
from kept
where part = 'range'
qualify row_number() over (partition by set_id, symbol, timeframe order by noted_at desc) = 1;

drop table kept;
