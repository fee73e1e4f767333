-- The price series of the catalog, each with the digest of what it says.
select symbol, timeframe, digest
from price_series;
