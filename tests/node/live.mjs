// A dataset's life as the official client tells it, which can create and release but not upload; whatever has to be in
// the table is put there between the steps by the caller: live.mjs STEP
import assert from 'node:assert/strict';
import redivis from 'redivis';

const [name] = process.argv.slice(2);
const me = redivis.user('local');
const station = { id: 1, name: 'Zürich', height: 556, since: new Date('1863-12-01') };

const refused = (call, status, words) =>
	assert.rejects(call, (error) => error.status === status && error.message.includes(words));

const steps = {
	// A dataset with a draft, under its name and changed.
	async create() {
		const dataset = me.dataset('Java scripts', { version: 'next' });
		assert.equal(await dataset.exists(), false);
		await dataset.create({ publicAccessLevel: 'overview', description: 'Made by Node' });
		assert.equal(dataset.getProperty('publicAccessLevel'), 'overview');
		assert.equal(dataset.getProperty('owner').name, 'local');
		await refused(me.dataset('java_scripts').create(), 409, 'exists already');
		await dataset.update({ publicAccessLevel: 'data', description: 'Changed' });
		const again = await me.dataset('JAVA SCRIPTS', { version: 'next' }).get();
		assert.equal(again.getProperty('description'), 'Changed');
		assert.equal(again.getProperty('publicAccessLevel'), 'data');
		assert.equal(again.getProperty('version').tag, 'next');
		// Without a release there is no current version.
		assert.equal(await me.dataset('Java scripts').exists(), false);
		await refused(dataset.update({ publicAccessLevel: 'everything' }), 400, 'publicAccessLevel');

		const organization = redivis.organization('Nodes');
		await refused(organization.listDatasets(), 404, 'Nodes');
		await organization.dataset('Of many').create();
		// The client makes datasets of what it is told, and asks for their current version.
		assert.deepEqual((await organization.listDatasets()).map(({ name }) => name), ['Of many']);
		await organization.dataset('Of many', { version: 'next' }).delete();
	},
	// The draft has a table now.
	async release() {
		const draft = await me.dataset('Java scripts', { version: 'next' }).get();
		assert.deepEqual(await draft.table('Stations').listRows(), [station]);
		const released = await draft.release();
		assert.equal(released.getProperty('version').tag, 'v1.0');
		assert.deepEqual((await released.listTables()).map(({ name }) => name), ['Stations']);
		assert.deepEqual((await released.listVersions()).map(({ tag }) => tag), ['v1.0']);
		assert.deepEqual(await released.table('Stations').listRows({ variables: ['NAME'] }), [{ name: 'Zürich' }]);
		assert.equal(await released.table('Stations').variable('height').exists(), true);
		assert.equal(await released.table('Stations').variable('depth').exists(), false);
	},
	// Asked, alone and in its dataset.
	async query() {
		const dataset = me.dataset('Java scripts');
		const query = dataset.query('SELECT name, height * 2 AS twice, since FROM stations WHERE height > 500');
		assert.deepEqual(await query.listRows(), [{ name: 'Zürich', twice: 1112, since: station.since }]);
		assert.deepEqual((await query.listVariables()).map(({ name, type }) => [name, type]), [
			['name', 'string'],
			['twice', 'integer'],
			['since', 'date'],
		]);
		const many = redivis.query('SELECT n FROM UNNEST(GENERATE_ARRAY(1, 1000)) AS n ORDER BY n');
		assert.deepEqual((await many.listRows(3)).map(({ n }) => n), [1, 2, 3]);
		assert.equal((await many.listRows()).length, 1000);
		assert.deepEqual(await redivis.query('SELECT 1 AS one FROM `local.java_scripts.stations` WHERE FALSE').listRows(), []);
		await assert.rejects(redivis.query('SELECT nothing FROM `local.java_scripts.stations`').listRows(), /failed with message: .*nothing/);
		await assert.rejects(redivis.query('SELEC 1').listRows(), /SELEC/);
	},
	// Another version, which is released as it is; then all of it is gone.
	async end() {
		const dataset = await me.dataset('Java scripts').get();
		await dataset.createNextVersion();
		await assert.rejects((await dataset.get()).createNextVersion(), /already exists/);
		await dataset.createNextVersion({ ignoreIfExists: true });
		const released = await dataset.release();
		assert.notEqual(released.getProperty('version').tag, 'v1.0');
		assert.equal((await released.listVersions({ maxResults: 1 })).length, 1);
		assert.equal((await released.listVersions()).length, 2);
		assert.deepEqual(await me.dataset('Java scripts', { version: 'v1_0' }).table('Stations').listRows(), [station]);
		await released.delete();
		assert.equal(await released.exists(), false);
		await refused(released.get(), 404, 'Java');
	},
};

await steps[name]();
