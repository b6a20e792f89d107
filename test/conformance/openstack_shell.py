"""The openstack client without its start: each line of input is a command's arguments, each line of output its end."""

import contextlib
import io
import json
import sys

from openstackclient import shell

for line in sys.stdin:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = shell.main(json.loads(line))
        except SystemExit as end:
            code = end.code
    print(json.dumps({"code": code or 0, "out": out.getvalue(), "err": err.getvalue()}), flush=True)
