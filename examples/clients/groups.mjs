// The life of a group over Tallyfy's API with fetch (Node.js 18 or later).
const { TALLYFY_BASE_URL: base, TALLYFY_ACCESS_TOKEN: token, TALLYFY_ORG_ID: org } = process.env;

async function call(method, path, body) {
  const headers = new Headers();
  headers.append('Authorization', `Bearer ${token}`);
  headers.append('Accept', 'application/json');
  headers.append('X-Tallyfy-Client', 'APIClient');
  if (body) headers.append('Content-Type', 'application/json');
  const response = await fetch(`${base}/organizations/${org}/${path}`, { method, headers, body: body && JSON.stringify(body) });
  const text = await response.text();
  return { ok: response.ok, status: response.status, json: text ? JSON.parse(text) : null };
}

function check(what, holds, answer) {
  if (!holds) throw new Error(`${what}: ${answer.status} ${JSON.stringify(answer.json)}`);
  console.log(`ok ${what}`);
}

const groups = await call('GET', 'groups?with=assets');
check('list groups', groups.ok && groups.json.data.every((g) => g.id && g.name && Array.isArray(g.members)), groups);

const users = await call('GET', 'users?with=groups');
const groupsOf = (user) => user.groups.data ?? user.groups;
check('list members with groups', users.ok && users.json.data.every((u) => u.email && Array.isArray(groupsOf(u))), users);

const [first, second] = users.json.data.filter((u) => u.status !== 'disabled').map((u) => u.id);
const wanted = { name: `Crew of groups.mjs ${process.pid}`, description: 'Made by an example', members: [first, second], guests: ['crew@mjs.test'] };
const created = await call('POST', 'groups', wanted);
check('create group', created.ok && created.json.data.name === wanted.name, created);
const path = `groups/${created.json.data.id}`;

const read = await call('GET', path);
const members = read.json.data?.members.map(Number).sort();
check('get group', read.ok && String(members) === String([first, second].map(Number).sort()), read);

const renamed = await call('PUT', path, { ...wanted, members: [first] });
check('update group', renamed.ok && renamed.json.data.members.length === 1, renamed);

const deleted = await call('DELETE', path);
check('delete group', deleted.status === 200 || deleted.status === 204, deleted);

const gone = await call('GET', path);
check('get it no more', gone.status === 404 && !gone.ok, gone);
