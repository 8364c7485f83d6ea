"""Peak memory is a few pages, whatever the number of records: 24 MiB, and the same within 2 MiB."""
import unittest

import pull
import rig


def peak_mib(contacts):
    org = rig.Emulator(contacts=contacts, leads=0)
    try:
        return pull.measure_daemon(org)["peak_kib"] / 1024
    finally:
        org.stop()


class Memory(unittest.TestCase):
    def test_flat_in_the_number_of_records(self):
        few, many = peak_mib(20_000), peak_mib(80_000)
        print(f"peak RSS: {few:.1f} MiB for 20 000 Contacts, {many:.1f} MiB for 80 000")
        self.assertLessEqual(many, 24)
        self.assertLessEqual(abs(many - few), 2)


if __name__ == "__main__":
    unittest.main()
