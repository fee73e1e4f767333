-- Say of a table that it is to have no entries.
create or replace temp table entry as
select null::varchar as key
where false;
