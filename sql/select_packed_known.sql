-- Which traces are in which pack, under which number.
select trace_id, trace_number, pack_path from internal.packed_trace;
