-- WHERE chooses rows, GROUP BY gathers them, HAVING chooses groups.
-- Only the variables that a statement names are read from Redivis: here four of nineteen.
SELECT origin,
       count(*) AS flights,
       count(*) - count(dep_time) AS cancelled,
       round(avg(dep_delay), 2) AS mean_departure_delay
FROM redivis.'demo.nycflights13.flights'
WHERE month = 12
GROUP BY origin
HAVING count(*) > 5000
ORDER BY origin;
