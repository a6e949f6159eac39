"""Batches of calls, some of which fail, and lists whose query does not fit into an address."""

import json

from client import drive, same
from googleapiclient.errors import HttpError

ana = drive()
answers, refusals = {}, {}


def heard(name, answer, error):
    (refusals if error else answers)[name] = error or answer


batch = ana.new_batch_http_request(callback=heard)
for number in range(98):
    batch.add(ana.files().create(body={"name": f"{number}.txt", "description": "Olá, \"ção\"\n"}), request_id=f"make {number}")
batch.add(ana.files().get(fileId="nowhere"), request_id="get")
batch.add(ana.about().get(fields="user"), request_id="about")
batch.execute()
same((len(answers), list(refusals)), (99, ["get"]))
assert isinstance(refusals["get"], HttpError) and refusals["get"].resp.status == 404
same(json.loads(refusals["get"].content)["error"]["errors"][0]["reason"], "notFound")
same(answers["about"]["user"]["emailAddress"], "ana@example.com")
for number in range(98):
    same(answers[f"make {number}"]["name"], f"{number}.txt")

# Ids given by the client itself, and several kinds of calls.
made = answers["make 0"]["id"]
answers, refusals = {}, {}
batch = ana.new_batch_http_request(callback=heard)
batch.add(ana.permissions().create(fileId=made, body={"type": "user", "role": "reader", "emailAddress": "bea@example.com"}))
batch.add(ana.files().update(fileId=made, body={"name": "first.txt"}, fields="name"))
batch.add(ana.files().delete(fileId=made + "x"))
batch.execute()
same(sorted(answer.get("name", answer.get("role")) for answer in answers.values()), ["first.txt", "reader"])
same([error.resp.status for error in refusals.values()], [404])

# A list of more than 2048 characters is posted.
query = " or ".join(f"name = '{number}.txt'" for number in range(200))
assert len(query) > 2048
names, page = [], ana.files().list(q=query, pageSize=50, fields="nextPageToken,files/name")
while page is not None:
    answer = page.execute()
    names += [file["name"] for file in answer["files"]]
    page = ana.files().list_next(page, answer)
same(len(names), 97)

# In a batch as well.
answers, refusals = {}, {}
batch = ana.new_batch_http_request(callback=heard)
batch.add(ana.files().list(q="name = '3.txt'", fields="files/name"), request_id="list")
batch.execute()
same((answers, refusals), ({"list": {"files": [{"name": "3.txt"}]}}, {}))
