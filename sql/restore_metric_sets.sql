-- Bring back the metric sets, in the place of those that every catalog has.
delete from internal.metric_set
where set_id in (select cast(set_id as integer) from incoming_set);

insert into internal.metric_set by name from incoming_set;
