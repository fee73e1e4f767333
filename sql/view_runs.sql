-- One row per run: one execution of a sweep or backtest.
select
    r.run_id,
    r.name,
    case
        when d.is_relative then coalesce(getvariable('catalog_root'), $root) || '/'
        else ''
    end || d.prefix as root,
    r.recorded_id,
    r.created_at,
    r.registered_at,
    r.data_source,
    r.symbol,
    r.timeframe,
    r.total_bars,
    coalesce(t.traces, 0) as traces,
    coalesce(t.signals, 0) as signals,
    coalesce(t.classifiers, 0) as classifiers,
    coalesce(t.unknown_configs, 0) as unknown_configs
from run as r
join directory as d using (directory_id)
left join (
    select
        run_id,
        count(*) as traces,
        count(*) filter (kind = 'signal') as signals,
        count(*) filter (kind = 'classifier') as classifiers,
        count(*) filter (config_source = 'unknown') as unknown_configs
    from trace_file
    where status = 'registered'
    group by run_id
) as t using (run_id);
