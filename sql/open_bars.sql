-- The bars of a price series in files of a lake.
select * exclude (writer)
from read_parquet($files)
where symbol = $symbol and timeframe = $timeframe
order by bar_index;
