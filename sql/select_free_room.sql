-- How many bytes of the catalog's file hold nothing.
select cast(free_blocks * block_size as bigint) as free_bytes
from pragma_database_size()
where database_name = current_database();
