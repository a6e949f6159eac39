"""An upload that meets an error, loses an answer, and is gone on with by a second program."""

import hashlib
import http.client
import os
import random
import tempfile

import httplib2
from client import drive, same
from googleapiclient.errors import HttpError
from googleapiclient.http import HttpRequest, MediaFileUpload

UNIT = 256 * 1024
BYTES = random.Random(7).randbytes(6 * UNIT + 5)

with tempfile.TemporaryDirectory() as directory:
    path = os.path.join(directory, "resumed.bin")
    with open(path, "wb") as file:
        file.write(BYTES)
    media = MediaFileUpload(path, "application/pdf", chunksize=UNIT, resumable=True)
    # The client sends a request whose answer was lost again, without its bytes, and waits: not for long here.
    ana = drive(timeout=12)
    request = ana.files().create(body={"name": "resumed.bin"}, media_body=media, fields="id,size,md5Checksum")
    status, _ = request.next_chunk()
    same(status.resumable_progress, UNIT)

    # The second chunk is answered 503; asked how far it got, the session says: one unit.
    try:
        request.next_chunk()
        raise AssertionError("the 503 is not seen")
    except HttpError as error:
        same(error.resp.status, 503)
    status, _ = request.next_chunk()
    same(status.resumable_progress, 2 * UNIT)

    # The answer to the third is lost after its bytes were kept: they are not sent again.
    try:
        request.next_chunk()
        raise AssertionError("the lost answer is not seen")
    except (OSError, httplib2.HttpLib2Error, http.client.HTTPException):
        pass
    status, _ = request.next_chunk()
    same(status.resumable_progress, 4 * UNIT)

    # A second program goes on from what the first one wrote down.
    second = HttpRequest.from_json(request.to_json(), ana._http, request.postproc)
    answer = None
    while answer is None:
        _, answer = second.next_chunk()
    same((answer["size"], answer["md5Checksum"]), (str(len(BYTES)), hashlib.md5(BYTES).hexdigest()))
