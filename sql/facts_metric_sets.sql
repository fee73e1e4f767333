-- Metric sets as facts.
select to_json(s) from internal.metric_set as s order by s.set_id;
