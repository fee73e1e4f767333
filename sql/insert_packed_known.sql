-- Say which traces are in which pack.
insert into internal.packed_trace by name from incoming_packed;
