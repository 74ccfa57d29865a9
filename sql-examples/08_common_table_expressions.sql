-- WITH names the steps of a longer question, each built on the ones before it:
-- do older aircraft leave later? First each aircraft's age in 2013, then its decade, then the flights it made.
WITH aged AS (
    SELECT tailnum, 2013 - year AS age
    FROM redivis.'demo.nycflights13.planes'
    WHERE year IS NOT NULL
),
grouped AS (
    SELECT tailnum,
           CASE WHEN age < 10 THEN 'under 10' WHEN age < 20 THEN '10 to 19' ELSE '20 and over' END AS age_in_years,
           CASE WHEN age < 10 THEN 1 WHEN age < 20 THEN 2 ELSE 3 END AS place
    FROM aged
)
SELECT g.age_in_years,
       count(DISTINCT g.tailnum) AS aircraft,
       count(f.dep_delay) AS departures,
       round(avg(f.dep_delay), 2) AS mean_departure_delay
FROM grouped g
JOIN redivis.'demo.nycflights13.flights' f USING (tailnum)
GROUP BY g.age_in_years, g.place
ORDER BY g.place;
