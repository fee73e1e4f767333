-- The sum of profits over the sum of losses, from the net results of trades. NULL without losers.
create or replace macro profit_factor(net) as
    case when min(net) < 0 then coalesce(sum(net) filter (net > 0), 0) / -sum(net) filter (net < 0) end;
