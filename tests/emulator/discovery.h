/* discovery.h - what the org offers: versions, resources, limits. */
#pragma once

struct call;

void discovery_versions(struct call *call);
void discovery_resources(struct call *call);
void discovery_limits(struct call *call);
void discovery_record_count(struct call *call);
