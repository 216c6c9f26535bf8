"""Serves the files of a directory with faults. Usage: faulty_server.py DIRECTORY; prints its port and serves until its
standard input ends. The first part of a path says how: /ok/F; /plain/F ignores ranges; /cut/F sends half of what it
announced, /stall/F then says nothing more, both only where no range is asked for; /hang/F always."""
import http.server, os, sys, threading, time


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        how, _, name = self.path.lstrip("/").partition("/")
        path = os.path.join(sys.argv[1], name)
        with open(os.path.join(sys.argv[1], "log"), "a") as log:
            log.write(f"{self.path} {self.headers.get('Range', '-')}\n")
        if not os.path.isfile(path):
            return self.send_error(404)
        content, wanted = open(path, "rb").read(), self.headers.get("Range")
        start = int(wanted[len("bytes="):-1]) if wanted and how != "plain" else 0
        if start >= len(content):
            return self.send_error(416)
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        faulty = how == "hang" or (how in ("cut", "stall") and not start)
        self.wfile.write(content[start:start + (len(content) - start) // 2] if faulty else content[start:])
        self.wfile.flush()
        if faulty and how in ("stall", "hang"):
            time.sleep(5)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
os._exit(0)
