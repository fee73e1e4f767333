-- How many traces are registered, by kind.
select kind, count(*)
from internal.trace_file
where status = 'registered'
group by kind;
