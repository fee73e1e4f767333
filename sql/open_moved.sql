-- Say that a lake lies elsewhere now.
update internal.lake
set place = $place, is_relative = $is_relative
where lake_id = $lake_id;
