-- Another split of a metric set.
update metric_set set split = $split where set_id = $set_id;
