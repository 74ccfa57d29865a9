// The tasks whose requests and answers are kept as vectors, but for uploads, which this client cannot do: vectors.mjs
// Before each task a request of the script's own names it, which the recording proxy answers.
import assert from 'node:assert/strict';
import redivis from 'redivis';

const task = async (name) => await (await fetch(`${process.env.REDIVIS_API_ENDPOINT}/task/${name}`)).text();

// The table, of which nothing is known yet.
const airlines = () => redivis.user('demo').dataset('nycflights13').table('airlines');
await task('read');
assert.equal((await airlines().listRows()).length, 16);
await task('read_part');
assert.equal((await airlines().listRows(3, { variables: ['name', 'carrier'] })).length, 3);
await task('query');
const query = redivis.query('SELECT COUNT(*) AS n FROM `demo.nycflights13.airlines`');
assert.deepEqual(await query.listRows(), [{ n: 16 }]);

await task('create');
const dataset = await redivis.user('local').dataset('Stations', { version: 'next' }).create({ publicAccessLevel: 'overview' });
await task('release');
await dataset.release();
await task('next_version');
await (await redivis.user('local').dataset('Stations').get()).createNextVersion();
