-- Forget a root.
delete from root where root_id = $root_id;
