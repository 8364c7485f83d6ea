"""`leadsync connect` with a real browser: Chromium, driven by WebDriver (www.w3.org/TR/webdriver2)."""
import base64
import hashlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import unittest
import urllib.request

import rig
from test_connect import PASSWORD, USER, Terminal, WithBrowser, web_flow

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # WebDriver, section 11
FIND_WITHIN_MS = 30_000


def key_hash(certificate):
    """Of the certificate's public key, as Chromium wants to be told of it."""
    public = subprocess.run(["openssl", "x509", "-in", str(certificate), "-noout", "-pubkey"],
                            check=True, capture_output=True).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "der"], input=public,
                         check=True, capture_output=True).stdout
    return base64.b64encode(hashlib.sha256(der).digest()).decode()


class Chromium:
    """A browser without a window, with a profile that is gone afterwards."""

    def __init__(self, trust=None):
        self.profile = tempfile.mkdtemp(prefix="leadsync-chromium-")
        port = rig.free_port()
        self.driver = subprocess.Popen(["chromedriver", f"--port={port}"], text=True,
                                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                       preexec_fn=rig.die_with_parent)
        for line in self.driver.stdout:
            if "started successfully" in line:
                break
        self.url = f"http://127.0.0.1:{port}/session"
        arguments = ["--headless=new", "--window-size=900,600", f"--user-data-dir={self.profile}"]
        if os.getuid() == 0:
            arguments.append("--no-sandbox")  # it has none for root
        if trust:  # this one key, and nothing else that is not verified
            arguments.append(f"--ignore-certificate-errors-spki-list={key_hash(trust)}")
        made = self.ask("", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "timeouts": {"implicit": FIND_WITHIN_MS},
            "goog:chromeOptions": {"args": arguments}}}})
        self.url += "/" + made["sessionId"]

    def ask(self, path, body=None, method=None):
        request = urllib.request.Request(
            self.url + path, None if body is None else json.dumps(body).encode(),
            {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=rig.PATIENCE_S) as answer:
            return json.load(answer)["value"]

    def go(self, url):
        self.ask("/url", {"url": url})

    def find(self, selector):
        """Waits for it."""
        found = self.ask("/element", {"using": "css selector", "value": selector})
        return f"/element/{found[ELEMENT]}"

    def type(self, selector, text):
        self.ask(self.find(selector) + "/value", {"text": text})

    def press(self, selector):
        self.ask(self.find(selector) + "/click", {})

    def text(self, selector):
        return self.ask(self.find(selector) + "/text")

    def address(self):
        return self.ask("/url")

    def screenshot(self):
        return base64.b64decode(self.ask("/screenshot"))

    def close(self):
        if self.driver.poll() is None:
            self.ask("", method="DELETE")
            self.driver.terminate()
            self.driver.wait(rig.PATIENCE_S)
        self.driver.stdout.close()
        shutil.rmtree(self.profile, ignore_errors=True)


class WithChromium(WithBrowser):
    def open_browser(self, trust=None):
        self.browser = Chromium(trust)
        self.addCleanup(self.browser.close)

    def begin(self):
        """`leadsync connect` waits for the browser; where that is to go."""
        self.terminal = Terminal(self.site, "connect", "production")
        return re.search(r"https?://\S+/services/oauth2/authorize\S+",
                         self.terminal.until("Ctrl-C gives up."))[0]

    def log_in_and(self, button):
        """By keyboard and mouse, to the callback's page; what that says."""
        self.browser.go(self.begin())
        self.browser.type("[name=username]", USER)
        self.browser.type("[name=pw]", PASSWORD)
        self.browser.press("[name=Login]")
        self.browser.press(f"[name={button}]")
        said = self.browser.text("main")
        self.assertTrue(self.browser.address().startswith(
            f"http://localhost:{self.port}/callback?"))
        if "LEADSYNC_SCREENSHOTS" in os.environ:
            picture = pathlib.Path(os.environ["LEADSYNC_SCREENSHOTS"]) / f"{self.id()}.png"
            picture.write_bytes(self.browser.screenshot())
        return said

    def say_yes(self):
        self.terminal.until("Connect? [y/N] ")
        self.terminal.type("y")
        self.terminal.until("Start the jobs now? [y/N] ")
        self.terminal.type("y")
        self.assertEqual(self.terminal.end(), 0)
        self.first_load()
        self.assert_equal_to_org()
        self.assertEqual(self.account()["state"], "fresh")

    def test_connected(self):
        self.bring_up_web()
        self.open_browser()
        said = self.log_in_and("save")
        self.assertIn("Logged in", said)
        self.assertIn("close this window", said)
        self.say_yes()

    def test_connected_over_tls(self):
        self.port = rig.free_port()
        ca = rig.PrivateCa()
        self.addCleanup(ca.remove)
        self.bring_up(emulator_options=("--username", USER, "--password", PASSWORD,
                                        "--redirect-uri",
                                        f"http://localhost:{self.port}/callback"), ca=ca,
                      flow=web_flow(self.port) + f"ca_file = {ca.ca}\nallow_host = @ORG@\n")
        self.open_browser(trust=ca.cert)
        self.assertIn("Logged in", self.log_in_and("save"))
        self.say_yes()

    def test_denied(self):
        self.bring_up_web()
        self.open_browser()
        self.assertIn("denied", self.log_in_and("cancel"))
        self.assertEqual(self.terminal.end(), 1)
        self.assertIn("login-denied", self.site.outputs[-1])

    def test_a_browser_that_is_closed(self):
        self.bring_up_web()
        self.open_browser()
        self.browser.go(self.begin())
        self.browser.type("[name=username]", USER)
        self.browser.close()
        self.assertEqual(self.account()["state"], "needs-login")
        socket.create_connection(("127.0.0.1", self.port), rig.PATIENCE_S).close()  # still waits
        self.terminal.interrupt()
        self.assertNotEqual(self.terminal.end(), 0)
        with self.assertRaises(OSError):
            socket.create_connection(("127.0.0.1", self.port), rig.PATIENCE_S)
        self.connect()  # with another one


if __name__ == "__main__":
    unittest.main(verbosity=2)
