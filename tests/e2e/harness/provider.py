"""Dovecot as a provider runs it behind a gateway: TLS, tokens, PROXY headers, a proxy it trusts.

Beside the plain ports of `Dovecot`, which speak STARTTLS here, it has ports with implicit TLS and ports that want a
PROXY header, with and without TLS. Its log is the witness of the client's address: `logins(user)`.
"""

import http.server
import json
import re
import threading
import urllib.parse

from .authority import Authority
from .client import until
from .dovecot import Dovecot, free_port

CONFIG = """
ssl = yes
ssl_cert = <{leaf.chain}
ssl_key = <{leaf.key}
ssl_min_protocol = TLSv1.2
auth_mechanisms = plain login xoauth2 oauthbearer
auth_verbose = yes
login_trusted_networks = 127.0.0.0/8 ::1
haproxy_trusted_networks = 127.0.0.0/8 ::1
haproxy_timeout = 3 secs
login_log_format_elements = user=<%u> method=%m rip=%r rport=%b lip=%l lport=%a mpid=%e %c session=<%{{session}}>
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {root}/oauth2.conf.ext
}}
service imap-login {{
  inet_listener imaps {{
    port = {ports[imaps]}
    ssl = yes
  }}
  inet_listener imap6 {{
    address = ::1
    port = {ports[imap6]}
  }}
  inet_listener imap-proxy {{
    port = {ports[imap_proxy]}
    haproxy = yes
  }}
  inet_listener imaps-proxy {{
    port = {ports[imaps_proxy]}
    ssl = yes
    haproxy = yes
  }}
}}
service pop3-login {{
  inet_listener pop3s {{
    port = {ports[pop3s]}
    ssl = yes
  }}
  inet_listener pop36 {{
    address = ::1
    port = {ports[pop36]}
  }}
  inet_listener pop3-proxy {{
    port = {ports[pop3_proxy]}
    haproxy = yes
  }}
  inet_listener pop3s-proxy {{
    port = {ports[pop3s_proxy]}
    ssl = yes
    haproxy = yes
  }}
}}
"""

OAUTH2 = """
introspection_url = {url}
introspection_mode = post
active_attribute = active
active_value = true
username_attribute = user
username_format = %u
tokeninfo_url =
"""

LOGIN = re.compile(r"(imap|pop3)-login: Info: Login: user=<(.*?)>, method=(\S*?), rip=(\S*?), rport=(\d+), lip=(\S*?), "
                   r"lport=(\d+), mpid=\d+, (.*?)session=<(.*?)>")


class Tokens:
    """An introspection endpoint (RFC 7662): `good(user)` is valid for this user, all others for nobody."""

    def __init__(self):
        tokens = self
        self.asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                form = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                token = urllib.parse.parse_qs(form).get("token", [""])[0]
                tokens.asked.append(token)
                user = re.fullmatch(r"canary\.(.+?)\.x*", token)
                answer = json.dumps({"active": True, "user": user[1]} if user else {"active": False}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/introspect"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @staticmethod
    def good(user, size=0):
        """A token of at least this many bytes."""
        token = f"canary.{user}."
        return token + "x" * (size - len(token))

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Provider(Dovecot):
    """Started by the first that asks, beside the plain one."""

    def more(self):
        self.tokens = Tokens()
        self.leaf = Authority.shared().leaf(("DNS:mail.internal",))
        self.ports = {name: free_port(self.host) for name in
                      ("imaps", "pop3s", "imap_proxy", "pop3_proxy", "imaps_proxy", "pop3s_proxy")}
        self.ports |= {name: free_port("::1") for name in ("imap6", "pop36")}
        (self.root / "oauth2.conf.ext").write_text(OAUTH2.format(url=self.tokens.url))
        return CONFIG.format(root=self.root, host=self.host, leaf=self.leaf, ports=self.ports)

    def place(self, tls=False, proxy=False, ipv6=False):
        """The addresses for a `[[pool.backend]]`."""
        host = "[::1]" if ipv6 else self.host
        kind = ("s" if tls else "") + ("_proxy" if proxy else "") + ("6" if ipv6 else "")
        ports = {"imap": self.imap_port, "pop3": self.pop3_port, **self.ports}
        return {protocol: f"{host}:{ports[protocol + kind]}" for protocol in ("imap", "pop3")}

    def logins(self, user):
        """What the log says of each login of this user."""
        names = ("protocol", "user", "method", "rip", "rport", "lip", "lport", "rest", "session")
        return [dict(zip(names, found)) for found in LOGIN.findall(self.log()) if found[1] == user]

    def login(self, user, number=0):
        """The line of one login, waited for: the log is written by another process."""
        def line():
            found = self.logins(user)
            return found[number] if len(found) > number else None
        return until(line, lambda: f"no login of {user!r} in Dovecot's log: {self.log()[-2000:]}")

    def stop(self):
        super().stop()
        self.tokens.stop()
