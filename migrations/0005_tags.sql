-- What people say about strategies, and about single traces of them.
create table internal.tag (
    strategy_key varchar,
    trace_id varchar,
    tag varchar not null,
    note varchar,
    tagged_at timestamptz not null
);
