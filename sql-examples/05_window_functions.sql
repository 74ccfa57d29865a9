-- A window function looks at the rows around each row: the three busiest destinations of each airport,
-- their rank, and the share of the airport's flights that they take.
WITH routes AS (
    SELECT origin, dest, count(*) AS flights
    FROM redivis.'demo.nycflights13.flights'
    GROUP BY origin, dest
),
ranked AS (
    SELECT origin,
           dest,
           flights,
           row_number() OVER (PARTITION BY origin ORDER BY flights DESC, dest) AS place,
           round(100.0 * flights / sum(flights) OVER (PARTITION BY origin), 1) AS per_cent
    FROM routes
)
SELECT origin, place, dest, flights, per_cent
FROM ranked
WHERE place <= 3
ORDER BY origin, place;
