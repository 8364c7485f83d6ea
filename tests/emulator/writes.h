/* writes.h - what a call asks to be written, taken apart for the log (write_log.h). */
#pragma once

struct call;

/* Nothing if the call is no write. A part of a composite request notes itself. */
void writes_note(struct call *call);

/* The same for a call that nobody will serve: the parts of a composite request too. */
void writes_note_unserved(struct call *call, const char *outcome);
