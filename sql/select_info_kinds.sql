-- How many trace files of each kind are registered.
select kind, count(*)
from trace_files
where status = 'registered'
group by kind
order by array_position(['signal', 'classifier', 'order', 'fill', 'position'], kind);
