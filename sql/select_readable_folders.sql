-- The folders whose files queries may read: the registered ones, those that links lead to, and lakes.
select
    rtrim(
        case when is_relative then getvariable('catalog_root') || '/' else '' end || prefix,
        '/'
    ) as path
from internal.root
where is_relative or not starts_with(prefix, 'lake:')
union
select
    rtrim(
        case when is_relative then getvariable('catalog_root') || '/' else '' end || prefix,
        '/'
    ) as path
from internal.directory
where is_linked
union
select case when is_relative then getvariable('catalog_root') || '/' else '' end || place as path
from internal.lake;
