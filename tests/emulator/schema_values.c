/* schema_values.c */
#include "schema_values.h"

#include <stddef.h>

const char *const schema_salutations[] = { "Mr.", "Ms.", "Mrs.", "Dr.", "Prof.", "Mx.", NULL };
const char *const schema_lead_sources[] = {
	"Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other", NULL
};
const char *const schema_industries[] = { "Agriculture",
					  "Apparel",
					  "Banking",
					  "Biotechnology",
					  "Chemicals",
					  "Communications",
					  "Construction",
					  "Consulting",
					  "Education",
					  "Electronics",
					  "Energy",
					  "Engineering",
					  "Entertainment",
					  "Environmental",
					  "Finance",
					  "Food & Beverage",
					  "Government",
					  "Healthcare",
					  "Hospitality",
					  "Insurance",
					  "Machinery",
					  "Manufacturing",
					  "Media",
					  "Not For Profit",
					  "Recreation",
					  "Retail",
					  "Shipping",
					  "Technology",
					  "Telecommunications",
					  "Transportation",
					  "Utilities",
					  "Other",
					  NULL };
const char *const schema_ratings[] = { "Hot", "Warm", "Cold", NULL };
const char *const schema_clean_statuses[] = { "Matched",     "Different", "Acknowledged",
					      "NotFound",    "Inactive",  "Pending",
					      "SelectMatch", "Skipped",   NULL };
const char *const schema_accuracies[] = { "Address",     "NearAddress", "Block",        "Street",
					  "ExtendedZip", "Zip",         "Neighborhood", "City",
					  "County",      "State",       "Unknown",      NULL };
const char *const schema_regions[] = { "EMEA", "AMER", "APAC", "LATAM", NULL };
