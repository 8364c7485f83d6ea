"""An operator connects an org: by each flow, with a browser here or elsewhere, with mistakes."""
import json
import os
import pathlib
import pty
import re
import select
import socket
import stat
import subprocess
import sys
import unittest
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "emulator"))
import form_browser
import rig
from scenario import Scenario

USER, PASSWORD = "sync@acme.example", "CANARY-Passw0rd/EXAMPLE"


class Terminal:
    """`leadsync` at a terminal of its own: what it shows, and what is typed."""

    def __init__(self, site, *arguments):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            rig.die_with_parent()
            os.execv(site.command()[0], site.command(*arguments))
        self.site, self.shown, self.typed = site, "", []

    def until(self, fragment):
        """What was shown up to and with `fragment`, since the last time."""
        while fragment not in self.shown:
            if not select.select([self.fd], [], [], rig.PATIENCE_S)[0]:
                raise AssertionError(f"no {fragment!r} in:\n{self.shown}\n{self.site.tail()}")
            try:
                piece = os.read(self.fd, 65536)
            except OSError:
                raise AssertionError(f"ended without {fragment!r}:\n{self.shown}\n"
                                     + self.site.tail()) from None
            self.shown += piece.decode()
        before, _, self.shown = self.shown.partition(fragment)
        self.keep(before + fragment)
        return before + fragment

    def keep(self, shown):
        """Among what is searched for leaks, but for what the person typed and saw echoed."""
        for text in self.typed:
            shown = shown.replace(text, "")
        self.site.outputs.append(shown)

    def type(self, text):
        self.typed.append(text)
        os.write(self.fd, text.encode() + b"\n")

    def interrupt(self):
        os.write(self.fd, b"\x03")

    def end(self):
        """The exit code."""
        try:
            while piece := os.read(self.fd, 65536):
                self.shown += piece.decode()
        except OSError:
            pass  # what Linux says at the end of a terminal
        self.keep(self.shown)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def web_flow(port, secret=True):
    return (f"flow = web\nredirect_uri = http://localhost:{port}/callback\n"
            + ("client_secret = vault\n" if secret else ""))


class WithBrowser(Scenario):
    context = None  # to trust the org with, over TLS

    def bring_up_web(self, *emulator_options, **site_options):
        self.port = rig.free_port()
        self.bring_up(emulator_options=self.web_options(*emulator_options),
                      flow=web_flow(self.port), **site_options)

    def bring_up_tls(self, flow, *emulator_options, **site_options):
        """With a certificate of an authority of our own."""
        self.ca = rig.PrivateCa()
        self.addCleanup(self.ca.remove)
        self.context = self.ca.context()
        self.bring_up(emulator_options=emulator_options, ca=self.ca,
                      flow=flow + f"ca_file = {self.ca.ca}\nallow_host = @ORG@\n",
                      **site_options)

    def bring_up_web_tls(self, *emulator_options):
        self.port = rig.free_port()
        self.bring_up_tls(web_flow(self.port), *self.web_options(*emulator_options))

    def web_options(self, *more):
        return ("--username", USER, "--password", PASSWORD, "--redirect-uri",
                f"http://localhost:{self.port}/callback", *more)

    def follow_login(self, url, button="Allow"):
        """A person at a browser: logs in, allows; the address the browser is sent to."""
        browser = form_browser.Browser(self.context)
        page = browser.get(url)
        if "pw" in page.form.fields:
            page = browser.press(page, "Log In", username=USER, pw=PASSWORD)
        while not (page.location or "").startswith("http://localhost"):
            if page.location:
                page = browser.get(urllib.parse.urljoin(page.url, page.location))
            else:
                page = browser.press(page, button)
        return page.location

    def log_in(self, url):
        """To the end: the browser brings the answer to the listener."""
        return form_browser.Browser().get(self.follow_login(url))

    def connect(self, *options):
        """`leadsync connect --yes --json` with the login done meanwhile: its last line."""
        process = subprocess.Popen(self.site.command("connect", "production", "--yes", "--json",
                                                     *options),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   stdin=subprocess.DEVNULL, text=True,
                                   preexec_fn=rig.die_with_parent)
        lines = []
        for line in process.stdout:
            lines.append(json.loads(line))
            if "authorize_url" in lines[-1]:
                self.log_in(lines[-1]["authorize_url"])
        errors = process.stderr.read()
        process.stdout.close()
        process.stderr.close()
        self.site.outputs += [errors, json.dumps(lines)]
        self.assertEqual(process.wait(rig.PATIENCE_S), 0, errors + self.site.tail())
        return lines

    def account(self):
        return self.site.status()["accounts"][0]

    def job(self, name):
        return next(job for job in self.site.status()["jobs"] if job["name"] == name)

    def grants(self):
        return self.org.admin("grants")["grants"]

    def token_requests(self, grant_type):
        return [request for request in self.org.admin("token_log")["requests"]
                if request["grant_type"] == grant_type]

    def settle_and_compare(self):
        self.site.settle()
        self.assert_equal_to_org()


