-- Drop rows that belong to others which are not there.
delete from directory where root_id not in (select root_id from root);

delete from run where directory_id not in (select directory_id from directory);

delete from trace_file
where
    directory_id not in (select directory_id from directory)
    or run_id not in (select run_id from run)
    or strategy_key not in (select strategy_key from strategy);

delete from other_file where directory_id not in (select directory_id from directory);

delete from event_strategy where run_id not in (select run_id from run);

delete from component where parent_key not in (select strategy_key from strategy);
