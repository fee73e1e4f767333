-- Forget the periods of a split, or of folds, that were replaced.
delete from metric where set_id = $set_id and period <> 'all';
