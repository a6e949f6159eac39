"""What the client retries by itself, and what it tells about the rest."""

from client import bea, drive, refused, same

ana = drive()
# Each of these is refused once on purpose.
same(ana.about().get(fields="kind").execute(num_retries=2), {"kind": "drive#about"})
same(len(ana.files().generateIds(count=1).execute(num_retries=2)["ids"]), 1)
same(ana.drives().list().execute(num_retries=2)["drives"], [])

file = ana.files().create(body={"name": "a.txt"}).execute()["id"]
with refused(404, "notFound"):
    bea().files().get(fileId=file).execute()
with refused(400, "invalid"):
    ana.files().list(q="name is what").execute()
with refused(400, "invalidParameter"):
    ana.files().get(fileId=file, fields="nonsense").execute()
with refused(400, "invalidParameter"):
    ana.files().list(pageSize=1001).execute()
with refused(403, "supportsTeamDrivesRequired"):
    ana.files().list(includeItemsFromAllDrives=True).execute()
with refused(400, "required"):
    ana.changes().list(pageToken="").execute()
with refused(403, "fieldNotWritable"):
    ana.files().update(fileId=file, body={"parents": ["root"]}).execute()
with refused(400, "invalid"):
    ana.changes().list(pageToken="nonsense").execute()
with refused(404, "notFound"):
    ana.files().create(body={"name": "b.txt", "parents": ["nowhere"]}).execute()
