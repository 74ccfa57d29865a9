"""Logs in with the official client, without a token: log_in.py VERSION"""

import json
import os
import pathlib
import shlex
import sys

(version,) = sys.argv[1:]

# The client opens its page in a browser. This one only asks for it.
page = pathlib.Path(os.environ["HOME"]) / "browser.py"
page.write_text("import sys, urllib.request as web; assert b'logged in' in web.urlopen(sys.argv[1]).read()")
os.environ["BROWSER"] = f"{shlex.quote(sys.executable)} {shlex.quote(str(page))} %s"

import redivis
from redivis.common import auth

assert redivis.__version__ == version, redivis.__version__
credentials = pathlib.Path(os.environ["HOME"]) / ".redivis/python_credentials"


def read():
    # Several streams are read at once, in any order.
    rows = sorted(redivis.table("o.d.t").to_arrow_table()["n"].to_pylist())
    assert rows == [1, 2], rows
    return json.loads(credentials.read_text())


assert not credentials.exists()
first = read()
assert read() == first
assert auth.get_current_credential_scope() == ["data.edit", "organization.write", "workflow.write"]
assert redivis.current_user().name == "ann"

# Access that ends is renewed.
auth.cached_credentials["expires_at"] = 0
second = read()
assert second["access_token"] != first["access_token"]
assert second["refresh_token"] == first["refresh_token"]
assert second["expires_at"] > 1e9

# What cannot be renewed is asked for again.
auth.cached_credentials.update(expires_at=0, refresh_token="unknown")
third = read()
assert third["refresh_token"] != first["refresh_token"]
