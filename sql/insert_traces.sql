-- Register the staged traces.
insert into trace_file by name select * from staged;
