-- When the figures of a metric set by split or fold were computed last.
select max(computed_at) from metric where set_id = $set_id and period <> 'all';
