-- The session returns in packs.
select
    return_number,
    session_date,
    ret_gross,
    ret_overnight,
    turnover,
    bars_held
from read_parquet($files);
