"""Downloads as a stream, piece by piece, of large files, empty ones, old revisions and exports."""

import io
import random

from client import DOCUMENT, drive, same
from googleapiclient.http import MediaInMemoryUpload, MediaIoBaseDownload

BYTES = random.Random(11).randbytes(1_300_001)


def fetched(request, chunksize):
    target, done, steps = io.BytesIO(), False, 0
    loader = MediaIoBaseDownload(target, request, chunksize=chunksize)
    while not done:
        status, done = loader.next_chunk()
        steps += 1
    return target.getvalue(), steps, status


ana = drive()
file = ana.files().create(body={"name": "large.bin"}, media_body=MediaInMemoryUpload(BYTES, "application/octet-stream")).execute()["id"]
found, steps, status = fetched(ana.files().get_media(fileId=file), 300_000)
same((found == BYTES, steps, status.total_size), (True, 5, len(BYTES)))
found, steps, _ = fetched(ana.files().get_media(fileId=file), 100 << 20)
same((found == BYTES, steps), (True, 1))

empty = ana.files().create(body={"name": "empty"}, media_body=MediaInMemoryUpload(b"", "text/plain")).execute()["id"]
same(fetched(ana.files().get_media(fileId=empty), 300_000)[0], b"")

first = ana.revisions().list(fileId=file).execute()["revisions"][0]["id"]
ana.files().update(fileId=file, media_body=MediaInMemoryUpload(b"new", "application/octet-stream")).execute()
same(fetched(ana.revisions().get_media(fileId=file, revisionId=first), 1 << 20)[0] == BYTES, True)
same(fetched(ana.files().get_media(fileId=file), 1 << 20)[0], b"new")

document = ana.files().create(body={"name": "letter", "mimeType": DOCUMENT}, media_body=MediaInMemoryUpload(b"Dear Ana", "text/plain")).execute()["id"]
same(fetched(ana.files().export_media(fileId=document, mimeType="text/plain"), 1 << 20)[0], b"Dear Ana")
