"""What the scripts share: Google's client, built from Google's own description, only the address changed."""

import contextlib
import json
import os
from importlib import resources

import httplib2
from google.oauth2.credentials import Credentials
from google_auth_httplib2 import AuthorizedHttp
from googleapiclient.discovery import build_from_document
from googleapiclient.errors import HttpError

URL = os.environ["EMULATOR_URL"]
FOLDER = "application/vnd.google-apps.folder"
DOCUMENT = "application/vnd.google-apps.document"


def drive(credentials=None, timeout=60):
    """A client of the emulator; as Ana unless told otherwise. It gives up on an answer after so many seconds."""
    text = resources.files("googleapiclient").joinpath("discovery_cache/documents/drive.v3.json").read_text("utf-8")
    document = json.loads(text)
    document["rootUrl"] = URL + "/"
    document["baseUrl"] = URL + "/drive/v3/"
    document.pop("mtlsRootUrl", None)
    http = AuthorizedHttp(credentials or Credentials(os.environ["TOKEN"]), http=httplib2.Http(timeout=timeout))
    # As the client's own `build_http` does: a 308 of an upload is no redirect.
    http.redirect_codes = http.redirect_codes - {308}
    return build_from_document(document, http=http)


def bea():
    """A client with Bea's token."""
    return drive(Credentials(os.environ["TOKEN_BEA"]))


@contextlib.contextmanager
def refused(status, reason):
    """Holds that what is done inside is refused like this, in a body the client can read."""
    try:
        yield
    except HttpError as error:
        assert error.resp.status == status, (error.resp.status, error.content)
        reasons = [detail.get("reason") for detail in error.error_details]
        assert reason in reasons, (reason, error.error_details, error.content)
    else:
        raise AssertionError(f"not refused with {status} {reason}")


def same(found, wanted):
    """An assert that tells both sides."""
    assert found == wanted, f"found {found!r}, wanted {wanted!r}"
