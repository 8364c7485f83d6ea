"""The base of every scenario: puts up an org and a site, and looks for leaked secrets at the end."""
import unittest

import compare
import rig


class Scenario(unittest.TestCase):
    """`self.org` and `self.site` come from bring_up(); both are taken down, and scanned, whatever happened."""

    maxDiff = None

    def bring_up(self, contacts=50, leads=20, emulator_options=(), start=True, ca=None,
                 **site_options):
        self.org = rig.Emulator(*emulator_options, contacts=contacts, leads=leads, ca=ca)
        self.addCleanup(self.org.stop)
        self.site = rig.Site(self.org, **site_options)
        self.addCleanup(self.site.remove)
        self.addCleanup(self.assert_no_leak)
        if start:
            self.site.start()

    def canaries(self):
        found = {"client secret": rig.CLIENT_SECRET.encode()}
        key = self.site.root / "seal.key"
        if key.exists():
            found["seal key"] = bytes.fromhex(key.read_text())
        for kind, values in self.org.admin("sessions").items():
            for number, value in enumerate(values):
                found[f"{kind} {number}"] = value.encode()
        return found

    def assert_no_leak(self):
        self.assertEqual(rig.find_canaries(self.site, self.canaries()), [])

    def first_load(self):
        return [self.site.run("contacts"), self.site.run("leads")]

    def assert_equal_to_org(self, contact_where=""):
        lead_fields = compare.all_fields(self.org, "Lead")
        self.assertGreater(len(lead_fields), 50)
        found = compare.differences(self.org, self.site.store, "contact", "Contact",
                                    rig.CONTACT_FIELDS, "mark", contact_where)
        found += compare.differences(self.org, self.site.store, "lead", "Lead", lead_fields,
                                     "delete")
        self.assertEqual(found[:10], [])

    def log_lines(self, fragment):
        return [line for log in self.site.logs for line in log.lines if fragment in line]
