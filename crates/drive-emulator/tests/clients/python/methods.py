"""Calls every method the emulator serves, once and meaningfully."""

import io

from client import DOCUMENT, FOLDER, bea, drive, refused, same
from googleapiclient.http import MediaIoBaseUpload

PUSH = "http://127.0.0.1:9/push"


def media(content, kind="text/plain"):
    return MediaIoBaseUpload(io.BytesIO(content), mimetype=kind)


def files(ana):
    me = ana.about().get(fields="user,storageQuota,exportFormats").execute()
    same(me["user"]["emailAddress"], "ana@example.com")
    assert isinstance(me["storageQuota"]["usage"], str)
    ids = ana.files().generateIds(count=3).execute()["ids"]
    same(len(set(ids)), 3)
    folder = ana.files().create(body={"id": ids[0], "name": "novos", "mimeType": FOLDER}).execute()
    same(folder, {"kind": "drive#file", "id": ids[0], "name": "novos", "mimeType": FOLDER})
    with refused(409, "fileIdInUse"):
        ana.files().create(body={"id": ids[0], "name": "novos", "mimeType": FOLDER}).execute()
    body = {"name": "a.txt", "parents": [ids[0]], "appProperties": {"k": "v"}}
    made = ana.files().create(body=body, media_body=media(b"hello"), fields="*").execute()
    same((made["size"], made["parents"], made["appProperties"]), ("5", [ids[0]], {"k": "v"}))
    same(made["md5Checksum"], "5d41402abc4b2a76b9719d911017c592")
    same(ana.files().get_media(fileId=made["id"]).execute(), b"hello")
    same(ana.files().get(fileId=made["id"], fields="name,capabilities/canEdit").execute(), {"name": "a.txt", "capabilities": {"canEdit": True}})
    request = ana.files().list(q=f"'{ids[0]}' in parents and trashed = false", pageSize=1, fields="nextPageToken,files(id,name)")
    ana.files().create(body={"name": "b.txt", "parents": [ids[0]]}).execute()
    seen = []
    while request is not None:
        page = request.execute()
        seen += [file["name"] for file in page.get("files", [])]
        request = ana.files().list_next(request, page)
    same(sorted(seen), ["a.txt", "b.txt"])
    done = ana.files().create(body={"name": "processados", "mimeType": FOLDER}).execute()["id"]
    moved = ana.files().update(fileId=made["id"], addParents=done, removeParents=ids[0], fields="parents", body={"description": "ok"}).execute()
    same(moved, {"parents": [done]})
    copied = ana.files().copy(fileId=made["id"], body={"name": "copy.txt"}, fields="id,name,parents,size").execute()
    same((copied["name"], copied["parents"], copied["size"]), ("copy.txt", [done], "5"))
    same(ana.files().update(fileId=copied["id"], body={"trashed": True}, fields="trashed").execute(), {"trashed": True})
    ana.files().emptyTrash().execute()
    with refused(404, "notFound"):
        ana.files().get(fileId=copied["id"]).execute()
    gone = ana.files().create(body={"name": "gone.txt"}).execute()["id"]
    same(ana.files().delete(fileId=gone).execute(), "")
    with refused(404, "notFound"):
        ana.files().delete(fileId=gone).execute()
    document = ana.files().create(body={"name": "letter", "mimeType": DOCUMENT}, media_body=media(b"Dear Ana")).execute()["id"]
    assert ana.files().export(fileId=document, mimeType="application/pdf").execute().startswith(b"%PDF-")
    with refused(403, "fileNotDownloadable"):
        ana.files().get_media(fileId=document).execute()
    return made["id"]


