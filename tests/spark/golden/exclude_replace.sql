select * exclude (d, e) replace (i + 1 as i) from n
-- Spark:
SELECT `n`.`k`, CAST(CAST(`n`.`i` AS DECIMAL(38, 0)) + 1 AS BIGINT) AS `i`, `n`.`j`, `n`.`m`, `n`.`h`, `n`.`f` FROM `n`
