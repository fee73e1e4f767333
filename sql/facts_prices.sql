-- Price series: where their bars lie, how their times are meant and how they are numbered, as facts.
select to_json(p) from internal.price_series as p order by p.symbol, p.timeframe;
