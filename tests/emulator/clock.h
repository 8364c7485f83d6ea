/* clock.h - the emulator's own clock: real time plus an offset that tests move.
 *
 * Stamps, sessions, locators, limits and the Date header all go by it. */
#pragma once
#include <stdint.h>

int64_t clock_now_ms(void);
int64_t clock_now_s(void);

/* The offset is what a reopened store keeps. */
int64_t clock_offset_ms(void);
void clock_set_offset_ms(int64_t offset_ms);

/* The clock stands at this instant, for a write carried out late; 0 lets it go again. */
void clock_pretend_ms(int64_t at_ms);
