-- The files of a table that hold anything but what they should; and small ones, where they are many.
with whole as (
    select file, count(*) as entries
    from entry
    where file is not null
    group by file
),
worn as (
    select f.file
    from held_file as f
    left join whole as w using (file)
    where f.keys <> coalesce(w.entries, 0)
),
small as (
    select file, folder
    from held_file
    where rows < $small and keys < $small and file not in (select file from worn)
)
select file from worn
union
select file from small
where folder in (select folder from small group by folder having count(*) > $many);
