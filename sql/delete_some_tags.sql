-- Forget some tags; a trace is what it is, whichever strategy it turned out to be of.
delete from tag
using incoming_gone_tag as g
where
    tag.tag = g.tag
    and tag.trace_id is not distinct from g.trace_id
    and (g.trace_id is not null or tag.strategy_key = g.strategy_key);
