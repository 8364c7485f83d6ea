/* oauth_base.h - the address and the id that this org goes by, which a test may change. */
#pragma once

const char *oauth_base_url(void);
const char *oauth_org_id(void); /* 18 characters */
