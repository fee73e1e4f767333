-- The entries that are to be written, each with the file that it is to be in: whole folders in order,
-- cut where a file would hold too many rows or entries.
create or replace temp table part as
select
    key,
    digest,
    folder,
    rows,
    place,
    file,
    old_file,
    old_digest,
    folder || '#' || ((sum(rows) over so_far - rows) // $most_rows)
    || '#' || ((row_number() over so_far - 1) // $most_keys) as part
from entry
where file is null or file in (select file from worn)
window so_far as (partition by folder order by place, key rows unbounded preceding);
