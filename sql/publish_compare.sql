-- Compare what is to be in the lake with what is in it: which entries are there as they should be.
-- What is only in the lake stays where it is kept, and leaves it else.
create or replace temp table entry as
with wanted as (
    select key, digest, folder, rows, place
    from incoming_entry
    where key not in (select key from incoming_left)
),
stays as (
    select h.key, h.digest, h.folder, h.rows, h.place
    from held as h
    where
        h.key not in (select key from wanted)
        and (getvariable('keep_all') or h.key in (select key from incoming_kept))
)
select
    w.key,
    w.digest,
    w.folder,
    w.rows,
    w.place,
    case when h.digest = w.digest and h.folder = w.folder then h.file end as file,
    h.file as old_file,
    h.digest as old_digest
from (from wanted union all by name from stays) as w
left join held as h using (key);
