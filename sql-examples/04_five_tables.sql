-- Five tables in one statement: long flights that left late in strong wind, with their airline, destination, aircraft
-- and the weather at departure. Not every aircraft is registered, so its table is joined with LEFT JOIN.
SELECT f.time_hour AS scheduled_utc,
       al.name AS airline,
       f.origin,
       ap.name AS destination,
       p.manufacturer,
       w.wind_gust,
       f.dep_delay
FROM redivis.'demo.nycflights13.flights' f
JOIN redivis.'demo.nycflights13.airlines' al ON al.carrier = f.carrier
JOIN redivis.'demo.nycflights13.airports' ap ON ap.faa = f.dest
JOIN redivis.'demo.nycflights13.weather' w ON w.origin = f.origin AND w.time_hour = f.time_hour
LEFT JOIN redivis.'demo.nycflights13.planes' p ON p.tailnum = f.tailnum
WHERE w.wind_gust > 50 AND f.dep_delay > 60 AND f.distance > 1000
ORDER BY f.dep_delay DESC, f.time_hour, f.carrier, f.flight
LIMIT 10;
