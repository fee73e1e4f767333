-- The lakes that a catalog reads traces from.
select
    lake_id,
    case when is_relative then getvariable('catalog_root') || '/' else '' end || place as place
from internal.lake
order by lake_id;
