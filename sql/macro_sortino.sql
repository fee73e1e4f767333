-- The Sortino ratio of returns, annualised, target 0 (Sortino and Price 1994): the mean over the
-- root of the mean square of losses, times the root of the periods a year. NULL without losses.
create or replace macro sortino(ret, per_year) as
    case
        when min(ret) < 0
        -- least() passes over NULL, and would count a return that is not there.
        then avg(ret) / sqrt(sum(case when ret < 0 then ret * ret else 0 end) / count(ret)) * sqrt(per_year)
    end;
