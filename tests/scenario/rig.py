"""An org, a daemon and an operator on one machine: what every scenario is played with.

The emulator and the daemon are the real programs; the operator is `leadsync`. Nothing here waits by
the clock: it waits for a line of the log, for a command to end, or moves the emulator's clock.
"""
import base64
import contextlib
import ctypes
import datetime
import json
import os
import pathlib
import queue
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import tempfile
import threading
import urllib.error
import urllib.parse
import urllib.request

BUILD = pathlib.Path(os.environ.get("LEADSYNC_BUILD", "build")).resolve()
PATIENCE_S = 120  # a command that takes longer hangs

CLIENT_ID = "3MVG9canaryClientId.0123456789"
CLIENT_SECRET = "CANARY7F00secret!with=odd&chars%"

# What the scenario conf maps; comparing needs the same list.
CONTACT_FIELDS = {
    "Id": "sf_id", "FirstName": "first_name", "LastName": "last_name", "Email": "email",
    "Title": "title", "Phone": "phone", "MailingStreet": "street", "MailingCity": "city",
    "MailingCountry": "country", "Birthdate": "birthdate", "Description": "description",
    "Lead_Score__c": "score", "Consent__c": "consent", "Renewal_Date__c": "renewal",
    "Region__c": "region", "Full_Label__c": "label", "Owner.Email": "owner_email",
    "Account.Name": "account_name", "LastModifiedDate": "modified", "IsDeleted": "is_deleted",
}


def die_with_parent():
    """In a child: nobody outlives the test that started it, however that ends (prctl(2))."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class PrivateCa:
    """A certification authority of our own and a certificate of it for `localhost`, as files."""

    def __init__(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="leadsync-ca-"))
        self.ca, self.cert, self.key = (self.root / name for name in ("ca.pem", "cert.pem", "key.pem"))
        (self.root / "names").write_text("subjectAltName=DNS:localhost\n")
        self._openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                      "/CN=test authority", "-keyout", "ca.key", "-out", self.ca)
        self._openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost",
                      "-keyout", self.key, "-out", "request.pem")
        self._openssl("x509", "-req", "-in", "request.pem", "-CA", self.ca, "-CAkey", "ca.key",
                      "-CAcreateserial", "-days", "2", "-extfile", "names", "-out", self.cert)

    def _openssl(self, *arguments):
        subprocess.run(["openssl", *map(str, arguments)], cwd=self.root, check=True,
                       capture_output=True)

    def context(self):
        return ssl.create_default_context(cafile=str(self.ca))

    def remove(self):
        shutil.rmtree(self.root)


def make_private_key(folder):
    """A key to sign assertions with, and the certificate that the app gets, as files."""
    key, certificate = folder / "jwt.pem", folder / "jwt.crt"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", "/CN=leadsyncd", "-keyout", str(key), "-out", str(certificate)],
                   check=True, capture_output=True)
    key.chmod(0o600)
    return key, certificate


@contextlib.contextmanager
def folder():
    """A folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="leadsync-") as path:
        yield path


