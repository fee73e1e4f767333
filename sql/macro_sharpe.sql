-- The Sharpe ratio of returns, annualised, risk-free rate 0 (Sharpe 1994): the mean over the sample
-- standard deviation, times the root of the periods a year. NULL where all returns are equal.
create or replace macro sharpe(ret, per_year) as
    case when min(ret) < max(ret) then avg(ret) / stddev_samp(ret) * sqrt(per_year) end;
