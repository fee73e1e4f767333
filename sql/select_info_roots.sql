-- The folders that were registered.
select
    rtrim(
        case
            when is_relative then getvariable('catalog_root') || '/' else ''
        end || prefix,
        '/'
    ) as path
from root
order by path;
