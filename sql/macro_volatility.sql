-- The sample standard deviation of returns, annualised: times the root of the periods a year.
create or replace macro volatility(ret, per_year) as
    case when count(ret) > 1 then stddev_samp(ret) * sqrt(per_year) end;
