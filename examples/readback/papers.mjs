// Runs the commands of a page: its blocks that are marked sh run, sql run and
// python run. A block must succeed and print something; sql is asked of the
// server, of the sqlite3 shell and of DuckDB alike, which must agree.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { ask, comparable, organization, token, work } from './server.mjs'

const page = readFileSync(process.argv[2], 'utf8')
const own = text => text.replaceAll('http://127.0.0.1:7655', process.env.ROLLCALL_SERVER)
const options = { cwd: work, maxBuffer: 1 << 30 }

// The groups that the page speaks of.
const people = (await (await ask('/v1/members?limit=3')).json()).data.map(member => member.id)
const groups = { Sales: people.slice(0, 2), Support: people, Contractors: people.slice(1, 2) }
for (const [name, members] of Object.entries(groups)) {
  const body = JSON.stringify({ name, description: name, members, guests: [] })
  await ask(`/organizations/${organization}/groups`, { method: 'POST', body, headers: { ...token, 'Content-Type': 'application/json', Accept: 'application/json' } })
}

const { DuckDBInstance } = createRequire(`${work}/`)('@duckdb/node-api')
const duckdb = await (await DuckDBInstance.create(':memory:')).connect()
for (const table of ['groups', 'members', 'memberships', 'membership_history', 'changes']) {
  const answer = await ask(`/v1/export/${table}.parquet`)
  execFileSync('tee', [`${work}/${table}.parquet`], { input: Buffer.from(await answer.arrayBuffer()), stdio: ['pipe', 'ignore', 'inherit'] })
  await duckdb.run(`CREATE TABLE "${table}" AS SELECT * FROM '${work}/${table}.parquet'`)
}
execFileSync('rollcall', ['snapshot', `${work}/papers.sqlite`], { stdio: 'ignore' })

const runners = {
  sh: text => execFileSync('bash', ['-euo', 'pipefail', '-c', own(text)], options).toString(),
  python: text => execFileSync('python3', ['-c', own(text)], options).toString(),
  async sql(text) {
    const server = await (await ask('/v1/query', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ sql: text, format: 'ndjson' }) })).text()
    const rows = { server, sqlite3: execFileSync('sqlite3', ['-json', `${work}/papers.sqlite`, text]).toString() }
    const duck = (await duckdb.runAndReadAll(text)).getRowObjectsJson()
    const asked = server.trim().split('\n').filter(Boolean).map(line => JSON.parse(line))
    assert.deepEqual(comparable(JSON.parse(rows.sqlite3 || '[]')), comparable(asked), text)
    assert.deepEqual(comparable(duck), comparable(asked), text)
    return server
  },
}

let ran = 0
for (const [, language, text] of page.matchAll(/^```(sh|sql|python) run\n(.*?)^```/gms)) {
  const printed = await runners[language](text)
  if (printed.trim() === '') assert.fail(`this prints nothing:\n${text}`)
  ran++
}
assert.ok(ran > 5, 'so few commands')
console.log(`${ran} commands of ${process.argv[2]} do what they say`)
