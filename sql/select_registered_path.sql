-- A row where a file is registered, or was met by a scan.
select 1 from trace_files where path = $path
union all
select 1 from other_files where path = $path;
