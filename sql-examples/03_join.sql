-- JOIN … USING joins two tables by a variable of the same name: which airlines arrive late?
-- avg leaves out missing values, so cancelled and diverted flights do not count.
SELECT a.name, count(f.arr_delay) AS arrivals, round(avg(f.arr_delay), 2) AS mean_delay
FROM redivis.'demo.nycflights13.flights' f
JOIN redivis.'demo.nycflights13.airlines' a USING (carrier)
GROUP BY a.name
ORDER BY mean_delay DESC;
