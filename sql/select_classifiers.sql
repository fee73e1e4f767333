-- The latest traces of the classifiers that go by a name, and the names that their runs gave them.
select trace_id, strategy_id
from trace_file
where
    kind = 'classifier'
    and status = 'registered'
    and (
        trace_id = $reference
        or (
            is_latest
            and (
                strategy_id = $reference
                or strategy_type = $reference
                or strategy_key = $reference
                or (length($reference) >= 6 and starts_with(strategy_hash, $reference))
            )
        )
    );
