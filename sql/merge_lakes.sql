-- Where the lakes lie that another catalog reads traces from.
select case when is_relative then getvariable('catalog_root') || '/' else '' end || place as place
from internal.lake
order by lake_id;
