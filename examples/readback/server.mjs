// What Rollcall answers, and rows in a form in which they can be compared.
import assert from 'node:assert/strict'

const server = process.env.ROLLCALL_SERVER
export const work = process.env.WORK
export const organization = process.env.TALLYFY_ORG_ID
export const token = { Authorization: `Bearer ${process.env.TALLYFY_ACCESS_TOKEN}` }

// ask returns an answer, which must be a success.
export async function ask(path, options = {}) {
  const answer = await fetch(server + path, options)
  if (!answer.ok) assert.fail(`${options.method ?? 'GET'} ${path}: ${answer.status} ${await answer.text()}`)
  return answer
}

// list reads a list to its end. Every row gets the columns that each row of a
// file has.
export async function list(path, limit = 100) {
  const rows = []
  for (let cursor = ''; cursor !== null;) {
    const page = await (await ask(`${path}?limit=${limit}${cursor && `&cursor=${cursor}`}`)).json()
    const about = { organization_id: organization, revision: page.revision, published_at: page.published_at }
    rows.push(...page.data.map(row => ({ ...row, ...about })))
    cursor = page.next_cursor
  }
  return rows
}

const instant = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00(:?00)?)?$/

// plain is a value without what formats write differently: numbers are texts,
// instants have one notation, an empty text is null, as it is in CSV.
function plain(value) {
  if (value === null || value === undefined || value === '') return null
  if (typeof value === 'string' && instant.test(value)) {
    return new Date(value.replace(' ', 'T').replace(/(Z|\+00(:?00)?)?$/, '') + 'Z').toISOString()
  }
  return String(value)
}

// comparable sorts rows and the fields in them.
export function comparable(rows, fields = Object.keys(rows[0] ?? {})) {
  const sorted = [...fields].sort()
  return rows.map(row => JSON.stringify(sorted.map(field => [field, plain(row[field])]))).sort()
}

// same holds rows against others, field by field, of all that the others have.
export function same(rows, wanted, what) {
  assert.ok(wanted.length > 0, `${what}: there is nothing to compare with`)
  assert.deepEqual(Object.keys(rows[0]).sort(), Object.keys(wanted[0]).sort(), `${what}: columns`)
  assert.deepEqual(comparable(rows), comparable(wanted), what)
  console.log(`${what}: ${rows.length} rows`)
}