def permissions(ana, file):
    grant = {"type": "user", "role": "reader", "emailAddress": "bea@example.com"}
    made = ana.permissions().create(fileId=file, body=grant, sendNotificationEmail=False).execute()
    same((made["type"], made["role"]), ("user", "reader"))
    same(bea().about().get(fields="user/permissionId").execute()["user"]["permissionId"], made["id"])
    same(bea().files().get_media(fileId=file).execute(), b"hello")
    with refused(403, "insufficientFilePermissions"):
        bea().files().update(fileId=file, body={"name": "mine"}).execute()
    ana.permissions().update(fileId=file, permissionId=made["id"], body={"role": "writer"}).execute()
    same(ana.permissions().get(fileId=file, permissionId=made["id"], fields="role,emailAddress").execute(), {"role": "writer", "emailAddress": "bea@example.com"})
    listed = ana.permissions().list(fileId=file, fields="permissions(role)").execute()["permissions"]
    same(sorted(entry["role"] for entry in listed), ["owner", "writer"])
    ana.permissions().delete(fileId=file, permissionId=made["id"]).execute()
    with refused(404, "notFound"):
        bea().files().get(fileId=file).execute()


def revisions(ana, file):
    ana.files().update(fileId=file, media_body=media(b"hello again")).execute()
    listed = ana.revisions().list(fileId=file, fields="revisions(id,size,keepForever)").execute()["revisions"]
    same([revision["size"] for revision in listed], ["5", "11"])
    first = listed[0]["id"]
    same(ana.revisions().get_media(fileId=file, revisionId=first).execute(), b"hello")
    same(ana.revisions().update(fileId=file, revisionId=first, body={"keepForever": True}, fields="keepForever").execute(), {"keepForever": True})
    same(ana.revisions().get(fileId=file, revisionId=first, fields="keepForever").execute(), {"keepForever": True})
    ana.revisions().delete(fileId=file, revisionId=first).execute()
    with refused(404, "notFound"):
        ana.revisions().get(fileId=file, revisionId=first).execute()


def drives(ana):
    made = ana.drives().create(requestId="once", body={"name": "Field"}).execute()["id"]
    with refused(409, "teamDriveAlreadyExists"):
        ana.drives().create(requestId="once", body={"name": "Field"}).execute()
    same(ana.drives().update(driveId=made, body={"name": "Fieldwork"}, fields="name").execute(), {"name": "Fieldwork"})
    same(ana.drives().hide(driveId=made).execute()["id"], made)
    same(ana.drives().get(driveId=made, fields="hidden").execute(), {"hidden": True})
    ana.drives().unhide(driveId=made).execute()
    same([entry["name"] for entry in ana.drives().list().execute()["drives"]], ["Fieldwork"])
    inside = ana.files().create(body={"name": "in.txt", "parents": [made]}, supportsAllDrives=True).execute()
    same(inside["driveId"], made)
    with refused(404, "notFound"):
        ana.files().get(fileId=inside["id"]).execute()
    everything = dict(corpora="drive", driveId=made, includeItemsFromAllDrives=True, supportsAllDrives=True)
    same([file["name"] for file in ana.files().list(**everything).execute()["files"]], ["in.txt"])
    ana.files().delete(fileId=inside["id"], supportsAllDrives=True).execute()
    ana.drives().delete(driveId=made).execute()


def changes(ana, file):
    token = ana.changes().getStartPageToken().execute()["startPageToken"]
    ana.files().update(fileId=file, body={"name": "renamed.txt"}).execute()
    page = ana.changes().list(pageToken=token, fields="*").execute()
    same([(change["fileId"], change["file"]["name"], change["removed"]) for change in page["changes"]], [(file, "renamed.txt", False)])
    channel = {"id": "changes-1", "type": "web_hook", "address": PUSH}
    watching = ana.changes().watch(pageToken=page["newStartPageToken"], body=channel).execute()
    same((watching["kind"], watching["id"]), ("api#channel", "changes-1"))
    ana.channels().stop(body={"id": "changes-1", "resourceId": watching["resourceId"]}).execute()
    watching = ana.files().watch(fileId=file, body=dict(channel, id="file-1")).execute()
    ana.channels().stop(body={"id": "file-1", "resourceId": watching["resourceId"]}).execute()
    with refused(404, "notFound"):
        ana.channels().stop(body={"id": "file-1", "resourceId": watching["resourceId"]}).execute()


ana = drive()
file = files(ana)
permissions(ana, file)
revisions(ana, file)
drives(ana)
changes(ana, file)
