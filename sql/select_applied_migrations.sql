-- The migrations that were applied, oldest first.
select version, name, checksum, program from internal.migration order by version;
