-- Which traces are in packs, and under which number there.
create table internal.packed_trace (
    trace_id varchar not null,
    trace_number bigint not null,
    pack_path varchar not null
);

alter table internal.trace_file add column trace_number bigint;
alter table internal.trace_file add column has_original boolean;
