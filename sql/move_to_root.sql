-- Let a root take over the folders of one that lies below it.
update directory set root_id = $into where root_id = $root_id;
