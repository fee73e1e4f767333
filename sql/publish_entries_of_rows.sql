-- The traces of a kind whose rows are to be in the lake, and what their rows there depend on.
select
    t.trace_id as key,
    md5_number_lower(
        concat_ws(
            chr(31),
            t.rows_digest, t.file_digest, t.generation, t.idx_base, t.run_id,
            coalesce(t.strategy_hash, ''), coalesce(t.strategy_id, ''), coalesce(t.strategy_type, ''),
            coalesce(t.symbol, ''), coalesce(t.timeframe, ''), coalesce(s.digest, 0)
        )
    ) as digest,
    t.symbol,
    t.timeframe,
    t.row_count as rows,
    coalesce(t.strategy_hash, '~') as place
from trace_files as t
left join (
    -- Events say only the strategy_id; which strategy that is follows from the whole run.
    select
        run_id,
        bit_xor(
            md5_number_lower(
                concat_ws(
                    chr(31),
                    strategy_id, coalesce(strategy_hash, ''), coalesce(strategy_type, ''),
                    coalesce(symbol, ''), coalesce(timeframe, '')
                )
            )
        ) as digest
    from run_strategies
    group by run_id
) as s on s.run_id = t.run_id and t.kind in ('order', 'fill', 'position')
where t.kind = $kind;
