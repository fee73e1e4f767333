-- Another split of a metric set, or other folds.
update metric_set set split = $split, folds = $folds where set_id = $set_id;
