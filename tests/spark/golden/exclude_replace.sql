select * exclude (d, e) replace (i + 1 as i) from n
-- Spark:
SELECT `n`.`k`, `n`.`i` + 1 AS `i`, `n`.`j`, `n`.`m`, `n`.`h`, `n`.`f` FROM `n`
