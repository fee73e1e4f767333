-- Published lakes that traces are read from: where they lie, their files, and who wrote which trace.
create table internal.lake (
    lake_id integer not null,
    place varchar not null,
    is_relative boolean not null,
    opened_at timestamptz not null
);

create table internal.lake_file (
    lake_id integer not null,
    relation varchar not null,
    writer varchar not null,
    folder varchar not null,
    path varchar not null,
    row_count bigint not null
);

create table internal.lake_trace (
    trace_id varchar not null,
    lake_id integer not null,
    writer varchar not null,
    is_read boolean not null
);
