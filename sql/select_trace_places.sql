-- Where in their runs the traces are that the catalog knows.
select distinct run_id, run_path from trace_file;
