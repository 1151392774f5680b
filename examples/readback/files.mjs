// Reads the exports by other programs.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { ask, list, same, work } from './server.mjs'

const { DuckDBInstance } = createRequire(`${work}/`)('@duckdb/node-api')
const duckdb = await (await DuckDBInstance.create(':memory:')).connect()

async function byDuckDB(sql) {
  return (await duckdb.runAndReadAll(sql)).getRowObjectsJson()
}

// save fetches a file into a folder of its own.
const folder = `${work}/files`
mkdirSync(folder)
async function save(path, name) {
  const answer = await ask(path)
  assert.ok(answer.headers.get('Rollcall-Cursor'), `${path} has no place in the feed`)
  writeFileSync(`${folder}/${name}`, Buffer.from(await answer.arrayBuffer()))
  return `${folder}/${name}`
}

// The snapshot is read where nothing can be written, by one who may not.
const snapshot = await save('/v1/snapshot.sqlite', 'snapshot.sqlite')
chmodSync(snapshot, 0o444)
chmodSync(folder, 0o755)
const nobody = process.getuid() === 0 ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : []
function bySQLite(sql) {
  const [command, ...args] = [...nobody, 'sqlite3', '-json', snapshot, sql]
  return JSON.parse(execFileSync(command, args, { maxBuffer: 1 << 30 }).toString() || '[]')
}

const tables = { groups: '/v1/groups', members: '/v1/members', memberships: '/v1/memberships' }
const wanted = {}
for (const [table, path] of Object.entries(tables)) wanted[table] = await list(path)

// Of history every stay that goes on is a membership.
const going = rows => rows.filter(row => !row.until_not_after).map(({ until_not_before, until_not_after, ...stay }) => stay)

for (const table of [...Object.keys(tables), 'membership_history']) {
  const files = {}
  for (const format of ['csv', 'ndjson', 'parquet']) files[format] = await save(`/v1/export/${table}.${format}`, `${table}.${format}`)
  const read = {
    'CSV by DuckDB': await byDuckDB(`SELECT * FROM read_csv('${files.csv}', header = true, all_varchar = true)`),
    'Parquet by DuckDB': await byDuckDB(`SELECT * FROM '${files.parquet}'`),
    'NDJSON by node': readFileSync(files.ndjson, 'utf8').trimEnd().split('\n').map(line => JSON.parse(line)),
  }
  chmodSync(folder, 0o555)
  read['snapshot by sqlite3'] = bySQLite(`SELECT * FROM "${table}"`)
  chmodSync(folder, 0o755)
  for (const [how, rows] of Object.entries(read)) {
    if (table === 'membership_history') same(going(rows), wanted.memberships, `${table} that goes on, ${how}`)
    else same(rows, wanted[table], `${table}, ${how}`)
  }
}

// Types are those of the values, not texts of them.
const types = Object.fromEntries((await byDuckDB(`DESCRIBE SELECT * FROM '${folder}/memberships.parquet'`)).map(c => [c.column_name, c.column_type]))
assert.equal(types.member_id, 'BIGINT')
assert.match(types.since_not_after, /^TIMESTAMP/)
assert.equal(types.email, 'VARCHAR')
assert.equal(bySQLite('PRAGMA journal_mode')[0].journal_mode, 'delete')
assert.equal(bySQLite('PRAGMA integrity_check')[0].integrity_check, 'ok')
