-- The files that hold the rows of a strategy's signals, as a list: set variable files =
-- trace_paths('39a6426ec117'). A pack among them holds other traces too, so filter what is read.
create or replace macro trace_paths(hash) as (
    select coalesce(list(distinct coalesce(pack_path, path)), [])
    from trace_files
    where kind = 'signal' and status = 'registered' and strategy_hash = hash
);
