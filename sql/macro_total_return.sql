-- What returns (fractions, one a period) compound to, as a fraction; NULL after ruin (-100 %).
create or replace macro total_return(ret) as
    case when min(ret) > -1 then exp(sum(ln(1 + ret))) - 1 end;
