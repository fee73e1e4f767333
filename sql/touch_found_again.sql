-- Note whose latest trace may change with files that are there again.
create or replace temp table touched as
select *
from found_again;
