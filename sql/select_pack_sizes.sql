-- How many traces of each pack are still read from it, and how many rows those have.
select
    p.pack_path,
    count(*) as traces,
    count(t.trace_id) as live,
    coalesce(sum(t.row_count), 0)::bigint as rows
from internal.packed_trace as p
left join internal.trace_file as t
    on t.trace_id = p.trace_id and t.trace_number = p.trace_number and t.status = 'registered'
group by p.pack_path
order by p.pack_path;
