-- Which traces of another catalog have session returns, and in which of its packs.
select
    s.trace_id,
    s.fill,
    s.return_number,
    s.inputs,
    s.pack_path
from internal.session_returns as s
semi join internal.trace_file as t using (trace_id)
where s.pack_path is null or s.return_number is not null
order by s.fill, s.pack_path, s.return_number;
