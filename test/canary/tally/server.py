"""A service without packages, for canaries: VERSION says what is wrong with it."""
import json
import os
import secrets
import tempfile
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

VERSION = open("version").read().strip()
sessions = {}
lost = False


def keep():
    """Whether a quarter of a megabyte fits on the disk; "stubborn" never forgets that it once did not."""
    global lost
    try:
        with tempfile.TemporaryFile() as file:
            file.write(bytes(2**18))
    except OSError:
        lost = VERSION == "stubborn"
        return False
    return not lost


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, document, headers=()):
        body = json.dumps(document).encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def session(self):
        cookies = dict(part.strip().split("=", 1) for part in self.headers.get("Cookie", "").split(";") if "=" in part)
        return sessions.get(cookies.get("sid"))

    def do_GET(self):
        if self.path == "/api/count":
            if VERSION == "broken":
                raise SystemError("the tally is lost")
            return self.answer(200, {"count": 7})
        if self.path == "/api/keep":
            return self.answer(200, {"kept": True}) if keep() else self.answer(507, {"kept": False})
        if self.path == "/api/form":
            sid, token = secrets.token_hex(8), secrets.token_hex(8)
            sessions[sid] = {"token": token, "items": 0}
            return self.answer(200, {"form": {"token": token}}, [("Set-Cookie", f"sid={sid}; Path=/; HttpOnly")])
        if self.path == "/api/ready":
            return self.answer(200, {"ready": True})
        if self.path == "/numbers":
            return self.answer(200, {"queue": {"depth": 40 if VERSION == "backlog" else 4}})
        return self.answer(404, {"error": "no such path"})

    def do_POST(self):
        given = json.loads(self.body() or b"{}")
        session = self.session()
        if self.path != "/api/items" or session is None or given.get("token") != session["token"]:
            return self.answer(403, {"error": "sign in first"})
        if VERSION == "forgetful":
            return self.answer(500, {"error": "cannot keep the item"})
        session["items"] += 1
        return self.answer(201, {"items": session["items"]})


if VERSION == "unstartable":
    raise SystemExit("TALLY_KEY is not set")
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
