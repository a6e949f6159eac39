"""Uploads: simple, multipart and resumable, in one piece and in chunks, of known and unknown length, of nothing."""

import hashlib
import io
import random

from client import drive, same
from googleapiclient.http import MediaInMemoryUpload, MediaIoBaseUpload

UNIT = 256 * 1024
NOTHING = hashlib.md5(b"").hexdigest()


class Pipe(MediaIoBaseUpload):
    """A stream whose length nobody knows before its end."""

    def __init__(self, content, chunksize):
        super().__init__(io.BytesIO(content), "application/pdf", chunksize=chunksize, resumable=True)

    def size(self):
        return None

    def has_stream(self):
        return False


def content(size):
    return random.Random(size).randbytes(size)


def uploaded(media, name="file.bin", **body):
    request = ana.files().create(body={"name": name, **body}, media_body=media, fields="id,name,size,md5Checksum,mimeType")
    if not media.resumable():
        return request.execute(), 0
    answer, steps = None, 0
    while answer is None:
        _, answer = request.next_chunk()
        steps += 1
    return answer, steps


def holds(file, wanted):
    same((file["size"], file["md5Checksum"]), (str(len(wanted)), hashlib.md5(wanted).hexdigest()))
    same(ana.files().get_media(fileId=file["id"]).execute(), wanted)


ana = drive()

# uploadType=media: bytes without a word about them.
file = ana.files().create(media_body=MediaInMemoryUpload(b"just bytes", "text/plain"), fields="id,name,size,md5Checksum,mimeType").execute()
same((file["name"], file["mimeType"]), ("Untitled", "text/plain"))
holds(file, b"just bytes")

# multipart, with line ends and something that looks like a boundary in the bytes.
for odd in (b"\r\n--\n\r\n--===", b"", content(70_000), b"line\r\n"):
    file, _ = uploaded(MediaInMemoryUpload(odd, "application/octet-stream"), name="Relatório / 'ção'.bin")
    same(file["name"], "Relatório / 'ção'.bin")
    holds(file, odd)

# Resumable: several chunks, exactly two units, one piece, one byte.
for size, chunksize, steps in ((3 * UNIT + 17, UNIT, 4), (2 * UNIT, UNIT, 2), (600_000, -1, 1), (1, UNIT, 1)):
    wanted = content(size)
    media = MediaIoBaseUpload(io.BytesIO(wanted), "application/pdf", chunksize=chunksize, resumable=True)
    file, taken = uploaded(media)
    same((taken, file["mimeType"]), (steps, "application/pdf"))
    holds(file, wanted)

# Of unknown length: the total comes with the last chunk.
wanted = content(2 * UNIT + 1)
file, taken = uploaded(Pipe(wanted, UNIT))
same(taken, 3)
holds(file, wanted)

# Of nothing at all, by every way.
for media in (
    MediaInMemoryUpload(b"", "text/plain"),
    MediaIoBaseUpload(io.BytesIO(b""), "text/plain", resumable=True),
    MediaIoBaseUpload(io.BytesIO(b""), "text/plain", chunksize=UNIT, resumable=True),
):
    file, _ = uploaded(media)
    same((file["size"], file["md5Checksum"]), ("0", NOTHING))

# New bytes for a file: the same file, a new revision.
before = ana.files().get(fileId=file["id"], fields="headRevisionId").execute()["headRevisionId"]
for media in (MediaInMemoryUpload(b"second", "text/plain"), MediaIoBaseUpload(io.BytesIO(content(UNIT + 1)), "text/plain", chunksize=UNIT, resumable=True)):
    request = ana.files().update(fileId=file["id"], body={"description": "new"}, media_body=media, fields="id,size,headRevisionId,description")
    answer = request.execute()
    same((answer["id"], answer["size"], answer["description"]), (file["id"], str(media.size()), "new"))
    assert answer["headRevisionId"] != before
    before = answer["headRevisionId"]
