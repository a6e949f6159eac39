"""Lists a tree with Google's own client: URL of Drive, a service account's key file, the folder to begin at."""
import json
import os
import sys

import googleapiclient
from google.oauth2.service_account import Credentials
from googleapiclient.discovery import build_from_document

url, key, parent = sys.argv[1:]
path = os.path.join(os.path.dirname(googleapiclient.__file__), "discovery_cache/documents/drive.v3.json")
with open(path) as file:
    document = json.load(file)
document["rootUrl"], document["baseUrl"] = url + "/", url + "/drive/v3/"
document.pop("mtlsRootUrl", None)
login = Credentials.from_service_account_file(key, scopes=["https://www.googleapis.com/auth/drive"])
drive = build_from_document(document, credentials=login)
tree, todo = {}, [("", parent)]
while todo:
    above, folder = todo.pop()
    query = f"'{folder}' in parents and trashed = false"
    page = drive.files().list(q=query, fields="files(id,name,permissions(emailAddress,role))").execute()
    for found in page["files"]:
        name = above + found["name"]
        roles = [p["role"] for p in found["permissions"] if p["emailAddress"] == "ana@example.com"]
        tree[name] = {"id": found["id"], "roles": roles}
        todo.append((name + "/", found["id"]))
print(json.dumps(tree))
