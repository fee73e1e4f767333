-- The tags as they are stored.
select strategy_key, trace_id, tag, note, tagged_at from tag;
