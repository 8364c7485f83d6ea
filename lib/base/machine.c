#include "base/machine.h"

#include <systemd/sd-id128.h>

_Static_assert(MACHINE_ID_SIZE == SD_ID128_STRING_MAX, "32 hex digits");

/* Chosen once by chance; another one would make every machine another machine. */
#define PROGRAM SD_ID128_MAKE(9f, ae, ae, 7a, 02, 91, 02, 47, 98, 42, c5, 94, 95, d8, e8, 6c)

bool machine_id(char out[MACHINE_ID_SIZE])
{
	sd_id128_t id;

	if (sd_id128_get_machine_app_specific(PROGRAM, &id) < 0) {
		out[0] = '\0';
		return false;
	}
	sd_id128_to_string(id, out);
	return true;
}
