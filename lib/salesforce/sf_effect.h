/* sf_effect.h - whether a write that failed may have been done all the same.
 *
 * What was not done may be sent again; what may have been done may only be looked at. In doubt it
 * may have been: an update that is looked at costs one read, a creation made twice a duplicate.
 * (REST API Developer Guide: "Status Codes and Error Responses".) */
#pragma once

struct error;

enum sf_effect { SF_NOTHING_DONE, SF_MAY_BE_DONE };

/* Of an answer that is no success; `err` is what sf_error_rest() made of it. */
enum sf_effect sf_effect_of(int status, const struct error *err);
