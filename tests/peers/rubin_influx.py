"""What an InfluxDB answers to the two questions that Rubin's client asks of it, from rows of a file database's table too_alert. No more."""
import json
import re
import sqlite3
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
from astropy.time import Time

ASK = re.compile(r'SELECT (?P<columns>.*) FROM "lsst\.scimma"\."autogen"\."lsst\.scimma\.too_alert" WHERE time >= \'(?P<first>[^\']+)\' AND time <= \'(?P<last>[^\']+)\''
                 r"( AND source = '(?P<source>[^']*)')?")


class Influx:
    """http://127.0.0.1:port/; rows: what is kept, asked: the questions."""

    def __init__(self, path):
        self.path, self.asked = path, []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                given = urllib.parse.parse_qs(self.rfile.read(length).decode()) | urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query)
                body = json.dumps(outer.query(given["q"][0])).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = answer

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def query(self, text):
        self.asked.append(text)
        match = ASK.search(text)
        if not match:
            return {"results": [{"statement_id": 0, "error": "not one of the two questions"}]}
        names = [c.strip() for c in match["columns"].split(",")]
        first, last = (Time(match[k].rstrip("Z"), format="isot", scale="utc").unix * 1000 for k in ("first", "last"))
        db = sqlite3.connect(self.path)
        db.row_factory = sqlite3.Row
        values = []
        for row in db.execute("SELECT * FROM too_alert WHERE timestamp BETWEEN ? AND ? ORDER BY timestamp", (int(first), int(last))):
            if match["source"] is not None and row["source"] != match["source"]:
                continue
            cells = np.frombuffer(row["reward_map"], np.uint8)
            values.append([row["timestamp"] * 1000000] # as the client asks: epoch=ns
                          + [bool(cells[int(n[10:])]) if n[10:].isdigit() else bool(row[n]) if n.startswith("is_") else row[n] for n in names])
        db.close()
        series = [{"name": "lsst.scimma.too_alert", "columns": ["time"] + names, "values": values}] if values else []
        return {"results": [{"statement_id": 0, **({"series": series} if series else {})}]}

    def close(self):
        self.server.shutdown()
