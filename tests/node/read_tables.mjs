// Reads with the official client and prints what it got as JSON lines: read_tables.mjs CASE
import redivis from 'redivis';

const [name] = process.argv.slice(2);

// JSON has no infinity and no dates; integers beyond 2^53 lose digits in the client itself.
const print = (value) => console.log(JSON.stringify(value));

const cases = {
	async described() {
		const dataset = redivis.user('local').dataset('clients');
		print((await dataset.listTables()).map((table) => table.name).sort());
		print((await dataset.listVersions()).map((version) => version.tag));
		const table = dataset.table('types');
		print([await table.exists(), await dataset.table('missing').exists()]);
		print((await table.listVariables()).map(({ name, type }) => [name, type]));
		const variable = await table.variable('isOpen').get();
		print(variable.properties.valueLabels);
	},
	async small() {
		const table = redivis.user('local').dataset('clients').table('types');
		const rows = await table.listRows({ variables: ['mean', 'stationname', 'ID', 'at', 'day', 'recorded', 'isOpen'] });
		print(rows);
		print(Object.keys(rows[0]));
		print((await table.listRows(700, { variables: ['id'] })).length);
		print((await table.listRows()).length);
		print(await redivis.user('local').dataset('clients').table('nothing').listRows());
	},
	async large() {
		const table = redivis.user('local').dataset('clients').table('large');
		const check = (rows) => [
			rows.length,
			rows.map(({ id }) => id).reduce((sum, id) => sum + id, 0),
			rows.every(({ id, text }) => text.length === 100000 && Number(text.slice(-8)) === id),
		];
		print(check(await table.listRows()));
		print(check(await table.listRows({ maxResults: 123 }))[0]);
		print((await table.listRows({ variables: ['id'] })).length);
	},
	async queries() {
		const counted = redivis.query('SELECT COUNT(*) AS n, MAX(id) AS Last, 1 / 4 AS q FROM `local.clients.types`');
		print(await counted.listRows());
		const dataset = redivis.user('local').dataset('clients');
		print((await dataset.query('SELECT id FROM types ORDER BY id').listRows(3)).length);
		try {
			await redivis.query('SELECT 1 / 0').listRows();
		} catch (error) {
			print(error.message);
		}
	},
};

await cases[name]();
