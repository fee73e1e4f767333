-- What of the ledger of trials no file says: of a figure the newest counts, of a trial the first.
select i.*
from incoming_trial as i
where not exists (
    select 1
    from incoming_kept as k
    where
        k.part = i.part
        and k.set_id is not distinct from i.set_id
        and k.symbol is not distinct from i.symbol
        and k.timeframe is not distinct from i.timeframe
        and (i.part = 'range' or k.from_ts is not distinct from i.from_ts)
        and (i.part = 'range' or k.to_ts is not distinct from i.to_ts)
        and k.content_digest is not distinct from i.content_digest
        and (i.part <> 'figure' or k.noted_at >= i.noted_at)
        and (i.part <> 'trial' or k.noted_at <= i.noted_at)
);
