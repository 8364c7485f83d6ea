"""Each way a server or a network fails: what the daemon does next, how often it asks, what it says.

Rows follow the status table of the REST guide ("Status Codes and Error Responses"), the token
endpoint's errors, and the transport failures. After each fault is gone the store ends equal.
"""
import socket
import unittest

from scenario import Scenario

HTML = "<html><body>Down for maintenance</body></html>"


def error_body(code, text="x"):
    return f'[{{"message":"{text}","errorCode":"{code}"}}]'


class Faults(Scenario):
    """A fault that passes is ridden out inside the run; the org counts how often it was asked."""

    def ride_out(self, kind, most_requests, **fault):
        """One fault during a first load: the run succeeds all the same, without hammering."""
        self.bring_up(contacts=500, leads=5)
        self.org.admin("pages", {"max": 200})
        self.first_load()
        self.org.advance(3600)
        self.org.admin("random", {"seed": 1, "count": 300, "mix": {"edit": 100},
                                  "objects": ["Contact"]})
        self.org.advance(10)
        self.org.reset_counters()
        self.org.fault(kind, **fault)
        outcome = self.site.run("contacts")
        self.assertTrue(outcome["done"])
        self.assertLessEqual(self.org.counters()["total"], most_requests)
        self.assertGreaterEqual(self.org.counters()["faulted"], 1)
        self.org.clear_faults()
        self.site.settle()
        self.assert_equal_to_org()
        self.site.stop()

    def test_session_expired(self):
        self.bring_up()
        self.first_load()
        self.org.admin("sessions/expire", {})
        self.org.reset_counters()
        self.assertTrue(self.site.run("contacts")["done"])
        self.assertEqual(self.org.counters()["by_kind"]["token"], 1)
        self.assert_equal_to_org()

    def test_session_expired_in_the_middle_of_a_load(self):
        self.bring_up(contacts=800, leads=5, start=False)
        self.org.admin("pages", {"max": 200})
        self.org.fault("query_more", skip=1, status=401,
                       body=error_body("INVALID_SESSION_ID", "Session expired or invalid"))
        self.site.start()
        self.first_load()
        self.assert_equal_to_org()

    def test_503_with_html(self):
        self.ride_out("query_all", 8, status=503, body=HTML, content_type="text/html")

    def test_500_unknown_exception(self):
        self.ride_out("query_all", 8, status=500, body=error_body("UNKNOWN_EXCEPTION"))

    def test_200_with_html(self):
        self.ride_out("query_all", 8, status=200, body=HTML, content_type="text/html")

    def test_reset_without_an_answer(self):
        self.ride_out("query_all", 9, reset=True)

    def test_reset_in_the_middle_of_the_body(self):
        self.ride_out("query_all", 8, cut_after=20000)

    def test_truncated_gzip(self):
        self.ride_out("query_all", 8, truncate_gzip=True)

    def test_concurrent_limit_passes(self):
        self.ride_out("query_all", 8, status=403, body=error_body(
            "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded."))

    def test_retry_after_is_honoured_by_ending_or_waiting(self):
        self.ride_out("query_all", 8, status=503, body="", headers={"Retry-After": "1"})

    def test_locator_expired(self):
        self.ride_out("query_more", 9, status=400,
                      body=error_body("INVALID_QUERY_LOCATOR", "invalid query locator"))

    def test_describe_fails_once(self):
        self.ride_out("describe", 9, status=502, body=HTML, content_type="text/html")

    def test_a_short_answer_cut_at_every_byte(self):
        self.bring_up(contacts=3, leads=3)
        self.first_load()
        self.org.advance(3600)
        self.site.settle()
        contact = self.org.query("SELECT Id FROM Contact LIMIT 1")[0]["Id"]
        self.org.edit("Contact", contact, Title="cut")
        self.org.advance(10)
        # A dozen places here; every byte in the parser's own tests.
        for position in range(0, 1200, 100):
            self.org.fault("query_all", truncate_body=position)
            self.site.run("contacts")
        self.assert_equal_to_org()

    def test_daily_limit_waits_for_half_an_hour(self):
        self.bring_up()
        self.first_load()
        self.org.admin("limits", {"used": 15000, "max": 15000})
        self.org.reset_counters()
        outcome = self.site.run("contacts", check=False)
        self.assertEqual(outcome["error"]["code"], "REQUEST_LIMIT_EXCEEDED")
        self.assertEqual(self.org.counters()["total"], 1)
        self.assertEqual(len(self.log_lines("REQUEST_LIMIT_EXCEEDED")), 1)
        self.org.admin("limits", {"used": 10, "max": 15000})
        self.assertTrue(self.site.run("contacts")["done"])

    def test_refused_grant_parks_with_one_request_and_names_the_remedy(self):
        self.bring_up(secret="wrong-secret", start=False)
        self.site.start()
        self.assertIsNotNone(self.site.log.wait_for("event=account_parked"))
        self.site.run("leads", check=False)
        self.org.reset_counters()
        status = self.site.status()
        self.assertEqual(status["accounts"][0]["state"], "needs-admin")
        self.assertEqual(status["accounts"][0]["trouble"]["code"], "invalid_client")
        self.assertEqual(self.org.counters()["total"], 0)

    def test_revoked_token(self):
        self.bring_up()
        self.first_load()
        self.org.admin("revoke", {})
        self.assertTrue(self.site.run("contacts")["done"])

    def test_a_field_the_server_refuses_stops_the_job_until_mended(self):
        self.bring_up()
        self.first_load()
        self.org.fault("query_all", times=1, status=400,
                       body=error_body("INVALID_FIELD", "No such column 'Nope__c'"))
        outcome = self.site.run("contacts", check=False)
        self.assertEqual(outcome["error"]["kind"], "human")
        self.assertEqual(self.site.status()["jobs"][0]["state"], "parked")
        self.assertEqual(len(self.log_lines("event=job_parked")), 1)
        self.assertTrue(self.site.run("contacts")["done"])
        self.assertEqual(self.site.status()["jobs"][0]["state"], "idle")

    def test_nobody_listens(self):
        self.bring_up(start=False)
        with socket.socket() as placeholder:
            placeholder.bind(("127.0.0.1", 0))
            dead = f"http://127.0.0.1:{placeholder.getsockname()[1]}"
            text = self.site.conf.read_text()
            self.site.conf.write_text(text.replace(self.org.url, dead))
            self.site.start()
            self.assertIsNotNone(self.site.log.wait_for("event=token_delayed"))
        self.assertEqual(self.site.stop(), 0)
        self.site.conf.write_text(text)
        self.site.start()
        self.first_load()
        self.assert_equal_to_org()

    def test_a_name_that_does_not_resolve(self):
        self.bring_up(start=False)
        text = self.site.conf.read_text()
        self.site.conf.write_text(text.replace(self.org.url, "https://acme.my.salesforce.com"))
        self.site.start()
        line = self.site.log.wait_for("event=token_delayed")
        self.assertIn("acme.my.salesforce.com", line)
        self.assertEqual(self.site.stop(), 0)

    def test_a_hanging_server_does_not_delay_the_stop(self):
        self.bring_up(start=False)
        self.org.fault("token", hang=True)
        self.site.start()
        self.assertIsNotNone(self.site.log.wait_for("event=run_start"))
        self.assertEqual(self.site.status()["accounts"][0]["state"], "refreshing")
        self.assertEqual(self.site.stop(), 0)


if __name__ == "__main__":
    unittest.main()
