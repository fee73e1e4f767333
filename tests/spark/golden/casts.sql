select d::integer as rounded, try_cast(m as integer) as tried from n
-- Spark:
SELECT CAST(BROUND(`n`.`d`) AS INT) AS `rounded`, TRY_CAST(ROUND(`n`.`m`) AS INT) AS `tried` FROM `n`
