select config->'a'->>'b' as b, cast(config->'i' as integer) as i from j
-- Spark:
SELECT GET_JSON_OBJECT(`j`.`config`, '$.a.b') AS `b`, CAST(ROUND(CASE WHEN GET_JSON_OBJECT(`j`.`config`, '$.i') RLIKE '[eE]' THEN CAST(CAST(GET_JSON_OBJECT(`j`.`config`, '$.i') AS DOUBLE) AS DECIMAL(38, 18)) ELSE CAST(GET_JSON_OBJECT(`j`.`config`, '$.i') AS DECIMAL(38, 18)) END) AS INT) AS `i` FROM `j`
