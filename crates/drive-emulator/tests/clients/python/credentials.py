"""Credentials as files: a service account as itself and for a person, and a person's refresh token."""

import io
import json
import os

import google.auth.exceptions
from client import FOLDER, drive, refused, same
from google.auth.transport.requests import Request
from google.oauth2 import credentials, service_account
from googleapiclient.http import MediaIoBaseUpload

SCOPE = ["https://www.googleapis.com/auth/drive"]
key = json.loads(os.environ["KEY"])
robot = service_account.Credentials.from_service_account_info(key, scopes=SCOPE)


def whoami(client):
    return client.about().get(fields="user/emailAddress").execute()["user"]["emailAddress"]


client = drive(robot)
same(whoami(client), key["client_email"])
folder = client.files().create(body={"name": "robot's", "mimeType": FOLDER}, fields="id,ownedByMe").execute()
same(folder["ownedByMe"], True)
with refused(403, "storageQuotaExceeded"):
    media = MediaIoBaseUpload(io.BytesIO(b"bytes"), "text/plain")
    client.files().create(body={"name": "a.txt", "parents": [folder["id"]]}, media_body=media).execute()

as_ana = drive(robot.with_subject("ana@example.com"))
same(whoami(as_ana), "ana@example.com")
media = MediaIoBaseUpload(io.BytesIO(b"bytes"), "text/plain")
same(as_ana.files().create(body={"name": "a.txt"}, media_body=media, fields="ownedByMe").execute(), {"ownedByMe": True})

try:
    robot.with_subject("bea@example.com").refresh(Request())
    raise AssertionError("nobody allowed the robot to act for Bea")
except google.auth.exceptions.RefreshError as error:
    assert "unauthorized_client" in str(error), error

readonly = service_account.Credentials.from_service_account_info(key, scopes=[SCOPE[0] + ".readonly"])
with refused(403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT"):
    drive(readonly).files().create(body={"name": "b.txt"}).execute()

# A person's file names no address of its own here, so the client is told the emulator's.
person = credentials.Credentials.from_authorized_user_info(json.loads(os.environ["PERSON"]), SCOPE)
person = person.with_token_uri(key["token_uri"])
same(whoami(drive(person)), "bea@example.com")

# Told 401, the client looks for a way to get another token and finds none.
try:
    whoami(drive(credentials.Credentials("made up")))
    raise AssertionError("an invented token is good for nothing")
except google.auth.exceptions.RefreshError:
    pass
