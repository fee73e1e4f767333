-- Record a price series.
insert into internal.price_series by name
from incoming_prices;
