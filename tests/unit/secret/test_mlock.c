/* Memory that cannot be locked is noticed. A program of its own, since the address sanitizer puts
 * an mlock() in the place of the real one that does nothing and never fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/error.h"
#include "secret/secret.h"

static void unlockable_memory_is_seen(void **state)
{
	int status;
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		struct error err;
		bool locked = true;

		/* root may lock whatever the limit */
		if (setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){ 0 }) != 0 ||
		    (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0) ||
		    !secret_start(&locked, &err))
			_exit(2);
		_exit(locked ? 1 : 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unlockable_memory_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
