-- Bring back the roots, the folders of runs, and the runs. DuckDB makes of texts what columns are.
insert into internal.root by name from incoming_root;

insert into internal.directory by name from incoming_directory;

insert into internal.run_folder by name from incoming_run_folder;

insert into internal.run by name from incoming_run;
