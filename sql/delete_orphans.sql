-- Drop rows that belong to others which are not there; never those of traces that are in a pack,
-- which may be nowhere else: without a row a compaction would leave them out.
delete from directory
where
    root_id not in (select root_id from root)
    and directory_id not in (select directory_id from trace_file where trace_number is not null);

delete from run
where
    directory_id not in (select directory_id from directory)
    and run_id not in (select run_id from trace_file where trace_number is not null);

delete from trace_file
where
    trace_number is null
    and (
        directory_id not in (select directory_id from directory)
        or run_id not in (select run_id from run)
        or strategy_key not in (select strategy_key from strategy)
    );

delete from other_file where directory_id not in (select directory_id from directory);

delete from event_strategy where run_id not in (select run_id from run);

delete from component where parent_key not in (select strategy_key from strategy);
