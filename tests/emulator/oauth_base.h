/* oauth_base.h - for the oauth files: the address of this org. */
#pragma once

const char *oauth_base_url(void);
