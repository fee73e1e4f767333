select i / j as quotient, i // 2 as whole from n
-- Spark:
SELECT CASE WHEN CAST(`n`.`j` AS DOUBLE) = 0 THEN NANVL(CAST(`n`.`i` AS DOUBLE) * CAST('Infinity' AS DOUBLE), CAST('NaN' AS DOUBLE)) ELSE CAST(`n`.`i` AS DOUBLE) / CAST(`n`.`j` AS DOUBLE) END AS `quotient`, CAST(`n`.`i` DIV 2 AS BIGINT) AS `whole` FROM `n`
