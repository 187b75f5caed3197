"""A real Prometheus scrapes a real Postern under traffic before two real Dovecots, one slow, then gone; every panel asks it."""

import imaplib
import json
import math
import pathlib
import poplib
import shutil
import socket
import ssl
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import dashboards
from harness.client import until
from harness.dovecot import Dovecot, free_port, message
from harness.postern import Gateway, configuration
from harness.ruled import rule
from promql import filled

ROUNDS = 8
DELAY = 0.3
CONFIG = """
global: {{scrape_interval: 500ms, evaluation_interval: 500ms}}
rule_files: [{rules}/postern.rules.yml, {rules}/postern.alerts.yml]
scrape_configs:
  - job_name: postern
    static_configs: [{{targets: ["{target}"]}}]
"""
RULES = (rule("nothing is deleted", "deny", given={"command": "DELETE"}, text="not here")
         + rule("who says NOOP", "deny", given={"command": "NOOP"}, mode="report"))


class Slow:
    """Hands a connection on to a backend; what the client says waits a while first."""

    def __init__(self, target):
        host, port = target.rsplit(":", 1)
        self.target = (host, int(port))
        self.listening = socket.create_server((host, 0))
        self.address = "%s:%d" % self.listening.getsockname()
        self.open = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listening.accept()
                backend = socket.create_connection(self.target)
            except OSError:
                return
            self.open += [client, backend]
            threading.Thread(target=self._carry, args=(client, backend, DELAY), daemon=True).start()
            threading.Thread(target=self._carry, args=(backend, client, 0), daemon=True).start()

    @staticmethod
    def _carry(source, sink, delay):
        try:
            while content := source.recv(65536):
                time.sleep(delay)
                sink.sendall(content)
            sink.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def stop(self):
        for each in [self.listening, *self.open]:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            each.close()


class Prometheus:
    def __init__(self, target):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="postern-prometheus-"))
        self.address = f"127.0.0.1:{free_port()}"
        (self.folder / "prometheus.yml").write_text(
            CONFIG.format(target=target, rules=dashboards.FOLDER.parent / "prometheus"))
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen(
                ["prometheus", f"--config.file={self.folder}/prometheus.yml", f"--storage.tsdb.path={self.folder}/data",
                 f"--web.listen-address={self.address}", "--log.level=warn"], stdout=log, stderr=log, cwd=self.folder)
        until(lambda: self.try_query("vector(1)"), lambda: (self.folder / "log").read_text()[-2000:], seconds=60)

    def get(self, path, **parameters):
        url = f"http://{self.address}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=20) as answer:
                return json.loads(answer.read())["data"]["result"]
        except urllib.error.HTTPError as error:
            if error.code == 503:
                raise  # it is starting
            raise AssertionError(f"{parameters['query']}: {error.read().decode()}") from None

    def try_query(self, query):
        try:
            return self.get("query", query=query)
        except OSError:
            return None

    def query(self, query):
        """[(labels, number)] now."""
        return [(each["metric"], float(each["value"][1])) for each in self.get("query", query=query)]

    def over(self, query, begin):
        """[(labels, [numbers])] since then."""
        return [(each["metric"], [float(value) for _, value in each["values"]])
                for each in self.get("query_range", query=query, start=begin, end=time.time(), step=1)]

    def stop(self):
        self.process.terminate()
        self.process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)


def tls():
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    return made


def one_user(gateway, user):
    host, port = gateway.imaps.rsplit(":", 1)
    client = imaplib.IMAP4_SSL(host, int(port), ssl_context=tls(), timeout=20)
    client.login(user, "secret")
    client.append("INBOX", None, None, message(size=2000))
    client.select("INBOX")
    client.fetch("1", "(BODY[])")
    client.search(None, "ALL")
    client.noop()
    client.delete("Other")
    client.send(b"x1 IDLE\r\n")
    assert client.readline().startswith(b"+")
    client.send(b"DONE\r\n")
    while not client.readline().startswith(b"x1 "):
        pass
    client.logout()
    host, port = gateway.pop3s.rsplit(":", 1)
    client = poplib.POP3_SSL(host, int(port), context=tls(), timeout=20)
    client.user(user)
    client.pass_("secret")
    client.retr(1)
    client.quit()


