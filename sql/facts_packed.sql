-- What the catalog knows of traces that are in packs and their files may not say: every column,
-- and the configuration.
select
    t.* exclude (directory_id, is_latest, status, trace_number, has_original, pack_path),
    d.prefix,
    d.is_relative,
    s.config,
    s.kind as strategy_kind,
    s.config_source as strategy_source,
    s.claimed_hash as strategy_claim,
    p.trace_number,
    p.pack_path
from incoming_packed as p
join internal.trace_file as t using (trace_id)
join internal.directory as d using (directory_id)
left join internal.strategy as s on s.strategy_key = t.strategy_key
order by p.trace_number;
