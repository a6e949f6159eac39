"""What tecnico replaces, written today: a plain script on Google's own client, one call after another.

    script.py --key key.json --parent ID --vm DIR provision people.csv
    script.py --key key.json --parent ID --vm DIR process
    script.py --key key.json --parent ID --vm DIR sweep

Where it would talk to Google it talks to --url. It keeps what it made in DIR/tecnicos.json.
"""

import argparse
import csv
import json
import pathlib

from google.oauth2 import service_account
from googleapiclient.discovery import build
from googleapiclient.http import MediaIoBaseDownload

FOLDER = "application/vnd.google-apps.folder"
# Rate limits and server errors are tried again, with the client's own growing waits.
RETRIES = 6


def connect(args):
    credentials = service_account.Credentials.from_service_account_file(args.key, scopes=["https://www.googleapis.com/auth/drive"])
    return build("drive", "v3", credentials=credentials, client_options={"api_endpoint": f"{args.url}/drive/v3/"}, cache_discovery=False)


def find_folder(drive, name, parent):
    """The id of a folder, or None."""
    quoted = name.replace("\\", "\\\\").replace("'", "\\'")
    query = f"name = '{quoted}' and '{parent}' in parents and mimeType = '{FOLDER}' and trashed = false"
    found = drive.files().list(q=query, fields="files(id)", supportsAllDrives=True, includeItemsFromAllDrives=True).execute(num_retries=RETRIES)
    return found["files"][0]["id"] if found["files"] else None


def make_folder(drive, name, parent):
    body = {"name": name, "mimeType": FOLDER, "parents": [parent]}
    return drive.files().create(body=body, fields="id", supportsAllDrives=True).execute(num_retries=RETRIES)["id"]


def files_in(drive, folder):
    """Every file of a folder."""
    request = drive.files().list(
        q=f"'{folder}' in parents and trashed = false",
        fields="nextPageToken, files(id, name)",
        pageSize=1000,
        supportsAllDrives=True,
        includeItemsFromAllDrives=True,
    )
    while request is not None:
        page = request.execute(num_retries=RETRIES)
        yield from page["files"]
        request = drive.files().list_next(request, page)


def provision(drive, args):
    """The tree of each technician on both sides, and novos shared."""
    made = []
    for person in csv.DictReader(open(args.people, encoding="utf-8")):
        name = person["name"].replace(" ", "_")
        local = args.vm / name
        for folder in ("novos", "processados", "erro"):
            (local / "pdfs" / folder).mkdir(parents=True, exist_ok=True)
        if find_folder(drive, name, args.parent):
            continue
        root = make_folder(drive, name, args.parent)
        pdfs = make_folder(drive, "pdfs", root)
        novos = make_folder(drive, "novos", pdfs)
        make_folder(drive, "processados", pdfs)
        make_folder(drive, "erro", pdfs)
        grant = {"type": "user", "role": "writer", "emailAddress": person["email"]}
        drive.permissions().create(fileId=novos, body=grant, sendNotificationEmail=False, supportsAllDrives=True).execute(num_retries=RETRIES)
        made.append({"nome": person["name"], "email": person["email"], "pasta_vm": str(local), "pasta_drive_id": root, "pasta_novos_id": novos})
        (args.vm / "tecnicos.json").write_text(json.dumps(made, indent=2, ensure_ascii=False), encoding="utf-8")


def technicians(args):
    return json.loads((args.vm / "tecnicos.json").read_text(encoding="utf-8"))


def process(drive, args):
    """Each file of each novos: down to the VM, then to processados."""
    for technician in technicians(args):
        local = pathlib.Path(technician["pasta_vm"]) / "pdfs"
        done = None
        for file in files_in(drive, technician["pasta_novos_id"]):
            done = done or find_folder(drive, "processados", find_folder(drive, "pdfs", technician["pasta_drive_id"]))
            with open(local / "novos" / file["name"], "wb") as target:
                download = MediaIoBaseDownload(target, drive.files().get_media(fileId=file["id"], supportsAllDrives=True))
                finished = False
                while not finished:
                    _, finished = download.next_chunk(num_retries=RETRIES)
            drive.files().update(
                fileId=file["id"], addParents=done, removeParents=technician["pasta_novos_id"], fields="id", supportsAllDrives=True
            ).execute(num_retries=RETRIES)
            (local / "novos" / file["name"]).rename(local / "processados" / file["name"])


def sweep(drive, args):
    """Looks whether anything is there."""
    found = sum(1 for technician in technicians(args) for _ in files_in(drive, technician["pasta_novos_id"]))
    print(found, "files")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", default="https://www.googleapis.com")
    parser.add_argument("--key", required=True)
    parser.add_argument("--parent", required=True)
    parser.add_argument("--vm", type=pathlib.Path, required=True)
    tasks = parser.add_subparsers(required=True)
    tasks.add_parser("process").set_defaults(task=process)
    tasks.add_parser("sweep").set_defaults(task=sweep)
    provisioning = tasks.add_parser("provision")
    provisioning.add_argument("people")
    provisioning.set_defaults(task=provision)
    args = parser.parse_args()
    args.task(connect(args), args)


if __name__ == "__main__":
    main()
