-- The files beside the catalog that hold rows to publish: packs, and price files.
select distinct pack_path as path
from trace_files
where pack_path is not null and trace_number is not null
union
select distinct pack_path
from returned
where pack_path is not null
union
select path
from price_series;