def wrong_password(gateway, user):
    host, port = gateway.imaps.rsplit(":", 1)
    client = imaplib.IMAP4_SSL(host, int(port), ssl_context=tls(), timeout=20)
    try:
        client.login(user, "wrong")
    except imaplib.IMAP4.error:
        client.logout()
        return
    raise AssertionError("a wrong password was taken")


def empty_queries(board, prometheus, begin):
    """A complaint for each query of a panel without a single number."""
    for panel in dashboards.panels(board):
        if "Empty where" in panel["description"]:  # it says itself what it needs; here there is no lookup
            continue
        for target in panel["targets"]:
            query = filled(target["expr"])
            if target["instant"]:
                numbers = [number for _, number in prometheus.query(query)]
            else:
                numbers = [number for _, series in prometheus.over(query, begin) for number in series]
            if all(math.isnan(number) for number in numbers):
                yield f"{panel['title']} {target['refId']}: nothing but {len(numbers)} NaN from {query}"


def expression(board, title, reference="A"):
    panel = next(each for each in dashboards.panels(board) if each["title"] == title)
    return filled(next(each["expr"] for each in panel["targets"] if each["refId"] == reference))


def names_the_slow(board, prometheus, begin):
    for title in ("Command time by backend",):
        # Medians: on a busy machine the other one is slow for a moment too.
        usual = {labels["backend"]: statistics.median([n for n in numbers if not math.isnan(n)] or [0])
                 for labels, numbers in prometheus.over(expression(board, title), begin)}
        if set(usual) != {"mail1", "mail2"} or usual["mail2"] < 1.5 * usual["mail1"]:
            yield f"{title}: {usual}"


def names_the_dead(board, prometheus):
    up = lambda: {labels["backend"]: number for labels, number in prometheus.query(expression(board, "Up"))}
    try:
        until(lambda: up() == {"mail1": 1, "mail2": 0}, lambda: f"Up: {up()}", seconds=30)
        pending = 'ALERTS{alertname="PosternBackendDown", backend="mail2"}'
        until(lambda: prometheus.query(pending), "no alert of the backend that is down", seconds=30)
    except AssertionError as error:
        yield str(error)


def run(catalogue, report):
    dovecots, slow, gateway, prometheus = [Dovecot(), Dovecot()], None, None, None
    folder = pathlib.Path(tempfile.mkdtemp(prefix="postern-grafana-"))
    try:
        slow = Slow(dovecots[1].imap)
        (folder / "rules.toml").write_text(RULES)
        gateway = Gateway(configuration(
            [{"imap": dovecots[0].imap, "pop3": dovecots[0].pop3}, {"imap": slow.address, "pop3": dovecots[1].pop3}],
            pool={"probe": {"every": "500ms"}}, rules={"files": [folder / "rules.toml"]}))
        prometheus = Prometheus(gateway.admin)
        begin = time.time()
        under_traffic(gateway, prometheus, dovecots[0])
        families = catalogue.learn(gateway.scrape().text)
        print(f"        {families} families of metrics exported, {len(catalogue.families)} declared")
        boards = dashboards.load()
        for name, board in boards.items():
            asked = sum(len(each["targets"]) for each in dashboards.panels(board))
            report(f"{name}: {len(dashboards.panels(board))} panels, {asked} queries, none is empty",
                   empty_queries(board, prometheus, begin))
        report("backends: the slow one is named", names_the_slow(boards["backends"], prometheus, begin))
        slow.stop()
        report("backends: the dead one is named, and its alert is on its way", names_the_dead(boards["backends"], prometheus))
        gateway.stop()
    finally:
        for each in (prometheus, slow, *dovecots):
            if each:
                each.stop()
        if gateway:
            gateway.kill()
        shutil.rmtree(folder, ignore_errors=True)


def under_traffic(gateway, prometheus, dovecot):
    """Rounds of a few users each, so that both backends have some; each round is in a scrape of its own."""
    for _ in range(ROUNDS):
        for user in (dovecot.new_user() for _ in range(3)):
            one_user(gateway, user)
        wrong_password(gateway, "ann")
        scraped = prometheus.query("count_over_time(up[5m])")
        before = scraped[0][1] if scraped else 0
        until(lambda: (prometheus.query("count_over_time(up[5m])") or [(0, 0)])[0][1] > before, "no scrape", seconds=20)
