-- Which of the chosen traces have session returns, where these are, and what they depend on.
select
    r.trace_id,
    r.fill,
    r.return_number,
    r.inputs,
    getvariable('catalog_root') || '/' || r.pack_path as pack_path,
    t.strategy_hash,
    t.symbol,
    t.timeframe,
    -- About as many rows; how many exactly only the packs say.
    coalesce(date_diff('day', t.first_ts, t.last_ts) * 5 // 7, (t.last_bar - t.first_bar) // 100, 250) + 1 as sessions
from session_returns as r
join trace_file as t using (trace_id)
where
    r.return_number is not null
    and t.status = 'registered'
    and r.trace_id in (select trace_id from chosen);
