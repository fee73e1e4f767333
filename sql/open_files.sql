-- Say which files of a lake hold the rows of which traces, and from which lake each is read.
insert into internal.lake_file by name
select
    (select coalesce(max(file_id), 0) from internal.lake_file)
        + row_number() over (order by relation, path) as file_id,
    $lake_id as lake_id,
    relation,
    path,
    row_count,
    size_bytes
from incoming_file;

insert into internal.lake_trace by name
select
    t.trace_id,
    $lake_id as lake_id,
    t.writer,
    f.file_id,
    false as is_read
from incoming_trace as t
left join incoming_held as h using (trace_id, writer)
left join internal.lake_file as f
    on f.lake_id = $lake_id and f.relation = h.relation and f.path = h.path;
