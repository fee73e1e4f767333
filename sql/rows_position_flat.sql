-- The rows of position events in flat columns, as we write them.
select
    r.filename,
    r.idx,
    r.ts,
    r.sym,
    r.strategy_id,
    r.event,
    r.position_id,
    r.quantity,
    r.entry_price,
    r.exit_price,
    r.realized_pnl,
    r.exit_type,
    r.exit_reason
from read_parquet(
    $files,
    filename = true,
    schema = map {
        'idx': {name: 'idx', type: 'BIGINT', default_value: null},
        'ts': {name: 'ts', type: 'VARCHAR', default_value: null},
        'sym': {name: 'sym', type: 'VARCHAR', default_value: null},
        'strategy_id': {name: 'strategy_id', type: 'VARCHAR', default_value: null},
        'event': {name: 'event', type: 'VARCHAR', default_value: null},
        'position_id': {name: 'position_id', type: 'VARCHAR', default_value: null},
        'quantity': {name: 'quantity', type: 'DOUBLE', default_value: null},
        'entry_price': {name: 'entry_price', type: 'DOUBLE', default_value: null},
        'exit_price': {name: 'exit_price', type: 'DOUBLE', default_value: null},
        'realized_pnl': {name: 'realized_pnl', type: 'DOUBLE', default_value: null},
        'exit_type': {name: 'exit_type', type: 'VARCHAR', default_value: null},
        'exit_reason': {name: 'exit_reason', type: 'VARCHAR', default_value: null}
    }
) as r;
