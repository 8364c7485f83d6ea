/* rest_record.h - /sobjects/X/…: one record, by its id or by the value of an external id field. */
#pragma once

struct call;

void rest_record_create(struct call *call);
void rest_record_read(struct call *call);
void rest_record_update(struct call *call);
void rest_record_delete(struct call *call);
void rest_record_read_external(struct call *call);
void rest_record_upsert(struct call *call);
void rest_record_delete_external(struct call *call);
