/* The rows of machine. libsystemd's question is answered here, so that a machine without an id and
 * two with different ones can be had; the real answer is asked for in test_base. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <systemd/sd-id128.h>

#include "base/machine.h"

static int code;
static sd_id128_t given, asked_for;

int sd_id128_get_machine_app_specific(sd_id128_t app_id, sd_id128_t *ret)
{
	asked_for = app_id;
	if (code == 0)
		*ret = given;
	return code;
}

static void a_machine_has_a_name_of_its_own(void **state)
{
	char id[MACHINE_ID_SIZE];

	(void)state;
	code = 0;
	given = SD_ID128_MAKE(00, 01, 02, 03, 04, 05, 06, 07, 08, 09, 0a, 0b, 0c, 0d, 0e, ff);
	assert_true(machine_id(id));
	assert_string_equal(id, "000102030405060708090a0b0c0d0eff");
	/* It never changes: each state directory would seem to come from elsewhere. */
	assert_true(sd_id128_equal(asked_for, SD_ID128_MAKE(9f, ae, ae, 7a, 02, 91, 02, 47, 98, 42,
							    c5, 94, 95, d8, e8, 6c)));
}

static void a_machine_may_have_none(void **state)
{
	static const int codes[] = { -ENOENT, -ENOMEDIUM, -EIO };

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		char id[MACHINE_ID_SIZE] = "before";

		code = codes[i];
		assert_false(machine_id(id));
		assert_string_equal(id, "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_machine_has_a_name_of_its_own),
		cmocka_unit_test(a_machine_may_have_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
