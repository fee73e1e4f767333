-- The parameters that have columns, in order of appearance.
select parameter, form, column_name from parameters where column_name is not null;
