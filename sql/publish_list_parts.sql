-- The files that are to be written, in order.
select
    folder,
    part
from part
group by folder, part
order by folder, min(place || key);
