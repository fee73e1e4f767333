-- Forget what was in and out of sample of a split that was replaced.
delete from metric where set_id = $set_id and period in ('is', 'oos');
