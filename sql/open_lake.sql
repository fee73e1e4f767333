-- Note that a lake was opened.
insert into internal.lake
select coalesce(max(lake_id), 0) + 1, $place, $is_relative, now() from internal.lake
returning lake_id;
