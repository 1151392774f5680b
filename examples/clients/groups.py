"""The life of a group over Tallyfy's API with Python's own library."""
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request

BASE = "{TALLYFY_BASE_URL}/organizations/{TALLYFY_ORG_ID}/".format(**os.environ)
HEADERS = {
    "Authorization": "Bearer " + os.environ["TALLYFY_ACCESS_TOKEN"],
    "Accept": "application/json",
    "X-Tallyfy-Client": "APIClient",
}


def call(method, path, params=None, body=None):
    url = BASE + path + ("?" + urllib.parse.urlencode(params) if params else "")
    headers, data = dict(HEADERS), None
    if body is not None:
        headers["Content-Type"] = "application/json"
        data = json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            status, text = response.status, response.read()
    except urllib.error.HTTPError as refused:
        status, text = refused.code, refused.read()
    return status, json.loads(text) if text else None


def check(what, holds, answer):
    if not holds:
        sys.exit(f"{what}: {answer}")
    print("ok", what)


def groups_of(user):
    groups = user["groups"]
    return groups["data"] if isinstance(groups, dict) else groups


answer = call("GET", "groups", {"with": "assets"})
check("list groups", answer[0] == 200 and all(isinstance(g["members"], list) for g in answer[1]["data"]), answer)

answer = call("GET", "users", {"with": "groups", "page": 1, "per_page": 25})
users = answer[1]["data"]
check("list members with groups", answer[0] == 200 and all(isinstance(groups_of(u), list) for u in users), answer)

crew = [u["id"] for u in users if u["status"] != "disabled"][:2]
wanted = {"name": f"Crew of groups.py {os.getpid()}", "description": "Made by an example", "members": crew, "guests": ["crew@py.test"]}
answer = call("POST", "groups", body=wanted)
check("create group", answer[0] in (200, 201) and answer[1]["data"]["name"] == wanted["name"], answer)
path = "groups/" + answer[1]["data"]["id"]

answer = call("GET", path)
check("get group", answer[0] == 200 and sorted(map(int, answer[1]["data"]["members"])) == sorted(map(int, crew)), answer)

answer = call("PUT", path, body={**wanted, "members": crew[:1]})
check("update group", answer[0] in (200, 201) and len(answer[1]["data"]["members"]) == 1, answer)

answer = call("DELETE", path)
check("delete group", answer[0] in (200, 204), answer)

answer = call("GET", path)
check("get it no more", answer[0] == 404, answer)
