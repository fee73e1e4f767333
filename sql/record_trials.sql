-- What was tried, and what it earned in a metric set; what is deleted elsewhere stays here.
insert into trial by name
select
    i.symbol,
    i.timeframe,
    i.from_ts,
    i.to_ts,
    i.content_digest,
    bool_and(i.is_flat) as is_flat,
    now() as tried_at
from incoming_trial as i
anti join trial as t using (symbol, timeframe, from_ts, to_ts, content_digest)
group by all;

delete from metric_range as r
where
    r.set_id = $set_id
    and exists (
        select 1
        from incoming_range as i
        where i.symbol = r.symbol and i.timeframe = r.timeframe
    );

insert into metric_range by name
from incoming_range;

create or replace temp table earned as
select
    m.set_id,
    t.symbol,
    t.timeframe,
    m.from_ts,
    m.to_ts,
    t.content_digest,
    bool_and(m.time_in_market = 0) as is_flat,
    any_value(m.sharpe_session) as sharpe_session,
    any_value(m.drift_sharpe) as drift_sharpe
from incoming_metric as m
join trace_file as t using (trace_id)
where m.period = 'all' and m.regime is null and m.start_bar is not null
group by all;

delete from trial_figure as f
where
    f.set_id = $set_id
    and exists (
        select 1
        from earned as e
        where
            e.symbol = f.symbol
            and e.timeframe = f.timeframe
            and e.from_ts = f.from_ts
            and e.to_ts = f.to_ts
            and e.content_digest = f.content_digest
    );

insert into trial_figure by name
select *, now() as measured_at
from earned;

drop table earned;
