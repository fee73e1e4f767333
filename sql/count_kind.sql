-- How many traces of a kind are registered.
select count(*)
from internal.trace_file
where kind = $kind and status = 'registered';
