/* machine.h - which machine this is. */
#pragma once
#include <stdbool.h>

/* 32 hex digits made of this machine's id and of this program (machine-id(5): the id itself is not
 * to be shown). False, and "", where the machine has none, as in some containers. */
#define MACHINE_ID_SIZE 33
bool machine_id(char out[MACHINE_ID_SIZE]);
