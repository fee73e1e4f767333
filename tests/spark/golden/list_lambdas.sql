select list_transform(l, lambda e, i: e * i) as t, [e for e in l if e > 1] as f from l
-- Spark:
SELECT TRANSFORM(`l`.`l`, (_e, _i) -> CAST(CAST(_e AS DECIMAL(38, 0)) * CAST((CAST(_i AS BIGINT) + 1) AS DECIMAL(38, 0)) AS BIGINT)) AS `t`, TRANSFORM(FILTER(TRANSFORM(`l`.`l`, _e -> NAMED_STRUCT('filter', _e > 1, 'result', _e)), _elem -> _elem.`filter`), _elem -> _elem.`result`) AS `f` FROM `l`
