select date_trunc('month', tz) as m, t0 + interval 1 month as later, epoch(t0) as e from c
-- Spark:
SELECT DATE_TRUNC('month', `c`.`tz`) AS `m`, CAST(TIMESTAMP_MICROS(UNIX_MICROS(CAST(ADD_MONTHS(CAST(CAST(`c`.`t0` AS TIMESTAMP) AS DATE), 1) AS TIMESTAMP)) + PMOD(UNIX_MICROS(CAST(`c`.`t0` AS TIMESTAMP)), 86400000000)) AS TIMESTAMP_NTZ) AS `later`, CAST(UNIX_MICROS(CAST(`c`.`t0` AS TIMESTAMP)) AS DOUBLE) / CAST('1e6' AS DOUBLE) AS `e` FROM `c`
