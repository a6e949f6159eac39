"""A client of the old API as the backend has it: address and key from the environment, JSON, an exception from 400 on."""
import json, os, time, urllib.error, urllib.request

URL, KEY = os.environ["VM_API_URL"].rstrip("/"), os.environ["VM_API_KEY"]


def call(method, path, data=None, key=KEY):
    body = None if data is None else json.dumps(data).encode()
    request = urllib.request.Request(URL + path, data=body, method=method)
    request.add_header("Content-Type", "application/json")
    if key:
        request.add_header("X-API-Key", key)
    with urllib.request.urlopen(request, timeout=120) as answer:
        assert answer.headers["Content-Type"] == "application/json"
        return answer.status, json.load(answer)


def refused(*args, **kwargs):
    try:
        call(*args, **kwargs)
    except urllib.error.HTTPError as error:
        return [error.code, json.load(error)]
    raise AssertionError(f"{args} was not refused")


def ended(job):
    for _ in range(600):
        answer = call("GET", f"/api/status/{job}")[1]
        if answer["status"] in ("success", "error"):
            return answer
        assert answer["status"] in ("accepted", "running"), answer
        time.sleep(0.1)
    raise AssertionError("it does not end")


ana = {"user_id": "42", "user_email": "ana@example.com", "user_name": "Ana Maria"}
said = {"health": call("GET", "/api/health", key=None)}
said["before"] = call("POST", "/api/folders/status", {"user_id": "42"})
said["created"] = call("POST", "/api/folders/create", {**ana, "async": False})
said["after"] = call("POST", "/api/folders/status", {"user_email": "ana@example.com"})
said["accepted"] = call("POST", "/api/folders/create", ana)
said["ended"] = ended(said["accepted"][1]["job_id"])
said["process"] = call("POST", "/api/folders/process", {"user_id": "42", "async": True})
said["processed"] = ended(said["process"][1]["job_id"])
said["no key"] = refused("POST", "/api/folders/create", ana, key=None)
said["wrong key"] = refused("POST", "/api/folders/create", ana, key="wrong")
said["no field"] = refused("POST", "/api/folders/create", {"user_id": "42"})
said["no data"] = refused("POST", "/api/folders/create")
said["unknown"] = refused("GET", "/api/status/job_unknown")
print(json.dumps(said))
