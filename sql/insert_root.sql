-- Record a root.
insert into root
select coalesce(max(root_id), 0) + 1, $prefix, $is_relative from root
returning root_id;
