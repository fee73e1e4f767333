-- Where the configurations of the traces were found.
select config_source, count(*)
from trace_files
where status = 'registered' and config_source is not null
group by config_source
order by array_position(['footer', 'metadata', 'analytics', 'sweep', 'unknown'], config_source);
