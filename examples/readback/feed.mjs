// Takes exports, changes the organisation, and brings what was exported up to
// date by the feed: it must then be what the lists answer.
import assert from 'node:assert/strict'
import { ask, list, organization, token } from './server.mjs'

const lines = async answer => (await answer.text()).trimEnd().split('\n').map(line => JSON.parse(line))
const edge = row => [row.group_id, row.member_id ?? row.email.toLowerCase()].join(' ')

// State is who there is, which groups, and who is in them, with the names.
const state = (groups, members, memberships) => ({
  groups: new Map(groups.map(g => [g.id, g.name])),
  members: new Set(members.map(m => m.id)),
  edges: new Set(memberships.map(edge)),
})

const files = []
for (const table of ['groups', 'members', 'memberships']) files.push(await ask(`/v1/export/${table}.ndjson`))
const cursors = new Set(files.map(file => file.headers.get('Rollcall-Cursor')))
assert.equal(cursors.size, 1, 'the files are of one revision')
const copy = state(...await Promise.all(files.map(lines)))

// Changes through Rollcall, by Tallyfy's own calls and by safe edits, and in
// Tallyfy itself, which the demonstration stirs every few seconds.
const send = (method, path, body) => ask(path, { method, body: body && JSON.stringify(body), headers: { ...token, 'Content-Type': 'application/json', Accept: 'application/json' } })
const [one, two] = [...copy.members]
const made = (await (await send('POST', `/organizations/${organization}/groups`, { name: 'Night shift 2', description: 'x', members: [one], guests: [] })).json()).data
await send('PUT', `/v1/groups/${made.id}/members/${two}`)
await send('PUT', `/v1/groups/${made.id}/guests/new.guest@example.com`)
await send('DELETE', `/v1/groups/${made.id}/members/${one}`)
await send('PATCH', `/v1/groups/${made.id}`, { name: 'Day shift 2' })
const [emptied] = copy.groups.keys()
await send('DELETE', `/organizations/${organization}/groups/${emptied}`)
for (let n = 0; n < 3; n++) await send('POST', '/v1/sync?wait=60s')

// follow applies changes up to the end of the feed.
let applied = 0
for (let after = [...cursors][0]; after !== null;) {
  const page = await (await ask(`/v1/changes?after=${after}`)).json()
  for (const change of page.data) apply(change)
  applied += page.data.length
  after = page.next_cursor
}

function apply(change) {
  switch (change.type) { // others change what is not copied here
    case 'group.created': return copy.groups.set(change.group_id, change.group_name)
    case 'group.updated': return copy.groups.set(change.group_id, change.group_name)
    case 'group.deleted': return copy.groups.delete(change.group_id)
    case 'member.created': return copy.members.add(change.member_id)
    case 'member.deleted': return copy.members.delete(change.member_id)
    case 'membership.added': case 'guest_membership.added':
      assert.ok(!copy.edges.has(edge(change)), `${edge(change)} is added twice`)
      return copy.edges.add(edge(change))
    case 'membership.removed': case 'guest_membership.removed':
      assert.ok(copy.edges.delete(edge(change)), `${edge(change)} is removed and was not there`)
  }
}

const present = state(await list('/v1/groups'), await list('/v1/members'), await list('/v1/memberships'))
for (const what of Object.keys(present)) assert.deepEqual([...copy[what]].sort(), [...present[what]].sort(), what)
assert.ok(applied >= 6, 'so few changes')
console.log(`exports and ${applied} changes give the present`)
