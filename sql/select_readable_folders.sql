-- The folders whose files queries may read: the registered ones, and those that links lead to.
select
    rtrim(
        case when is_relative then getvariable('catalog_root') || '/' else '' end || prefix,
        '/'
    ) as path
from internal.root
union
select
    rtrim(
        case when is_relative then getvariable('catalog_root') || '/' else '' end || prefix,
        '/'
    ) as path
from internal.directory
where is_linked;