class Connecting(WithBrowser):
    """The guided login."""

    def test_a_person_at_a_terminal_and_a_browser(self):
        self.bring_up_web(secret=None)
        self.assertEqual(self.account()["state"], "needs-login")
        terminal = Terminal(self.site, "connect", "production")
        settings = terminal.until("Consumer secret (not shown): ")
        for wanted in (f"http://localhost:{self.port}/callback", "refresh_token", "PKCE", "api"):
            self.assertIn(wanted, settings)
        terminal.type(rig.CLIENT_SECRET)
        shown = terminal.until("Ctrl-C gives up.")
        self.assertIn(f"ssh -L {self.port}:localhost:{self.port}", shown)
        url = re.search(r"https?://\S+/services/oauth2/authorize\S+", shown)[0]
        asked = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)
        self.assertEqual(asked["code_challenge_method"], ["S256"])
        self.assertEqual(asked["scope"], ["api refresh_token"])
        page = self.log_in(url)
        self.assertEqual(page.status, 200)
        self.assertEqual(page.headers["Cache-Control"], "no-store")
        found = terminal.until("Connect? [y/N] ")
        for wanted in (self.org.org_id, USER, "PRODUCTION", "api refresh_token", "API calls"):
            self.assertIn(wanted, found)
        self.assertEqual(self.account()["state"], "needs-login")  # nothing is stored before the yes
        terminal.type("y")
        table = terminal.until("Start the jobs now? [y/N] ")
        self.assertIn("Account production is connected.", table)
        self.assertIn("Job contacts: 20 fields of Contact mapped, 0 rules wrong", table)
        self.assertEqual([self.job(name)["state"] for name in ("contacts", "leads")],
                         ["paused", "paused"])
        terminal.type("y")
        self.assertEqual(terminal.end(), 0)
        self.first_load()
        self.assert_equal_to_org()
        self.assertEqual(self.account()["state"], "fresh")

    def test_an_address_that_is_pasted(self):
        self.bring_up_web()
        terminal = Terminal(self.site, "connect", "production", "--paste")
        shown = terminal.until("Address: ")
        url = re.search(r"https?://\S+/services/oauth2/authorize\S+", shown)[0]
        with self.assertRaises(OSError):
            socket.create_connection(("127.0.0.1", self.port), 5)  # nobody listens
        terminal.type(url)  # the wrong one of the two addresses
        self.assertIn("not-the-answer", terminal.until("Address: "))
        answer = self.follow_login(url)
        terminal.type(answer.replace("state=", "state=x"))
        self.assertIn("wrong-state", terminal.until("Address: "))
        terminal.type(answer)
        terminal.until("Connect? [y/N] ")
        terminal.type("y")
        terminal.until("Start the jobs now? [y/N] ")
        terminal.type("n")
        self.assertEqual(terminal.end(), 0)
        self.assertEqual(self.job("contacts")["state"], "paused")
        self.site.operate("resume", "contacts")
        self.site.run("contacts")

    def test_a_listener_that_is_bothered(self):
        self.bring_up_web()
        terminal = Terminal(self.site, "connect", "production")
        url = re.search(r"https?://\S+/services/oauth2/authorize\S+",
                        terminal.until("Ctrl-C gives up."))[0]
        state = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)["state"][0]

        def status(raw):
            with socket.create_connection(("127.0.0.1", self.port), rig.PATIENCE_S) as client:
                client.settimeout(rig.PATIENCE_S)
                client.sendall(raw)
                answer = client.recv(4096)
            return int(answer.split()[1]) if answer else 0

        host = f"Host: localhost:{self.port}\r\n\r\n"
        wrong = {
            f"GET /callback?code=x&state=other HTTP/1.1\r\n{host}": (400,),
            f"GET /callback?code=x&code=y&state={state} HTTP/1.1\r\n{host}": (400,),
            f"GET /other?code=x&state={state} HTTP/1.1\r\n{host}": (404,),
            f"POST /callback?code=x&state={state} HTTP/1.1\r\nContent-Length: 0\r\n{host}": (405,),
            f"GET /callback?code=x&state={state} HTTP/1.1\r\nHost: evil.example\r\n\r\n": (400, 404),
            f"GET /callback?code={'x' * 9000}&state={state} HTTP/1.1\r\n{host}": (400, 413, 431, 0),
        }
        for request, allowed in wrong.items():
            self.assertIn(status(request.encode()), allowed, request[:60])
        slow = socket.create_connection(("127.0.0.1", self.port), rig.PATIENCE_S)
        slow.sendall(b"GET /call")  # and nothing more: it does not keep others out
        closed = socket.create_connection(("::1", self.port), rig.PATIENCE_S)
        closed.close()
        self.log_in(url)
        terminal.until("Connect? [y/N] ")
        slow.close()
        with self.assertRaises(OSError):  # a second answer finds nobody
            socket.create_connection(("127.0.0.1", self.port), 5)
        terminal.type("y")
        terminal.until("Start the jobs now? [y/N] ")
        terminal.type("y")
        self.assertEqual(terminal.end(), 0)
        self.assertEqual(len(self.token_requests("authorization_code")), 1)

    def test_a_no_stores_nothing_and_gives_the_grant_back(self):
        self.bring_up_web(secret=None)
        terminal = Terminal(self.site, "connect", "production")
        terminal.until("Consumer secret (not shown): ")
        terminal.type(rig.CLIENT_SECRET)
        self.log_in(re.search(r"https?://\S+/services/oauth2/authorize\S+",
                              terminal.until("Ctrl-C gives up."))[0])
        terminal.until("Connect? [y/N] ")
        terminal.type("n")
        self.assertEqual(terminal.end(), 1)
        self.site.log.wait_for("event=token_revoked")
        self.assertEqual([grant["alive"] for grant in self.grants()], [False])
        self.assertEqual(self.site.operate("secret", "list").stdout, "")
        self.assertEqual(self.account()["state"], "needs-login")

    def test_a_person_who_denies(self):
        self.bring_up_web()
        terminal = Terminal(self.site, "connect", "production")
        url = re.search(r"https?://\S+/services/oauth2/authorize\S+",
                        terminal.until("Ctrl-C gives up."))[0]
        form_browser.Browser().get(self.follow_login(url, "Deny"))
        self.assertEqual(terminal.end(), 1)
        self.assertIn("login-denied", self.site.outputs[-1])

    def test_a_terminal_that_gives_up_frees_the_port(self):
        self.bring_up_web()
        for _ in range(2):
            terminal = Terminal(self.site, "connect", "production")
            terminal.until("Ctrl-C gives up.")
            terminal.interrupt()
            self.assertNotEqual(terminal.end(), 0)
        self.connect()

    def test_whoever_waits_for_a_login_hears_of_its_end(self):
        self.bring_up_web()
        terminal = Terminal(self.site, "connect", "production")
        terminal.until("Ctrl-C gives up.")
        second = self.site.operate("connect", "production", check=False)
        self.assertIn("login-under-way", second.stderr)
        self.site.operate("disconnect", "production", "--yes")
        self.assertEqual(terminal.end(), 1)
        self.assertIn("login-cancelled", self.site.outputs[-1])
        pasting = Terminal(self.site, "connect", "production", "--paste")
        pasting.until("Address: ")
        self.connect()  # nobody waits for the other: this one replaces it
        pasting.type("http://localhost/")
        self.assertEqual(pasting.end(), 1)
        self.assertIn("no-login", self.site.outputs[-1])

    def test_a_yes_is_for_the_login_that_was_shown(self):
        self.bring_up_web()
        terminal = Terminal(self.site, "connect", "production")
        self.log_in(re.search(r"https?://\S+/services/oauth2/authorize\S+",
                              terminal.until("Ctrl-C gives up."))[0])
        terminal.until("Connect? [y/N] ")
        other = Terminal(self.site, "connect", "production")  # takes its place
        self.log_in(re.search(r"https?://\S+/services/oauth2/authorize\S+",
                              other.until("Ctrl-C gives up."))[0])
        other.until("Connect? [y/N] ")
        terminal.type("y")
        self.assertEqual(terminal.end(), 1)
        self.assertIn("no-login", self.site.outputs[-1])
        self.assertEqual(self.account()["state"], "needs-login")
        other.type("y")
        other.until("Start the jobs now? [y/N] ")
        other.type("y")
        self.assertEqual(other.end(), 0)

    def test_no_address_is_given(self):
        self.bring_up_web()
        done = self.site.operate("connect", "production", "--paste", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("no address was given", done.stderr)

    def test_a_job_that_was_paused_before_stays_so(self):
        self.bring_up_web()
        self.connect()
        self.site.operate("pause", "leads")
        self.site.operate("disconnect", "production", "--yes")
        last = self.connect()[-1]
        self.assertEqual((last["started"], last["paused"]), (True, ["leads"]))
        self.assertEqual(self.job("leads")["state"], "paused")
        self.site.run("contacts")

    def test_a_port_that_is_taken(self):
        self.bring_up_web()
        with socket.socket() as squatter:
            squatter.bind(("127.0.0.1", self.port))
            squatter.listen()
            done = self.site.operate("connect", "production", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("port-taken", done.stderr)


class Living(WithBrowser):
    """What becomes of a connected account."""

    def test_a_dead_grant_and_its_recovery(self):
        hook = pathlib.Path(self.enterContext(rig.folder())) / "hook"
        told = hook.with_name("told")
        hook.write_text(f'#!/bin/sh\necho "$LEADSYNC_EVENT $LEADSYNC_ACCOUNT $LEADSYNC_REMEDY" >>{told}\n')
        hook.chmod(0o700)
        self.bring_up_web(daemon_options=f"hook = {hook}")
        self.connect()
        self.first_load()
        before = len(self.token_requests("refresh_token"))
        self.org.admin("revoke", {"grants": True})
        done = self.site.operate("run", "contacts", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("leadsync connect production", done.stderr)
        line = self.site.log.wait_for("event=account_parked")
        self.assertIn("state=needs-login", line)
        self.assertIn("leadsync connect production", line)
        for _ in range(3):  # it is not asked again, whatever the operator does
            self.site.operate("run", "leads", check=False)
        self.assertEqual(len(self.token_requests("refresh_token")), before + 1)
        self.assertEqual(len([line for line in self.log_lines(" error event=")
                              if "invalid_grant" in line]), 1, self.site.tail())
        self.assertEqual(self.job("contacts")["state"], "parked")
        self.org.edit("Contact", self.org.query("SELECT Id FROM Contact LIMIT 1")[0]["Id"],
                      Title="While nobody looked")
        self.connect()
        self.site.log.wait_for("event=run_done")
        self.assertNotEqual(self.job("contacts")["state"], "parked")
        self.settle_and_compare()
        self.assertIn("account-parked production leadsync connect production\n", told.read_text())
        self.assertIn("account-ok production", told.read_text())

    def test_another_org_is_refused(self):
        self.bring_up_web()
        self.connect()
        other = "00D8d0000004QxSEAU"
        self.org.admin("instance", {"org_id": other})
        terminal = Terminal(self.site, "connect", "production")
        self.log_in(re.search(r"https?://\S+/services/oauth2/authorize\S+",
                              terminal.until("Ctrl-C gives up."))[0])
        self.assertEqual(terminal.end(), 1)
        self.assertIn("other-org", self.site.outputs[-1])
        self.assertIn("leadsync disconnect production", self.site.outputs[-1])

    def test_disconnecting(self):
        self.bring_up_web()
        self.connect()
        done = self.site.operate("disconnect", "production", "--yes")
        self.assertIn("revoked at Salesforce", done.stdout)
        self.assertEqual([grant["alive"] for grant in self.grants()], [False])
        self.assertEqual(self.account()["state"], "disconnected")
        self.site.kill()
        self.site.start()
        self.assertEqual(self.account()["state"], "disconnected")
        self.connect()

    def test_disconnecting_waits_for_the_token_on_its_way(self):
        self.bring_up_web("--rotate")
        self.connect()
        self.first_load()
        self.org.fault("token", times=1, delay_ms=700)
        self.org.admin("sessions/expire", {})
        running = subprocess.Popen(self.site.command("run", "contacts"), text=True,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not self.token_requests("refresh_token"):
            pass
        done = self.site.operate("disconnect", "production", "--yes")
        running.wait(rig.PATIENCE_S)
        self.assertIn("revoked at Salesforce", done.stdout)
        self.assertEqual([(grant["alive"], grant["reuse"]) for grant in self.grants()],
                         [(False, 0)])

    def test_disconnecting_while_salesforce_is_away(self):
        self.bring_up_web()
        self.connect()
        self.org.fault("revoke", times=1, status=503)
        done = self.site.operate("disconnect", "production", "--yes")
        self.assertIn("as soon as Salesforce answers", done.stdout)
        self.site.kill()
        self.site.start()  # what an earlier life left is its first work
        self.site.log.wait_for("event=token_revoked")
        self.assertEqual([grant["alive"] for grant in self.grants()], [False])

    def test_connecting_again_gives_the_old_grant_back(self):
        self.bring_up_web()
        self.connect()
        self.connect()
        self.site.log.wait_for("event=token_revoked")
        self.assertEqual([grant["alive"] for grant in self.grants()], [False, True])

    def test_pausing_outlives_a_restart(self):
        self.bring_up_web()
        self.connect()
        self.first_load()
        self.site.operate("pause", "contacts")
        self.site.stop()
        self.site.start()
        self.assertEqual(self.job("contacts")["state"], "paused")
        self.assertIn("paused", self.site.operate("run", "contacts", check=False).stderr)
        self.site.operate("resume", "contacts")
        self.settle_and_compare()

    def test_a_stop_waits_for_the_token_on_its_way(self):
        self.bring_up_web("--rotate")
        self.connect()
        self.first_load()
        self.org.fault("token", times=1, delay_ms=700)
        self.org.admin("sessions/expire", {})
        running = subprocess.Popen(self.site.command("run", "contacts"), text=True,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not self.token_requests("refresh_token"):
            pass
        self.assertEqual(self.site.stop(), 0)
        running.wait(rig.PATIENCE_S)
        self.site.start()
        self.settle_and_compare()
        self.assertEqual([grant["reuse"] for grant in self.grants()], [0])


class Flows(WithBrowser):
    """The same daemon with each grant, over TLS with an authority of our own."""

    def play(self):
        self.first_load()
        for _ in range(3):  # sessions that die are replaced
            self.org.admin("sessions/expire", {})
            self.site.settle()
        self.assert_equal_to_org()
        self.assertEqual(self.account()["state"], "fresh")

    def test_web_without_rotation(self):
        self.play_web()

    def test_web_with_rotation(self):
        self.play_web("--rotate")
        self.assertEqual(self.account()["rotation"], "on")

    def play_web(self, *options):
        self.bring_up_web_tls(*options)
        self.connect()
        self.play()
        self.assertEqual([grant["reuse"] for grant in self.grants()], [0])
        self.assertEqual(len(self.token_requests("refresh_token")), 3)

    def test_web_of_an_app_without_a_secret(self):
        self.port = rig.free_port()
        self.bring_up_tls(web_flow(self.port, secret=False), *self.web_options("--public-client"),
                          secret=None)
        self.connect()
        self.play()

    def test_client_credentials(self):
        self.bring_up_tls("flow = client_credentials\nclient_secret = vault\n", secret=None)
        self.assertEqual(self.account()["state"], "empty")
        done = subprocess.run(self.site.command("connect", "production", "--yes"),
                              input=rig.CLIENT_SECRET, text=True, capture_output=True,
                              timeout=rig.PATIENCE_S)
        self.site.outputs += [done.stdout, done.stderr]
        self.assertEqual(done.returncode, 0, done.stderr + self.site.tail())
        self.assertIn("Run As", done.stdout)
        self.play()

    def test_jwt(self):
        key, certificate = rig.make_private_key(pathlib.Path(self.enterContext(rig.folder())))
        self.bring_up_tls(f"flow = jwt\nusername = {USER}\nprivate_key = vault\n", "--jwt-cert",
                          str(certificate), "--username", USER, secret=None)
        wrong = self.site.operate("secret", "set", "production", stdin="not a key", check=False)
        self.assertIn("bad-key", wrong.stderr)
        terminal = Terminal(self.site, "secret", "set", "production")
        terminal.until("(not shown): ")
        for line in key.read_text().splitlines():  # as a terminal pastes it
            os.write(terminal.fd, line.encode() + b"\n")
        self.assertEqual(terminal.end(), 0)
        self.assertNotIn("PRIVATE", self.site.outputs[-1])
        self.key_text = key.read_text()
        self.play()

    def test_jwt_with_a_wrong_clock_says_so(self):
        key, certificate = rig.make_private_key(pathlib.Path(self.enterContext(rig.folder())))
        self.bring_up(emulator_options=("--jwt-cert", str(certificate), "--username", USER),
                      flow=f"flow = jwt\nusername = {USER}\nprivate_key = file:{key}\n",
                      secret=None, start=False)
        self.org.advance(3600)
        self.site.start()
        line = self.site.log.wait_for("event=account_parked")
        self.assertIn("clock", line)
        self.assertIn("needs-admin", line)


class Sealed(WithBrowser):
    """Keys, state directories, secrets."""

    def test_secrets_are_listed_and_deleted(self):
        self.bring_up_web()
        listed = self.site.operate("secret", "list").stdout
        self.assertRegex(listed, r"^production +set 20\S+, used by production\n$")
        self.site.operate("secret", "delete", "production")
        self.assertEqual(self.site.operate("secret", "list").stdout, "")
        self.assertIn("no-secret",
                      self.site.operate("secret", "delete", "production", check=False).stderr)

    def test_a_new_key(self):
        self.bring_up_web()
        self.connect()
        before = self.site.status()["keys"]
        self.site.operate("key", "add")
        done = self.site.operate("key", "rotate")
        self.assertRegex(done.stdout, r"^\d+ values are sealed")
        after = [key for key in self.site.status()["keys"] if key["sealed"]]
        self.assertEqual(len(after), 1)
        self.assertNotEqual(after[0]["id"], before[0]["id"])
        key = self.site.root / "seal.key"
        key.write_text(key.read_text().splitlines()[0] + "\n")  # the old one goes
        self.site.stop()
        self.site.start()
        self.first_load()
        self.assert_equal_to_org()

    def canaries(self):
        found = super().canaries()
        found.pop("seal key", None)
        for number, line in enumerate((self.site.root / "seal.key").read_text().split()):
            found[f"seal key {number}"] = bytes.fromhex(line)
        if hasattr(self, "key_text"):
            found["private key"] = self.key_text.encode()
        return found

    def test_a_state_directory_of_another_machine(self):
        self.bring_up_web()
        self.connect()
        self.site.stop()
        rig.sqlite(self.site.state / "state.db", "UPDATE vault SET machine = 'another'")
        requests = self.org.counters()["total"]
        self.site.start(wait=False)
        self.assertEqual(self.site.wait(), 78)
        self.assertTrue(self.log_lines("leadsync adopt"))
        self.assertEqual(self.org.counters()["total"], requests)
        self.site.operate("adopt", "--yes")
        self.site.start()
        self.first_load()

    def test_a_database_from_a_backup(self):
        self.bring_up_web("--rotate")
        self.connect()
        self.first_load()
        self.site.stop()
        old = self.site.root / "old.db"
        rig.sqlite(self.site.state / "state.db", f"VACUUM INTO '{old}'")
        self.site.start()
        self.org.admin("sessions/expire", {})
        self.site.run("contacts")
        self.site.stop()
        for stale in self.site.state.glob("state.db*"):
            stale.unlink()
        old.rename(self.site.state / "state.db")
        (self.site.state / "state.db").chmod(stat.S_IRUSR | stat.S_IWUSR)
        requests = len(self.org.admin("token_log")["requests"])
        self.site.start()
        self.assertEqual(self.account()["trouble"]["code"], "stale-token")
        self.assertEqual(self.account()["state"], "needs-login")
        self.site.operate("run", "contacts", check=False)
        self.assertEqual(len(self.org.admin("token_log")["requests"]), requests)
        self.assertEqual([grant["reuse"] for grant in self.grants()], [0])
        self.connect()
        self.site.run("contacts")
        self.site.stop()
        # What is older than its successor is not sent to be revoked either.
        self.assertEqual(self.org.counters()["by_kind"].get("revoke", 0), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
