-- The entries of one file that is to be written.
select
    key,
    digest,
    rows,
    place,
    file,
    old_file,
    old_digest
from part
where part = $part
order by place, key;
