/* schema_values.h - picklist values that several objects share. */
#pragma once

extern const char *const schema_salutations[];
extern const char *const schema_lead_sources[];
extern const char *const schema_industries[];
extern const char *const schema_ratings[];
extern const char *const schema_clean_statuses[];
extern const char *const schema_accuracies[];
extern const char *const schema_regions[];
