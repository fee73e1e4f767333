-- The share of trades with a profit, from their net results.
create or replace macro hit_rate(net) as
    case when count(net) > 0 then count(*) filter (net > 0) / count(net) end;
