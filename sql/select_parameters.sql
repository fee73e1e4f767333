-- The parameters known so far, in order of appearance.
select path, name, form, column_name, column_type from parameter order by rowid;
