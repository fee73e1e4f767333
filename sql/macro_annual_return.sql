-- The return a year, as a fraction, that periods of these returns compound to; per_year of them
-- make a year.
create or replace macro annual_return(ret, per_year) as
    case when min(ret) > -1 then exp(sum(ln(1 + ret)) * per_year / count(ret)) - 1 end;
