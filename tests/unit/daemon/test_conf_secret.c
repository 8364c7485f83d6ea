/* Which credential an account has, and where the vault keeps it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "conf/conf.h"
#include "daemon/conf_secret.h"

static struct conf_account accounts[] = {
	{ .name = "a", .flow = CONF_FLOW_CLIENT_CREDENTIALS, .client_secret = "vault" },
	{ .name = "b", .flow = CONF_FLOW_JWT, .private_key = "vault:key" },
	{ .name = "c", .flow = CONF_FLOW_JWT, .private_key = "vault" },
	{ .name = "d", .flow = CONF_FLOW_WEB, .client_secret = "vault:app" },
	{ .name = "e", .flow = CONF_FLOW_WEB },
	{ .name = "f", .flow = CONF_FLOW_JWT, .private_key = "file:/etc/key.pem" },
	{ .name = "g", .flow = CONF_FLOW_WEB, .client_secret = "credential:app" },
};
#define COUNT (sizeof(accounts) / sizeof(accounts[0]))

static void check(const char *got, const char *want)
{
	if (want)
		assert_string_equal(got, want);
	else
		assert_null(got);
}

static void each_flow_has_its_credential(void **state)
{
	static const char *const sources[COUNT] = {
		"vault", "vault:key",         "vault",         "vault:app",
		NULL,    "file:/etc/key.pem", "credential:app"
	};
	static const char *const names[COUNT] = { "a", "key", "c", "app", NULL, NULL, NULL };

	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		check(conf_credential(&accounts[i]), sources[i]);
		check(conf_secret_name(&accounts[i]), names[i]);
	}
}

static void an_account_uses_its_own(void **state)
{
	(void)state;
	assert_true(conf_uses_secret(&accounts[0], "a"));
	assert_false(conf_uses_secret(&accounts[0], "vault"));
	assert_true(conf_uses_secret(&accounts[1], "key"));
	assert_false(conf_uses_secret(&accounts[1], "b"));
	assert_true(conf_uses_secret(&accounts[3], "app"));
	for (size_t i = 4; i < COUNT; i++)
		assert_false(conf_uses_secret(&accounts[i], accounts[i].name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_flow_has_its_credential),
		cmocka_unit_test(an_account_uses_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
