-- The strategy of the trace in a file. That its name is compared first is what makes it quick.
select distinct t.strategy_key
from trace_file as t
join directory as d using (directory_id)
where
    t.file_name = parse_filename($reference)
    and case when d.is_relative then getvariable('catalog_root') || '/' else '' end || d.prefix
        = parse_dirpath($reference) || '/'
    and t.strategy_key is not null;
