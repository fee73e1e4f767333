-- Published lakes that traces are read from: where they lie, the files that hold rows, and which of
-- these holds which trace.
create table internal.lake (
    lake_id integer not null,
    place varchar not null,
    is_relative boolean not null,
    opened_at timestamptz not null
);

create table internal.lake_file (
    file_id integer not null,
    lake_id integer not null,
    relation varchar not null,
    path varchar not null,
    row_count bigint not null,
    size_bytes bigint not null
);

-- A trace may be in several lakes; it is read from one of them, and from none where it is here.
create table internal.lake_trace (
    trace_id varchar not null,
    lake_id integer not null,
    writer varchar not null,
    file_id integer,
    is_read boolean not null
);
