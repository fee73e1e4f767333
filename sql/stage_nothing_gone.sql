-- The files that are gone, where none is.
create or replace temp table gone (directory_id integer, file_name varchar);
