/* sfid.h - Salesforce ids: 15 case-sensitive characters, or 18 with a checksum of their case. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SFID_SIZE 19 /* 18 and NUL */

/* The org and the user the sessions of the sync app run as. */
#define SFID_ORG  "00D8d0000004QxREAU"
#define SFID_USER "0058d000002Kp7ZAAS"

/* The id of row `number` of the object with this three-character key prefix. */
void sfid_make(const char *prefix, int64_t number, char out[SFID_SIZE]);

/* Takes 15 or 18 characters; false if they are no id, or their checksum is wrong. */
bool sfid_parse(const char *from, size_t length, char out[SFID_SIZE]);