def sqlite(path, statement):
    """What another program does to a database meanwhile."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
        return database.execute(statement).fetchall()


def free_port():
    """A port on which nobody listened a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Emulator:
    """An org on loopback; its admin endpoints are methods. With `keep` it outlives this program.
    With a PrivateCa it speaks TLS as `localhost`."""

    def __init__(self, *options, contacts=50, leads=20, keep=False, ca=None):
        self._context = ca.context() if ca else None
        if ca:
            options += ("--host", "localhost", "--tls-cert", str(ca.cert), "--tls-key", str(ca.key))
        self.process = subprocess.Popen(
            [str(BUILD / "tests/emulator/leadsync-emulator"), "--port", "0",
             "--contacts", str(contacts), "--leads", str(leads),
             "--client-id", CLIENT_ID, "--client-secret", CLIENT_SECRET, *options],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL if keep else None, text=True,
            start_new_session=keep,
            preexec_fn=None if keep else die_with_parent)
        ready = self.process.stdout.readline()
        if not ready:
            raise RuntimeError("the emulator did not start")
        hello = json.loads(ready)
        self.url, self.org_id = hello["url"], hello["org_id"]
        self._token = None

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE_S)
        self.process.stdout.close()

    def admin(self, path, body=None, method=None):
        request = urllib.request.Request(
            f"{self.url}/_emulator/{path}",
            data=None if body is None else json.dumps(body).encode(),
            method=method or ("GET" if body is None else "POST"),
            headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=PATIENCE_S, context=self._context) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def counters(self):
        return self.admin("counters")

    def reset_counters(self):
        self.admin("counters/reset", {})

    def fault(self, match, times=1, **what):
        self.admin("faults", {"match": match, "times": times, **what})

    def clear_faults(self):
        self.admin("faults", method="DELETE")

    def advance(self, seconds):
        self.admin("clock", {"advance_s": seconds})

    def now(self):
        """The org's clock."""
        return datetime.datetime.fromtimestamp(self.admin("clock")["epoch_s"],
                                               datetime.timezone.utc)

    def edit(self, object_name, record_id, **fields):
        self.admin("edit", {"object": object_name, "id": record_id, "fields": fields})

    def create(self, object_name, **fields):
        return self.admin("create", {"object": object_name, "fields": fields})["id"]

    def delete(self, object_name, record_id):
        self.admin("delete", {"object": object_name, "id": record_id})

    # An ordinary client, for looking at the org from outside.
    def _login(self):
        form = urllib.parse.urlencode({
            "grant_type": "client_credentials", "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET}).encode()
        with urllib.request.urlopen(f"{self.url}/services/oauth2/token", form,
                                    timeout=PATIENCE_S, context=self._context) as answer:
            self._token = json.load(answer)["access_token"]

    def get(self, path):
        for attempt in (1, 2):
            if not self._token:
                self._login()
            request = urllib.request.Request(
                self.url + path, headers={"Authorization": f"Bearer {self._token}"})
            try:
                with urllib.request.urlopen(request, timeout=PATIENCE_S, context=self._context) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                if error.code != 401 or attempt == 2:
                    raise
                self._token = None
        raise AssertionError("not reached")

    def describe(self, object_name):
        return self.get(f"/services/data/v66.0/sobjects/{object_name}/describe")

    def query(self, soql, everything=False):
        kind = "queryAll" if everything else "query"
        page = self.get(f"/services/data/v66.0/{kind}/?" + urllib.parse.urlencode({"q": soql}))
        records = page["records"]
        while not page["done"]:
            page = self.get(page["nextRecordsUrl"])
            records += page["records"]
        return records


class Log:
    """The daemon's stderr: kept whole, and waited on."""

    def __init__(self, stream):
        self.lines = []
        self._arrived = queue.Queue()
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def _read(self, stream):
        for line in stream:
            self.lines.append(line.rstrip("\n"))
            self._arrived.put(line)
        self._arrived.put(None)
        stream.close()

    def wait_for(self, fragment):
        """The first line with `fragment` that came since the last wait; None if the log ended."""
        while True:
            line = self._arrived.get(timeout=PATIENCE_S)
            if line is None or fragment in line:
                return line

    def close(self):
        self._thread.join(PATIENCE_S)

    def count(self, fragment):
        return sum(fragment in line for line in self.lines)


class Site:
    """A machine with leadsyncd on it: conf, key, state, store, and the running daemon, if any."""

    def __init__(self, emulator, conf=None, fields=None, every="7d", secret=CLIENT_SECRET,
                 contact_options="", lead_options="", daemon_options="", flow=None):
        self.emulator = emulator
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="leadsync-"))
        (self.root / "srv").mkdir()
        self.conf = self.root / "leadsyncd.conf"
        self.store = self.root / "srv/crm.db"
        # How it logs in; @ORG@ stands for the org's host and port.
        self.flow = (flow or "flow = client_credentials\nclient_secret = vault").replace(
            "@ORG@", urllib.parse.urlsplit(emulator.url).netloc)
        self.state = self.root / "state"
        self.conf.write_text(conf(self) if conf else self.standard_conf(
            fields or CONTACT_FIELDS, every, contact_options, lead_options, daemon_options))
        self.conf.chmod(0o644)
        self.process = None
        self.log = None
        self.logs = []
        self.outputs = []
        self.operate("key", "init")
        if secret:
            self.operate("secret", "set", "production", stdin=secret)

    def standard_conf(self, fields, every, contact_options, lead_options, daemon_options):
        mapped = "\n".join(f"{field} = -> {column}" for field, column in fields.items())
        return f"""[daemon]
state_dir = {self.root}/state
control = {self.root}/control.sock
seal_key = file:{self.root}/seal.key
loopback_test = yes
{daemon_options}

[account production]
provider = salesforce
login_url = {self.emulator.url}
client_id = {CLIENT_ID}
{self.flow}

[store crm]
driver = sqlite
path = {self.root}/srv/crm.db

[job contacts]
account = production
object = Contact
store = crm
table = contact
every = {every}
on_remote_delete = mark
{contact_options}

[fields contacts]
{mapped}

[job leads]
account = production
object = Lead
store = crm
table = lead
every = {every}
on_remote_delete = delete
{lead_options}

[fields leads]
* = ->
"""

    def command(self, *arguments):
        return [str(BUILD / "daemon/leadsync"), "--conf", str(self.conf), *arguments]

    def operate(self, *arguments, stdin="", check=True):
        """Runs `leadsync` as an operator would; the CompletedProcess."""
        done = subprocess.run(self.command(*arguments), input=stdin, text=True,
                              capture_output=True, timeout=PATIENCE_S)
        self.outputs += [done.stdout, done.stderr]
        if check and done.returncode != 0:
            raise AssertionError(f"leadsync {' '.join(arguments)}: exit {done.returncode}: "
                                 f"{done.stderr}\n" + self.tail())
        return done

    def run(self, job, *options, check=True):
        """One run of a job, to its end: what `leadsync run --json` said last."""
        done = self.operate("run", job, "--json", *options, check=check)
        return json.loads(done.stdout.splitlines()[-1])

    def status(self):
        return json.loads(self.operate("status", "--json").stdout)

    def start(self, *options, environment=None, wait=True):
        self.process = subprocess.Popen(
            [str(BUILD / "daemon/leadsyncd"), "--conf", str(self.conf), *options],
            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
            env={**os.environ, **(environment or {})}, preexec_fn=die_with_parent)
        self.log = Log(self.process.stderr)
        self.logs.append(self.log)
        if wait and not self.log.wait_for("event=started"):
            raise AssertionError("the daemon did not start:\n" + self.tail())
        return self

    def start_kept(self):
        """Starts the daemon so that it outlives this program, its log in a file; the pid. It says by
        sd_notify(3) that it is ready, as it says to systemd."""
        with open(self.root / "leadsyncd.log", "w", encoding="utf-8") as log, \
                socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(str(self.root / "notify.sock"))
            notify.settimeout(PATIENCE_S)
            kept = subprocess.Popen(
                [str(BUILD / "daemon/leadsyncd"), "--conf", str(self.conf)], stderr=log,
                stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, start_new_session=True,
                env={**os.environ, "NOTIFY_SOCKET": str(self.root / "notify.sock")})
            if b"READY=1" not in notify.recv(4096):
                raise AssertionError("the daemon did not say that it is ready")
        return kept.pid

    def stop(self):
        """A graceful stop; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def kill(self):
        self.process.kill()
        return self.wait()

    def wait(self):
        code = self.process.wait(PATIENCE_S)
        self.log.close()
        self.process = None
        return code

    def tail(self, lines=30):
        return "\n".join(line for log in self.logs for line in log.lines[-lines:])

    def settle(self):
        """Lets every change made so far come into reach (a run reads up to 5 s ago), and runs."""
        self.emulator.advance(10)
        return [self.run("contacts"), self.run("leads")]

    def files(self):
        """Every byte the daemon keeps, by path."""
        return {path: path.read_bytes() for path in sorted(self.root.rglob("*"))
                if path.is_file() and not path.is_symlink()}

    def remove(self):
        if self.process:
            self.kill()
        shutil.rmtree(self.root)


def spellings(raw):
    """How a secret may look where it leaked."""
    packed = base64.b64encode(raw)
    text = raw.decode("latin-1")
    return {raw, packed, packed.rstrip(b"="), base64.urlsafe_b64encode(raw), raw.hex().encode(),
            urllib.parse.quote(raw, safe="").encode(), json.dumps(text)[1:-1].encode()}


def find_canaries(site, canaries):
    """Where any of the secrets is found: logs, outputs, state directory, store, /proc."""
    places = dict(site.files())
    places.pop(site.root / "seal.key", None)
    for number, log in enumerate(site.logs):
        places[f"log {number}"] = "\n".join(log.lines).encode()
    places["operator's terminal"] = "\n".join(site.outputs).encode()
    if site.process:
        for name in ("cmdline", "environ"):
            places[f"/proc {name}"] = pathlib.Path(f"/proc/{site.process.pid}/{name}").read_bytes()
    return [f"{name} in {place}" for place, content in places.items()
            for name, secret in canaries.items()
            for spelling in spellings(secret) if spelling in content]
