-- The rows of orders in flat columns, as we write them.
select
    r.filename,
    r.idx,
    r.ts,
    r.sym,
    r.strategy_id,
    r.order_id,
    r.position_id,
    r.side,
    r.quantity,
    r.order_type,
    r.price,
    r.order_created_at
from read_parquet(
    $files,
    filename = true,
    schema = map {
        'idx': {name: 'idx', type: 'BIGINT', default_value: null},
        'ts': {name: 'ts', type: 'VARCHAR', default_value: null},
        'sym': {name: 'sym', type: 'VARCHAR', default_value: null},
        'strategy_id': {name: 'strategy_id', type: 'VARCHAR', default_value: null},
        'order_id': {name: 'order_id', type: 'VARCHAR', default_value: null},
        'position_id': {name: 'position_id', type: 'VARCHAR', default_value: null},
        'side': {name: 'side', type: 'VARCHAR', default_value: null},
        'quantity': {name: 'quantity', type: 'DOUBLE', default_value: null},
        'order_type': {name: 'order_type', type: 'VARCHAR', default_value: null},
        'price': {name: 'price', type: 'DOUBLE', default_value: null},
        'order_created_at': {name: 'order_created_at', type: 'VARCHAR', default_value: null}
    }
) as r;
