-- The runs, each with what is registered of it and what is wrong with it, the newest first.
with traced as (
    select
        run_id,
        count(*) filter (status = 'registered') as traces,
        count(*) filter (status = 'registered' and kind = 'signal') as signals,
        count(*) filter (status = 'registered' and kind = 'classifier') as classifiers,
        count(*) filter (status = 'registered' and kind not in ('signal', 'classifier')) as others,
        min(created_at) as made_at,
        count(distinct strategy_key) filter (status = 'registered') as strategies,
        list(distinct concat_ws(' ', symbol, timeframe) order by concat_ws(' ', symbol, timeframe))
            filter (status = 'registered' and symbol is not null) as data,
        min(coalesce(first_ts, first_change_ts)) filter (status = 'registered') as from_ts,
        max(coalesce(last_ts, last_change_ts)) filter (status = 'registered') as to_ts,
        max(last_bar - first_bar + 1) filter (status = 'registered') as bars,
        coalesce(sum(file_size_bytes) filter (status = 'registered'), 0)::bigint as size_bytes,
        count(*) filter (status = 'missing') as missing,
        count(*) filter (status = 'registered' and config_source = 'unknown') as unknown_configs,
        count(*) filter (pack_path is not null) as packed
    from trace_file
    group by run_id
),
damaged as (
    select f.run_id, count(*) as quarantined
    from other_file as o
    join directory as d using (directory_id)
    join run_folder as f on true
    join directory as r on r.directory_id = f.directory_id
    where
        o.status = 'quarantined'
        and r.is_relative = d.is_relative
        and starts_with(d.prefix, r.prefix)
    group by f.run_id
)
select
    r.run_id,
    r.name,
    coalesce(r.created_at, t.made_at) as created_at,
    coalesce(t.signals, 0) as signals,
    coalesce(t.classifiers, 0) as classifiers,
    coalesce(t.others, 0) as others,
    coalesce(t.strategies, 0) as strategies,
    coalesce(t.data, []) as data,
    t.bars,
    t.from_ts,
    t.to_ts,
    coalesce(t.size_bytes, 0) as size_bytes,
    coalesce(t.unknown_configs, 0) as unknown_configs,
    coalesce(t.packed, 0) as packed,
    coalesce(t.missing, 0) as missing,
    coalesce(q.quarantined, 0) as quarantined,
    r.root,
    r.registered_at
from runs as r
left join traced as t using (run_id)
left join damaged as q using (run_id)
order by coalesce(r.created_at, t.made_at) desc nulls last, r.registered_at desc, r.run_id;
