"""Each way a token endpoint refuses: what the daemon does next, how often it asks, what it says,
and what mends it."""
import datetime
import json
import re
import subprocess
import time
import unittest

import rig
from test_connect import WithBrowser

HTML = "<html><body>Access Denied</body></html>"
MINUTE_S = 60


def refusal(error, description="x"):
    """A fault that answers as OAuth does (RFC 6749, section 5.2)."""
    return {"status": 400, "content_type": "application/json",
            "body": json.dumps({"error": error, "error_description": description})}


def seconds(stamp):
    return datetime.datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()


def said_at(line):
    """When a line of the log was written."""
    return seconds(line.split()[0])


class Refused(WithBrowser):
    """A connected account whose session is over, and that does not get the next token."""

    def bring_up_spent(self, **faults_or_switches):
        """Loaded once; the next call needs a refresh, and meets this."""
        self.bring_up_web("--rotate")
        self.connect()
        self.first_load()
        self.end_session(**faults_or_switches)

    def end_session(self, switches=None, **fault):
        if switches:
            self.org.admin("oauth", switches)
        if fault:
            self.org.fault("token", **fault)
        self.org.admin("sessions/expire", {})
        self.org.reset_counters()

    def asked(self):
        """Token requests since the session ended."""
        return self.org.counters()["by_kind"].get("token", 0)

    def parked(self):
        """What was said of a stand since it was connected."""
        return [line for line in self.log_lines("event=account_parked")
                if "code=needs-login" not in line]

    def start_run(self):
        """An operator who does not wait for the end; the process."""
        running = subprocess.Popen(self.site.command("run", "contacts"), text=True,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   preexec_fn=rig.die_with_parent)
        self.addCleanup(running.wait)
        self.addCleanup(running.kill)
        return running

    def run_in_vain(self):
        """A run that ends with the reason; what it said."""
        done = self.site.operate("run", "contacts", check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        return done.stderr

    def assert_parked(self, state, code, text="", remedy="leadsync connect production"):
        line = self.site.log.wait_for("error event=account_parked account=production "
                                      f"state={state} code={code}")
        for wanted in (text, remedy):
            self.assertIn(wanted, line)
        account = self.account()
        self.assertEqual((account["state"], account["trouble"]["code"]), (state, code))
        self.assertEqual(self.job("contacts")["state"], "parked")

    def assert_waiting(self, code, at_least_s, level="warning"):
        """Until a try that far ahead; and no run makes it sooner."""
        self.site.log.wait_for(f"{level} event=token_delayed account=production code={code}")
        self.start_run()
        account = self.account()
        self.assertEqual(account["state"], "waiting")
        self.assertGreater(seconds(account["next_refresh"]) - time.time(), at_least_s - 30)
        self.assertEqual(self.asked(), 1)

    def assert_well(self):
        """The grant was not harmed, and nothing is missing."""
        self.settle_and_compare()
        self.assertEqual(self.account()["state"], "fresh")
        self.assertEqual([grant["reuse"] for grant in self.grants() if grant["alive"]], [0])

    def restart(self):
        self.site.stop()
        self.site.start()

    def ride_out(self, requests, code, **fault):
        """A fault that passes, inside one run."""
        self.bring_up_spent(**fault)
        self.site.run("contacts")
        self.assertEqual(self.asked(), requests)
        self.assertTrue(self.log_lines(f"code={code}"), self.site.tail())
        self.assertEqual(self.parked(), [])
        self.assert_well()


class Permanent(Refused):
    """Asked once; then a person must act."""

    def test_a_dead_grant(self):
        self.bring_up_spent()
        self.org.admin("revoke", {"grants": True})
        self.run_in_vain()
        parked = self.site.log.wait_for("code=invalid_grant")
        refused = self.token_requests("refresh_token")[-1]
        self.assertLess(said_at(parked) - refused["at_ms"] / 1000, 5)
        for _ in range(3):  # whatever the operator does
            self.assertIn("leadsync connect production", self.run_in_vain())
            self.site.operate("run", "leads", check=False)
            self.site.operate("fields", "contacts", check=False)
        self.assertEqual(self.asked(), 1)
        self.assertEqual(self.parked(), [parked.rstrip()])
        for wanted in ("error event=account_parked", "state=needs-login", "invalid_grant",
                       'remedy="leadsync connect production"'):
            self.assertIn(wanted, parked)
        self.connect()
        self.assert_well()

    def test_what_an_administrator_mends(self):
        """Each is asked once a run that a person orders; mended, the run is enough."""
        self.bring_up_spent()
        for switch, state, code, text in (
                ({"user_active": False}, "needs-login", "inactive_user", "activate"),
                ({"ip_restricted": True}, "needs-login", "ip_restricted", "IP range"),
                ({"app_blocked": True}, "needs-admin", "app_blocked", "blocked"),
                ({"app_access": False}, "needs-admin", "invalid_app_access", "approved")):
            with self.subTest(code):
                self.end_session(switches=switch)
                self.assertIn(text, self.run_in_vain())
                self.assert_parked(state, code, text)
                self.assertEqual(self.asked(), 1)
                self.org.admin("oauth", {name: not value for name, value in switch.items()})
                self.site.run("contacts")
                self.assertEqual(self.asked(), 2)
        self.assert_well()

    def test_what_the_app_may_not(self):
        self.bring_up_spent()
        for code in ("invalid_client_id", "unauthorized_client", "unsupported_grant_type",
                     "invalid_scope"):
            with self.subTest(code):
                self.end_session(**refusal(code))
                self.run_in_vain()
                self.assert_parked("needs-admin", code)
                self.assertEqual(self.asked(), 1)
                self.site.run("contacts")
        self.assert_well()

    def test_another_secret_at_the_org(self):
        self.bring_up()
        self.first_load()
        self.end_session(switches={"secret": "CANARY-the-new-one"})
        self.assertIn("leadsync secret set", self.run_in_vain())
        self.assert_parked("needs-admin", "invalid_client",
                           remedy='remedy="leadsync secret set production"')
        self.assertEqual(self.asked(), 1)
        self.site.operate("secret", "set", "production", stdin="CANARY-the-new-one")
        self.site.log.wait_for("event=run_done")  # by itself
        self.assertEqual(self.asked(), 2)
        self.assertEqual(self.account()["state"], "fresh")
        self.assertEqual(self.job("contacts")["state"], "idle")

    def test_no_user_to_run_as(self):
        self.bring_up()
        self.first_load()
        self.end_session(switches={"run_as": False})
        self.assertIn("Run As", self.run_in_vain())
        self.assert_parked("needs-admin", "no_run_as_user", "Run As")
        self.org.admin("oauth", {"run_as": True})
        self.site.run("contacts")
        self.assertEqual(self.asked(), 2)
        self.settle_and_compare()


class Passing(Refused):
    """The grant is kept, whatever it takes."""

    def test_a_server_in_trouble(self):
        self.ride_out(3, "server-trouble", times=2, status=503, body=HTML,
                      content_type="text/html")

    def test_too_many_requests(self):
        self.ride_out(2, "http-429", status=429, headers={"Retry-After": "1"})

    def test_server_error_in_oauth_words(self):
        self.ride_out(2, "server_error", **refusal("server_error"))

    def test_another_request_in_process(self):
        self.ride_out(2, "invalid_grant",
                      **refusal("invalid_grant", "token request is already being processed"))
        waited = [re.search(r'text="([^"]*)', line)[1] for line in self.log_lines("token_delayed")]
        self.assertEqual(len(waited), 1)
        self.assertIn("busy", waited[0])

    def test_a_page_for_a_token(self):
        self.ride_out(2, "protocol", status=200, body=HTML, content_type="text/html")

    def test_a_connection_that_breaks(self):
        self.ride_out(2, "reset", reset=True)

    def test_pages_for_tokens_where_nothing_can_be_used_up(self):
        self.bring_up()
        self.first_load()
        self.end_session(times=2, status=200, body=HTML, content_type="text/html")
        self.site.run("contacts")
        self.assertEqual(self.asked(), 3)
        self.settle_and_compare()

    def test_a_firewall(self):
        self.bring_up_spent(status=403, body=HTML, content_type="text/html")
        self.start_run()
        self.assert_waiting("http-403", 15 * MINUTE_S, level="error")
        self.restart()
        self.assert_well()

    def test_too_many_logins(self):
        self.bring_up_spent(switches={"login_rate_exceeded": True})
        self.start_run()
        self.assert_waiting("rate_limit_exceeded", 60 * MINUTE_S)
        self.org.admin("oauth", {"login_rate_exceeded": False})
        self.restart()
        self.assert_well()

    def test_a_certificate_of_nobody(self):
        ours, theirs = rig.PrivateCa(), rig.PrivateCa()
        self.addCleanup(ours.remove)
        self.addCleanup(theirs.remove)
        self.bring_up(ca=theirs, flow="flow = client_credentials\nclient_secret = vault\n"
                      f"ca_file = {ours.ca}\nallow_host = @ORG@\n")
        self.start_run()
        self.site.log.wait_for("error event=token_delayed account=production code=certificate")
        self.assertEqual(self.asked(), 0)  # nothing was said to whoever that is
        self.site.stop()
        self.site.conf.write_text(self.site.conf.read_text().replace(str(ours.ca), str(theirs.ca)))
        self.site.start()
        self.settle_and_compare()


class Lost(Refused):
    """An answer that does not arrive may have used up the refresh token."""

    def test_twice(self):
        self.bring_up_spent(times=2, reset=True)
        self.run_in_vain()
        self.assert_parked("needs-login", "answer-lost")
        self.run_in_vain()
        self.restart()
        self.run_in_vain()
        self.assertEqual(self.asked(), 2)
        self.connect()
        self.assert_well()

    def test_of_a_token_that_was_replaced(self):
        self.bring_up_spent(reset=True, commit=True)
        self.assertIn("lost", self.run_in_vain())
        self.assert_parked("needs-login", "invalid_grant", "lost")
        self.restart()
        self.run_in_vain()
        self.assertEqual(self.asked(), 2)
        self.connect()
        self.assert_well()


if __name__ == "__main__":
    unittest.main(verbosity=2)
